import { ErrorCode, errorName, KafkaError } from '../../protocol/index.ts'
import { ListOffsetsRequest, ListOffsetsResponse } from '../../protocol/messages/02-list-offsets.ts'
import { OffsetCommitRequest, OffsetCommitResponse } from '../../protocol/messages/08-offset-commit.ts'
import { OffsetFetchRequest, OffsetFetchResponse } from '../../protocol/messages/09-offset-fetch.ts'
import { checkItems, PARTITION_FIELDS } from '../checked-items.ts'
import type { Cluster } from '../cluster.ts'
import type { Patient } from '../deadline.ts'
import { type GroupMetadata, placeIn } from '../group-metadata.ts'
import { grouped } from '../grouped.ts'
import { byTopic, partitionKey, type TopicPartition } from '../topic-partition.ts'

const LIST_OFFSETS = { request: ListOffsetsRequest, response: ListOffsetsResponse }
const OFFSET_COMMIT = { request: OffsetCommitRequest, response: OffsetCommitResponse }
const OFFSET_FETCH = { request: OffsetFetchRequest, response: OffsetFetchResponse }

/** The last version of OffsetCommit and OffsetFetch that goes by the names of topics. */
const LAST_BY_NAME = 9
const FIRST_WITH_GROUPS = 8
/** From this version on OffsetFetch says who asks, and OffsetCommit takes member epochs. */
const FIRST_WITH_MEMBERS = 9
/** From this version of OffsetFetch on it may wait for transactions. */
const FIRST_WITH_STABLE = 7
const UNKNOWN_OFFSET = -1

/** Timestamps with a meaning of their own. */
export const Timestamp = { latest: -1, earliest: -2, maximum: -3, earliestLocal: -4, latestTiered: -5 } as const
/** From which version on ListOffsets knows them (KIP-734, KIP-405, KIP-1005), and from which Kafka on there is that. */
const NEWER_TIMESTAMPS = [
  { timestamp: Timestamp.maximum, version: 7, name: 'max-timestamp', since: '3.0' },
  { timestamp: Timestamp.earliestLocal, version: 8, name: 'earliest-local', since: '3.4' },
  { timestamp: Timestamp.latestTiered, version: 9, name: 'latest-tiered', since: '3.9' },
] as const

/** Partitions as they are asked for the offset at a time. */
export const atTime = (partitions: readonly TopicPartition[], timestamp: number) =>
  partitions.map(one => ({ ...one, timestamp }))

/** Where to go on in a partition. */
export interface OffsetAndEpoch {
  readonly offset: number
  /** Epoch of the leader of the record before; -1, or left out, where that is not known. */
  readonly leaderEpoch?: number
}

export interface PartitionOffset extends TopicPartition, OffsetAndEpoch {
  readonly metadata?: string | null
}

/** Which member of which generation commits; -1 and empty from outside of a group. In a group of the consumer protocol its epoch. */
export interface Committer extends Required<GroupMetadata> {
  /** Of the consumer protocol: the member with its epoch of now; undefined when it was put out of the group since. */
  readonly renewed?: () => Committer | undefined
}

/** Somebody who is no member. */
export function outsider(groupId: string): Committer {
  return placeIn({ groupId })
}

/** Offset and timestamp of the first record that is not older; offset -1 where there is none. */
export interface FoundOffset extends TopicPartition {
  readonly offset: number
  readonly timestamp: number
  /** Leader epoch of the record; -1 where that is not known. */
  readonly leaderEpoch: number
}

/**
 * Looks offsets up by time, each at the partition's leader; by {@link Timestamp} for the ends.
 * @throws KafkaError what `retrying` throws
 */
export async function listOffsets(
  cluster: Cluster,
  wanted: readonly (TopicPartition & { readonly timestamp: number })[],
  { patience, isCommitted }: { readonly patience: Patient; readonly isCommitted: boolean },
): Promise<FoundOffset[]> {
  const found: FoundOffset[] = []
  checkItems('looking up offsets', wanted, { ...PARTITION_FIELDS, timestamp: 'integer' })
  let left = [...wanted]
  await cluster.retrying('looking up offsets', patience, async failures => {
    const topics = [...new Set(left.map(({ topic }) => topic))]
    if (failures > 0 || topics.some(topic => cluster.metadata.topic(topic) === undefined)) await cluster.refresh(topics)
    const byLeader = grouped(left, ({ topic, partition }) => cluster.leaderOf(topic, partition).leader)
    const results = await Promise.allSettled(
      Array.from(byLeader, ([broker, partitions]) => listOffsetsAt(cluster, broker, partitions, isCommitted)),
    )
    const settled = results.flatMap(result => (result.status === 'fulfilled' ? result.value : []))
    const good = settled.filter(({ errorCode }) => errorCode === ErrorCode.NONE)
    found.push(...good)
    const done = new Set(good.map(partitionKey))
    left = left.filter(one => !done.has(partitionKey(one)))
    if (left.length === 0) return
    const bad = settled.find(({ errorCode }) => errorCode !== ErrorCode.NONE)
    if (bad) throw KafkaError.fromCode(bad.errorCode)
    const missed = new KafkaError(
      'UNKNOWN_SERVER_ERROR',
      `a broker said nothing about ${left.map(partitionKey).join(', ')}`,
    )
    throw results.find(result => result.status === 'rejected')?.reason ?? missed
  })
  return found
}

