import { ErrorCode, type ErrorName, type MessageInput } from '../../protocol/index.ts'
import type { OffsetCommitRequest, OffsetCommitResponse } from '../../protocol/messages/08-offset-commit.ts'
import type { OffsetFetchRequest, OffsetFetchResponse } from '../../protocol/messages/09-offset-fetch.ts'
import type { TxnOffsetCommitRequest, TxnOffsetCommitResponse } from '../../protocol/messages/28-txn-offset-commit.ts'
import type { OffsetDeleteRequest, OffsetDeleteResponse } from '../../protocol/messages/47-offset-delete.ts'
import type { TransactionalProducer } from '../runtime/coordinator-runtime.ts'
import { offsetCommitError } from './append-error.ts'
import { CONSUMER_PROTOCOL_TYPE } from './classic-group.ts'
import type { GroupConfig } from './group-config.ts'
import type { GroupLookup } from './group-lookup.ts'
import type { OffsetCommitRecord } from './group-record.ts'
import type { GroupEntry, GroupShard } from './group-shard.ts'
import type { GroupRequestContext } from './membership.ts'
import { type CommitOffset, decideCommit, decideTransactionalCommit } from './offset-commit.ts'
import { fetchOffsets } from './offset-fetch.ts'
import { removeOffsets } from './offset-removal.ts'

/** OffsetCommit, OffsetFetch, OffsetDelete. */
export class OffsetOperations {
  readonly #lookup: GroupLookup
  readonly #config: GroupConfig
  readonly #partitionExists: (topic: string, partition: number) => boolean

  constructor(
    lookup: GroupLookup,
    config: GroupConfig,
    partitionExists: (topic: string, partition: number) => boolean,
  ) {
    this.#lookup = lookup
    this.#config = config
    this.#partitionExists = partitionExists
  }

  async commit(request: OffsetCommitRequest): Promise<MessageInput<typeof OffsetCommitResponse>> {
    const offsets = this.#offsetsOf(request.topics)
    const errors = offsets.length === 0 ? [] : await this.#commit(request, offsets)
    const errorOf = this.#errorsInOrder(offsets, errors)
    const topics = request.topics.map(({ name, topicId, partitions }) => ({
      name,
      topicId,
      partitions: partitions.map(({ partitionIndex }) => ({
        partitionIndex,
        errorCode: errorOf(name, partitionIndex),
      })),
    }))
    return { topics }
  }

