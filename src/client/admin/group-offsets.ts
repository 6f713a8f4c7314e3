import { ErrorCode, KafkaError } from '../../protocol/index.ts'
import { OffsetFetchRequest, OffsetFetchResponse } from '../../protocol/messages/09-offset-fetch.ts'
import { OffsetDeleteRequest, OffsetDeleteResponse } from '../../protocol/messages/47-offset-delete.ts'
import { byTopic, commitOffsets, type PartitionOffset, withCoordinator } from '../consumer/offset-requests.ts'
import { comparePartitions, type TopicPartition } from '../consumer/topic-partition.ts'
import { type AdminCall, settle } from './admin-call.ts'
import { nameOf } from './partitions.ts'

const OFFSET_FETCH = { request: OffsetFetchRequest, response: OffsetFetchResponse }
const OFFSET_DELETE = { request: OffsetDeleteRequest, response: OffsetDeleteResponse }

/** The last version of OffsetFetch that goes by the names of topics. */
const LAST_BY_NAME = 9
const FIRST_WITH_GROUPS = 8

/** Everything that a group has committed. */
export function listConsumerGroupOffsets(
  { cluster, patience }: AdminCall,
  groupId: string,
): Promise<PartitionOffset[]> {
  return withCoordinator(cluster, groupId, { what: 'listing offsets', patience }, async broker => {
    const answer = await cluster.request(
      { broker },
      OFFSET_FETCH,
      version => (version >= FIRST_WITH_GROUPS ? { groups: [{ groupId, topics: null }] } : { groupId, topics: null }),
      { maxVersion: LAST_BY_NAME },
    )
    const group = answer.groups[0] ?? answer
    if (group.errorCode !== ErrorCode.NONE) throw KafkaError.fromCode(group.errorCode)
    const offsets: PartitionOffset[] = []
    for (const { name, partitions } of group.topics) {
      for (const { partitionIndex, committedOffset, committedLeaderEpoch, metadata, errorCode } of partitions) {
        if (errorCode !== ErrorCode.NONE) throw KafkaError.fromCode(errorCode)
        if (committedOffset < 0) continue
        const place = { topic: name, partition: partitionIndex }
        offsets.push({ ...place, offset: committedOffset, metadata, leaderEpoch: committedLeaderEpoch })
      }
    }
    return offsets.sort(comparePartitions)
  })
}

/** Commits from outside of the group, which the coordinator allows while it has no members. */
export function alterConsumerGroupOffsets(
  { cluster, patience }: AdminCall,
  groupId: string,
  offsets: readonly PartitionOffset[],
): Promise<void> {
  const outsider = { groupId, generationId: -1, memberId: '', groupInstanceId: null }
  return commitOffsets(cluster, outsider, offsets, patience)
}

export async function deleteConsumerGroupOffsets(
  call: AdminCall,
  groupId: string,
  partitions: readonly TopicPartition[],
): Promise<void> {
  const { cluster, patience } = call
  await settle(call, { what: `deleting offsets of group ${groupId}`, items: partitions, keyOf: nameOf }, left =>
    withCoordinator(cluster, groupId, { what: 'deleting offsets', patience }, async broker => {
      const topics = byTopic(left, ({ partition }) => ({ partitionIndex: partition }))
      const answer = await cluster.request({ broker }, OFFSET_DELETE, { groupId, topics })
      if (answer.errorCode !== ErrorCode.NONE) throw KafkaError.fromCode(answer.errorCode)
      return answer.topics.flatMap(topic =>
        topic.partitions.map(({ partitionIndex, errorCode }) => ({
          key: nameOf({ topic: topic.name, partition: partitionIndex }),
          errorCode,
          result: undefined,
        })),
      )
    }),
  )
}
