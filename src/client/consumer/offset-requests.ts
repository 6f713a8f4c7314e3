import { ErrorCode, KafkaError } from '../../protocol/index.ts'
import { ListOffsetsRequest, ListOffsetsResponse } from '../../protocol/messages/02-list-offsets.ts'
import { OffsetCommitRequest, OffsetCommitResponse } from '../../protocol/messages/08-offset-commit.ts'
import { OffsetFetchRequest, OffsetFetchResponse } from '../../protocol/messages/09-offset-fetch.ts'
import type { Cluster } from '../cluster.ts'
import type { Patient } from '../deadline.ts'
import { grouped } from '../grouped.ts'
import { partitionKey, type TopicPartition } from './topic-partition.ts'

const LIST_OFFSETS = { request: ListOffsetsRequest, response: ListOffsetsResponse }
const OFFSET_COMMIT = { request: OffsetCommitRequest, response: OffsetCommitResponse }
const OFFSET_FETCH = { request: OffsetFetchRequest, response: OffsetFetchResponse }

/** The last version of OffsetCommit and OffsetFetch that goes by the names of topics. */
const LAST_BY_NAME = 9
const FIRST_WITH_GROUPS = 8
const UNKNOWN_OFFSET = -1

/** Timestamps with a meaning of their own. */
export const Timestamp = { latest: -1, earliest: -2, maximum: -3 } as const

export interface PartitionOffset extends TopicPartition {
  readonly offset: number
  readonly metadata?: string | null
  readonly leaderEpoch?: number
}

/** Which member of which generation commits; -1 and empty from outside of a group. */
export interface Committer {
  readonly groupId: string
  readonly generationId: number
  readonly memberId: string
  readonly groupInstanceId: string | null
}

/** Offset and timestamp of the first record that is not older; offset -1 where there is none. */
export interface FoundOffset extends TopicPartition {
  readonly offset: number
  readonly timestamp: number
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
  let left = [...wanted]
  await cluster.retrying('looking up offsets', patience, async failures => {
    const topics = [...new Set(left.map(({ topic }) => topic))]
    if (failures > 0 || topics.some(topic => cluster.metadata.topic(topic) === undefined)) await cluster.refresh(topics)
    const byLeader = grouped(left, ({ topic, partition }) => cluster.leaderOf(topic, partition).leader)
    const results = await Promise.allSettled(
      Array.from(byLeader, ([broker, partitions]) => listAt(cluster, broker, partitions, isCommitted)),
    )
    const settled = results.flatMap(result => (result.status === 'fulfilled' ? result.value : []))
    const good = settled.filter(({ errorCode }) => errorCode === ErrorCode.NONE)
    found.push(...good)
    const done = new Set(good.map(partitionKey))
    left = left.filter(one => !done.has(partitionKey(one)))
    if (left.length === 0) return
    const bad = settled.find(({ errorCode }) => errorCode !== ErrorCode.NONE)
    if (bad) throw KafkaError.fromCode(bad.errorCode)
    throw results.find(result => result.status === 'rejected')?.reason
  })
  return found
}

async function listAt(
  cluster: Cluster,
  broker: number,
  partitions: readonly (TopicPartition & { readonly timestamp: number })[],
  isCommitted: boolean,
): Promise<(FoundOffset & { errorCode: number })[]> {
  const answer = await cluster.request({ broker }, LIST_OFFSETS, version => ({
    replicaId: -1,
    ...(version >= 2 ? { isolationLevel: isCommitted ? 1 : 0 } : {}),
    topics: byTopic(partitions, ({ partition, timestamp }) => ({ partitionIndex: partition, timestamp })),
  }))
  return answer.topics.flatMap(({ name, partitions: answers }) =>
    answers.map(({ partitionIndex, errorCode, offset, oldStyleOffsets, timestamp }) => ({
      topic: name,
      partition: partitionIndex,
      errorCode,
      offset: oldStyleOffsets[0] ?? offset,
      timestamp,
    })),
  )
}

/**
 * What a group has committed, by `partitionKey`; partitions without an offset are missing.
 * @throws KafkaError GROUP_AUTHORIZATION_FAILED, and what `retrying` throws
 */