  /** Stores offsets as part of a transaction; see {@link decideTransactionalCommit}. */
  async commitInTransaction(
    request: TxnOffsetCommitRequest,
    verify: () => ErrorName,
  ): Promise<MessageInput<typeof TxnOffsetCommitResponse>> {
    const offsets = this.#offsetsOf(request.topics)
    const errors = offsets.length === 0 ? [] : await this.#commitInTransaction(request, offsets, verify)
    const errorOf = this.#errorsInOrder(offsets, errors)
    const topics = request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({
        partitionIndex,
        errorCode: errorOf(name, partitionIndex),
      })),
    }))
    return { topics }
  }

  /** What of a request can be committed: its partitions that exist, in order. */
  #offsetsOf(topics: readonly RequestedTopic[]): CommitOffset[] {
    return topics.flatMap(topic =>
      topic.partitions
        .filter(({ partitionIndex }) => this.#partitionExists(topic.name, partitionIndex))
        .map(partition => commitOffset(topic.name, partition)),
    )
  }

  /** Gives the error of each partition of a request, asked for in the request's order. */
  #errorsInOrder(offsets: readonly CommitOffset[], errors: readonly number[]) {
    let next = 0
    return (topic: string, partition: number): number =>
      this.#isNext(offsets[next], topic, partition)
        ? (errors[next++] ?? ErrorCode.UNKNOWN_SERVER_ERROR)
        : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  }

  #isNext(offset: CommitOffset | undefined, topic: string, partition: number): boolean {
    return offset?.topic === topic && offset.partition === partition
  }

  /** Commits, and gives an error for each of `offsets`. */
  async #commit(request: OffsetCommitRequest, offsets: readonly CommitOffset[]): Promise<number[]> {
    const { groupId, memberId, groupInstanceId, retentionTimeMs } = request
    const generationId = request.generationIdOrMemberEpoch
    const all = (errorCode: number): number[] => offsets.map(() => errorCode)
    const error = this.#lookup.errorOf(groupId, { mayBeEmpty: true })
    if (error !== undefined) return all(ErrorCode[error])
    const shard = this.#lookup.shardOf(groupId)
    // A generation of a group that is not there is an old one. Without, offsets alone make the group.
    const entry = generationId < 0 ? shard.getOrCreate(groupId) : shard.get(groupId)
    if (entry === undefined) return all(ErrorCode.ILLEGAL_GENERATION)
    const decision = decideCommit(
      entry.group,
      { groupId, memberId, groupInstanceId, generationId, retentionTimeMs, offsets },
      { now: shard.context().now, maxMetadataLength: this.#config.maxMetadataLength },
    )
    if (decision.errorCode !== ErrorCode.NONE) return all(decision.errorCode)
    if (decision.resetSession) shard.resetSession(entry, memberId)
    const appendError = await this.#append(entry, groupId, decision.records)
    return decision.offsetErrors.map(offsetError => (offsetError === ErrorCode.NONE ? appendError : offsetError))
  }

  async #commitInTransaction(
    request: TxnOffsetCommitRequest,
    offsets: readonly CommitOffset[],
    verify: () => ErrorName,
  ): Promise<number[]> {
    const { groupId } = request
    const all = (errorCode: number): number[] => offsets.map(() => errorCode)
    const unavailable = this.#lookup.errorOf(groupId, { mayBeEmpty: false })
    if (unavailable !== undefined) return all(ErrorCode[unavailable])
    const refused = verify()
    if (refused !== 'NONE') return all(ErrorCode[refused])
    const shard = this.#lookup.shardOf(groupId)
    const entry = shard.getOrCreate(groupId)
    const decision = decideTransactionalCommit(
      entry.group,
      { ...request, retentionTimeMs: -1, offsets },
      { now: shard.context().now, maxMetadataLength: this.#config.maxMetadataLength },
    )
    if (decision.errorCode !== ErrorCode.NONE) return all(decision.errorCode)
    const appendError = await this.#append(entry, groupId, decision.records, request)
    return decision.offsetErrors.map(offsetError => (offsetError === ErrorCode.NONE ? appendError : offsetError))
  }

  async #append(
    entry: GroupEntry,
    groupId: string,
    records: readonly OffsetCommitRecord[],
    producer?: TransactionalProducer,
  ): Promise<number> {
    if (records.length === 0) return ErrorCode.NONE
    for (const { topic, partition } of records) entry.offsets.beginAppend(topic, partition)
    try {
      await this.#lookup.runtime.append(this.#lookup.partitionFor(groupId), records, producer)
      return ErrorCode.NONE
    } catch (error) {
      return ErrorCode[offsetCommitError(error)]
    } finally {
      for (const { topic, partition } of records) entry.offsets.endAppend(topic, partition)
    }
  }

  fetch(request: OffsetFetchRequest, context: GroupRequestContext): MessageInput<typeof OffsetFetchResponse> {
    return fetchOffsets(request, context.apiVersion, groupId => {
      const error = this.#lookup.errorOf(groupId, { mayBeEmpty: true })
      return error === undefined ? this.#lookup.shardOf(groupId).get(groupId) : ErrorCode[error]
    })
  }

  async delete(request: OffsetDeleteRequest): Promise<MessageInput<typeof OffsetDeleteResponse>> {
    const { groupId } = request
    const error = this.#lookup.errorOf(groupId, { mayBeEmpty: false })
    if (error !== undefined) return { errorCode: ErrorCode[error] }
    const shard = this.#lookup.shardOf(groupId)
    const entry = shard.get(groupId)
    if (entry === undefined || entry.group.state === 'Dead') return { errorCode: ErrorCode.GROUP_ID_NOT_FOUND }
    const { state, protocolType } = entry.group
    if (state !== 'Empty' && protocolType !== CONSUMER_PROTOCOL_TYPE) return { errorCode: ErrorCode.NON_EMPTY_GROUP }
    return this.#delete(shard, entry, request)
  }

  async #delete(
    shard: GroupShard,
    entry: GroupEntry,
    request: OffsetDeleteRequest,
  ): Promise<MessageInput<typeof OffsetDeleteResponse>> {
    const removable: { topic: string; partition: number }[] = []
    const topics = request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => {
        let errorCode: number = ErrorCode.NONE
        if (!this.#partitionExists(name, partitionIndex)) errorCode = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
        else if (isSubscribed(entry, name)) errorCode = ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC
        else removable.push({ topic: name, partition: partitionIndex })
        return { partitionIndex, errorCode }
      }),
    }))
    try {
      await removeOffsets(shard, entry, removable)
    } catch (error) {
      return { errorCode: ErrorCode[offsetCommitError(error)] }
    }
    return { topics }
  }
}

/** To be safe, a group whose subscriptions are not known counts as subscribed to everything. */
function isSubscribed(entry: GroupEntry, topic: string): boolean {
  if (entry.group.state === 'Empty') return false
  return entry.group.subscribedTopics?.has(topic) ?? true
}

/** What OffsetCommit and TxnOffsetCommit say of a topic. */
interface RequestedTopic {
  readonly name: string
  readonly partitions: readonly RequestedOffset[]
}

interface RequestedOffset {
  readonly partitionIndex: number
  readonly committedOffset: number
  readonly committedLeaderEpoch: number
  readonly commitTimestamp?: number
  readonly committedMetadata: string | null
}

function commitOffset(topic: string, partition: RequestedOffset): CommitOffset {
  return {
    topic,
    partition: partition.partitionIndex,
    offset: partition.committedOffset,
    leaderEpoch: partition.committedLeaderEpoch,
    commitTimestamp: partition.commitTimestamp ?? -1,
    metadata: partition.committedMetadata,
  }
}