/** Offsets by time, as one leader answers. @throws UNSUPPORTED_VERSION where it is too old for one of {@link Timestamp} */
export async function listOffsetsAt(
  cluster: Cluster,
  broker: number,
  partitions: readonly (TopicPartition & { readonly timestamp: number })[],
  isCommitted: boolean,
): Promise<(FoundOffset & { readonly errorCode: number })[]> {
  const answer = await cluster.request({ broker }, LIST_OFFSETS, version => {
    for (const { timestamp, version: first, name, since } of NEWER_TIMESTAMPS) {
      if (version < first && partitions.some(one => one.timestamp === timestamp))
        throw new KafkaError('UNSUPPORTED_VERSION', `the broker is too old for ${name} (before ${since})`)
    }
    return {
      replicaId: -1,
      ...(version >= 2 ? { isolationLevel: isCommitted ? 1 : 0 } : {}),
      topics: byTopic(partitions, ({ partition, timestamp }) => ({ partitionIndex: partition, timestamp })),
    }
  })
  return answer.topics.flatMap(({ name, partitions: answers }) =>
    answers.map(({ partitionIndex, errorCode, offset, oldStyleOffsets, timestamp, leaderEpoch }) => ({
      topic: name,
      partition: partitionIndex,
      errorCode,
      offset: oldStyleOffsets[0] ?? offset,
      timestamp,
      leaderEpoch,
    })),
  )
}

/**
 * What a group has committed for partitions, or for all that it has committed (null); partitions without an offset are missing.
 * `isStable` waits for offsets that an open transaction holds (KIP-447).
 * @throws KafkaError GROUP_AUTHORIZATION_FAILED, and what `retrying` throws
 */
export function fetchOffsets(
  cluster: Cluster,
  reader: Committer,
  { partitions, isStable }: { readonly partitions: readonly TopicPartition[] | null; readonly isStable: boolean },
  patience: Patient,
): Promise<PartitionOffset[]> {
  const { groupId } = reader
  if (partitions !== null) checkItems('fetching committed offsets', partitions, PARTITION_FIELDS)
  const topics =
    partitions &&
    byTopic(partitions, ({ partition }) => partition).map(({ name, partitions: numbers }) => ({
      name,
      partitionIndexes: numbers,
    }))
  const what = `fetching committed offsets of group ${groupId}`
  let member = reader
  return cluster.withCoordinator('group', groupId, { what, patience }, async broker => {
    const answer = await cluster.request(
      { broker, purpose: 'coordinator' },
      OFFSET_FETCH,
      version => ({
        ...(version >= FIRST_WITH_GROUPS
          ? { groups: [{ groupId, topics, ...(version >= FIRST_WITH_MEMBERS ? memberOf(member) : {}) }] }
          : { groupId, topics }),
        ...(version >= FIRST_WITH_STABLE ? { requireStable: isStable } : {}),
      }),
      { maxVersion: LAST_BY_NAME },
    )
    const group = answer.groups[0] ?? answer
    const refusal = errorName(group.errorCode)
    if (refusal === 'STALE_MEMBER_EPOCH' || (refusal === 'UNKNOWN_MEMBER_ID' && member.renewed)) {
      member = renewed(member, KafkaError.fromCode(group.errorCode))
      throw new StaleEpoch(groupId)
    }
    if (group.errorCode !== ErrorCode.NONE) throw KafkaError.fromCode(group.errorCode)
    const committed: PartitionOffset[] = []
    for (const { name: topic, partitions: answers } of group.topics) {
      for (const { partitionIndex: partition, errorCode, committedOffset, committedLeaderEpoch, metadata } of answers) {
        if (errorCode !== ErrorCode.NONE) throw KafkaError.fromCode(errorCode)
        if (committedOffset === UNKNOWN_OFFSET) continue
        committed.push({ topic, partition, offset: committedOffset, metadata, leaderEpoch: committedLeaderEpoch })
      }
    }
    return committed
  })
}

/** What a group has committed for partitions, by `partitionKey`, settled by every transaction. See {@link fetchOffsets}. */
export async function fetchCommitted(
  cluster: Cluster,
  reader: Committer,
  partitions: readonly TopicPartition[],
  patience: Patient,
): Promise<Map<string, PartitionOffset>> {
  const committed = await fetchOffsets(cluster, reader, { partitions, isStable: true }, patience)
  return new Map(committed.map(one => [partitionKey(one), one]))
}

