import { ErrorCode, type MessageInput } from '../../protocol/index.ts'
import type { OffsetFetchRequest, OffsetFetchResponse } from '../../protocol/messages/09-offset-fetch.ts'
import type { GroupOffsets } from './group-offsets.ts'
import type { GroupEntry } from './group-shard.ts'

type Response = MessageInput<typeof OffsetFetchResponse>
type RequestedTopic = OffsetFetchRequest['groups'][number]['topics'] extends readonly (infer T)[] | null ? T : never

interface FetchedTopic {
  readonly name: string
  readonly topicId?: string
  readonly partitions: readonly FetchedOffset[]
}

interface FetchedOffset {
  readonly partitionIndex: number
  readonly committedOffset: number
  readonly committedLeaderEpoch: number
  readonly metadata: string
  readonly errorCode: number
}

/** Offset of a partition that has none. */
const NO_OFFSET = -1

/**
 * OffsetFetch: what the groups have committed, whatever state they are in. `find` gives a group, nothing where it does
 * not exist, or the code of the error why it cannot be asked. Versions below 8 ask for one group, versions below 2
 * have no place for an error but the partitions.
 */
export function fetchOffsets(
  request: OffsetFetchRequest,
  apiVersion: number,
  find: (groupId: string) => GroupEntry | number | undefined,
): Response {
  const fetchGroup = (groupId: string, topics: readonly RequestedTopic[] | null) => {
    const found = find(groupId)
    if (typeof found === 'number') return { groupId, errorCode: found, topics: [] }
    const offsets = found?.group.state === 'Dead' ? undefined : found?.offsets
    return { groupId, errorCode: ErrorCode.NONE, topics: fetchTopics(offsets, topics, request.requireStable) }
  }
  if (apiVersion >= 8) return { groups: request.groups.map(({ groupId, topics }) => fetchGroup(groupId, topics)) }
  const requested = request.topics?.map(topic => ({ ...topic, topicId: '' })) ?? null
  const group = fetchGroup(request.groupId, requested)
  if (apiVersion < 2 && group.errorCode !== ErrorCode.NONE) {
    return { topics: (requested ?? []).map(topic => failedTopic(topic, group.errorCode)) }
  }
  return { errorCode: group.errorCode, topics: apiVersion === 0 ? group.topics.map(asVersion0) : group.topics }
}

/** Version 0 tells a partition without an offset from one at its start by an error. */
function asVersion0(topic: FetchedTopic): FetchedTopic {
  const partitions = topic.partitions.map(partition =>
    partition.committedOffset === NO_OFFSET && partition.errorCode === ErrorCode.NONE
      ? { ...partition, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }
      : partition,
  )
  return { ...topic, partitions }
}

function fetchTopics(
  offsets: GroupOffsets | undefined,
  topics: readonly RequestedTopic[] | null,
  requireStable: boolean,
): FetchedTopic[] {
  if (topics !== null) {
    return topics.map(({ name, topicId, partitionIndexes }) => ({
      name,
      topicId,
      partitions: partitionIndexes.map(partition => fetchOffset(offsets, { topic: name, partition, requireStable })),
    }))
  }
  if (offsets === undefined) return []
  return Array.from(offsets.topics(), name => ({
    name,
    partitions: Array.from(offsets.partitions(name).keys(), partition =>
      fetchOffset(offsets, { topic: name, partition, requireStable }),
    ),
  }))
}

function fetchOffset(
  offsets: GroupOffsets | undefined,
  of: { readonly topic: string; readonly partition: number; readonly requireStable: boolean },
): FetchedOffset {
  const { topic, partition, requireStable } = of
  if (requireStable && offsets?.isUnstable(topic, partition)) {
    return noOffset(partition, ErrorCode.UNSTABLE_OFFSET_COMMIT)
  }
  const committed = offsets?.get(topic, partition)
  if (committed === undefined) return noOffset(partition, ErrorCode.NONE)
  return {
    partitionIndex: partition,
    committedOffset: committed.offset,
    committedLeaderEpoch: committed.leaderEpoch,
    metadata: committed.metadata,
    errorCode: ErrorCode.NONE,
  }
}

function noOffset(partitionIndex: number, errorCode: number): FetchedOffset {
  return { partitionIndex, committedOffset: NO_OFFSET, committedLeaderEpoch: -1, metadata: '', errorCode }
}

function failedTopic({ name, partitionIndexes }: RequestedTopic, errorCode: number): FetchedTopic {
  return { name, partitions: partitionIndexes.map(partition => noOffset(partition, errorCode)) }
}