export async function fetchCommitted(
  cluster: Cluster,
  groupId: string,
  partitions: readonly TopicPartition[],
  patience: Patient,
): Promise<Map<string, PartitionOffset>> {
  const topics = byTopic(partitions, ({ partition }) => partition).map(({ name, partitions: indexes }) => ({
    name,
    partitionIndexes: indexes,
  }))
  return withCoordinator(cluster, groupId, { what: 'fetching committed offsets', patience }, async broker => {
    const answer = await cluster.request(
      { broker, purpose: 'coordinator' },
      OFFSET_FETCH,
      version => ({
        ...(version >= FIRST_WITH_GROUPS ? { groups: [{ groupId, topics }] } : { groupId, topics }),
        ...(version >= 7 ? { requireStable: true } : {}),
      }),
      { maxVersion: LAST_BY_NAME },
    )
    const group = answer.groups[0] ?? answer
    if (group.errorCode !== ErrorCode.NONE) throw KafkaError.fromCode(group.errorCode)
    const committed = new Map<string, PartitionOffset>()
    for (const { name, partitions: answers } of group.topics) {
      for (const { partitionIndex, errorCode, committedOffset, committedLeaderEpoch, metadata } of answers) {
        if (errorCode !== ErrorCode.NONE) throw KafkaError.fromCode(errorCode)
        if (committedOffset === UNKNOWN_OFFSET) continue
        const place = { topic: name, partition: partitionIndex }
        committed.set(partitionKey(place), {
          ...place,
          offset: committedOffset,
          metadata,
          leaderEpoch: committedLeaderEpoch,
        })
      }
    }
    return committed
  })
}

/**
 * Commits offsets: of the next record that the group is to read.
 * @throws KafkaError REBALANCE_IN_PROGRESS, ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID: the partitions may have gone to
 * another member; and what `retrying` throws
 */
export async function commitOffsets(
  cluster: Cluster,
  committer: Committer,
  offsets: readonly PartitionOffset[],
  patience: Patient,
): Promise<void> {
  const { groupId, generationId, memberId, groupInstanceId } = committer
  for (const { topic, partition, offset } of offsets) {
    if (Number.isSafeInteger(offset) && offset >= 0) continue
    const what = `offset ${offset} of ${topic}-${partition} cannot be committed: give the next one to read, 0 and up`
    throw new KafkaError('INVALID_REQUEST', what)
  }
  await withCoordinator(cluster, groupId, { what: 'committing offsets', patience }, async broker => {
    const answer = await cluster.request(
      { broker, purpose: 'coordinator' },
      OFFSET_COMMIT,
      version => ({
        groupId,
        generationIdOrMemberEpoch: generationId,
        memberId,
        ...(version >= 7 ? { groupInstanceId } : {}),
        topics: byTopic(offsets, ({ partition, offset, metadata, leaderEpoch }) => ({
          partitionIndex: partition,
          committedOffset: offset,
          committedMetadata: metadata ?? '',
          committedLeaderEpoch: leaderEpoch ?? -1,
        })),
      }),
      { maxVersion: LAST_BY_NAME },
    )
    for (const { partitions } of answer.topics) {
      for (const { errorCode } of partitions) if (errorCode !== ErrorCode.NONE) throw commitFailure(errorCode, groupId)
    }
  })
}

/** A commit that a rebalance overtook is not to be tried again: the partition may be another member's by now. */
function commitFailure(errorCode: number, groupId: string): Error {
  const error = KafkaError.fromCode(errorCode)
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

/** Runs `attempt` with the id of a group's coordinator, and looks for the coordinator again where it has moved. */
export function withCoordinator<T>(
  cluster: Cluster,
  groupId: string,
  { what, patience }: { readonly what: string; readonly patience: Patient },
  attempt: (broker: number) => Promise<T>,
): Promise<T> {
  return cluster.retrying(`${what} of group ${groupId}`, patience, async () => {
    const broker = await cluster.coordinatorOf('group', groupId)
    try {
      return await attempt(broker)
    } catch (error) {
      if (error instanceof KafkaError && MOVED.has(error.code)) cluster.coordinatorMoved('group', groupId)
      throw error
    }
  })
}

const MOVED: ReadonlySet<string> = new Set([
  'NOT_COORDINATOR',
  'COORDINATOR_NOT_AVAILABLE',
  'NETWORK_EXCEPTION',
  'REQUEST_TIMED_OUT',
  'BROKER_NOT_AVAILABLE',
])

/** The shape that most requests have: partitions under the names of their topics. */
export function byTopic<P extends TopicPartition, T>(
  partitions: readonly P[],
  shape: (partition: P) => T,
): { name: string; partitions: T[] }[] {
  const topics = grouped(partitions, ({ topic }) => topic)
  return Array.from(topics, ([name, ofTopic]) => ({ name, partitions: ofTopic.map(shape) }))
}