/**
 * Commits offsets, of the next record that the group is to read: those that `offsetsNow` gives when it is asked, at each try anew.
 * Resolves to those that were committed.
 * @throws KafkaError REBALANCE_IN_PROGRESS, ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID: the partitions may have gone to
 * another member; and what `retrying` throws
 */
export async function commitOffsets(
  cluster: Cluster,
  committer: Committer,
  offsetsNow: () => readonly PartitionOffset[],
  patience: Patient,
): Promise<readonly PartitionOffset[]> {
  const { groupId, memberId, groupInstanceId } = committer
  let member = committer
  checkOffsets(offsetsNow())
  return cluster.withCoordinator(
    'group',
    groupId,
    { what: `committing offsets of group ${groupId}`, patience },
    async broker => {
      const offsets = offsetsNow()
      const answer = await cluster.request(
        { broker, purpose: 'coordinator' },
        OFFSET_COMMIT,
        version => ({
          groupId,
          generationIdOrMemberEpoch: member.generationId,
          memberId,
          ...(version >= 7 ? { groupInstanceId } : {}),
          topics: byTopic(offsets, ({ partition, offset, metadata, leaderEpoch }) => ({
            partitionIndex: partition,
            committedOffset: offset,
            committedMetadata: metadata ?? '',
            committedLeaderEpoch: leaderEpoch ?? -1,
          })),
        }),
        { maxVersion: LAST_BY_NAME, patience },
      )
      for (const { partitions } of answer.topics) {
        for (const { errorCode } of partitions) {
          if (errorCode === ErrorCode.NONE) continue
          if (errorCode === ErrorCode.STALE_MEMBER_EPOCH) member = renewed(member, KafkaError.fromCode(errorCode))
          throw commitFailure(errorCode, groupId)
        }
      }
      return offsets
    },
  )
}

/** @throws KafkaError INVALID_REQUEST for what is no offset */
function checkOffsets(offsets: readonly PartitionOffset[]): void {
  checkItems('committing offsets', offsets, PARTITION_FIELDS)
  for (const { topic, partition, offset } of offsets) {
    if (Number.isSafeInteger(offset) && offset >= 0) continue
    const what = `offset ${offset} of ${topic}-${partition} cannot be committed: give the next one to read, 0 and up`
    throw new KafkaError('INVALID_REQUEST', what)
  }
}

/** A commit that a rebalance overtook is not to be tried again: the partition may be another member's by now. */
function commitFailure(errorCode: number, groupId: string): Error {
  const error = KafkaError.fromCode(errorCode)
  if (error.code === 'STALE_MEMBER_EPOCH') return new StaleEpoch(groupId)
  if (error.code !== 'REBALANCE_IN_PROGRESS') return error
  return new CommitOvertaken(`the group ${groupId} rebalances: commit again when it is over`)
}

/** REBALANCE_IN_PROGRESS as an answer to a commit, which is not tried again as it stands. */
class CommitOvertaken extends KafkaError {
  override readonly retriable: boolean = false

  constructor(message: string) {
    super('REBALANCE_IN_PROGRESS', message)
  }
}

/** The coordinator is at a later epoch, which the answer to a heartbeat under way tells: worth another try. */
class StaleEpoch extends KafkaError {
  override readonly retriable: boolean = true

  constructor(groupId: string) {
    super('STALE_MEMBER_EPOCH', `the epoch of this member of group ${groupId} is out of date`)
  }
}

/** The member with its epoch of now. @throws `refusal` when it is in the group no more, and has nothing to say of its partitions */
function renewed(member: Committer, refusal: KafkaError): Committer {
  const now = member.renewed?.()
  if (now === undefined) throw refusal
  return now
}

/** How a member of the consumer protocol names itself, so that it is not told what another has committed since. */
function memberOf({ memberId, generationId, renewed: isMember }: Committer) {
  return isMember !== undefined && generationId > 0 ? { memberId, memberEpoch: generationId } : {}
}

/** @throws KafkaError INVALID_REQUEST for what is no offset of a record, or no epoch, where no compiler looks */
export function checkedPosition(given: number | OffsetAndEpoch): Required<OffsetAndEpoch> {
  const { offset, leaderEpoch = -1 } = typeof given === 'object' && given !== null ? given : { offset: given }
  if (!(Number.isSafeInteger(offset) && offset >= 0))
    throw new KafkaError('INVALID_REQUEST', `${String(offset)} is not an offset: give a whole number, 0 and up`)
  if (Number.isSafeInteger(leaderEpoch) && leaderEpoch >= -1) return { offset, leaderEpoch }
  const what = `leaderEpoch ${String(leaderEpoch)} is none: give a whole number, 0 and up, or leave it out`
  throw new KafkaError('INVALID_REQUEST', what)
}
