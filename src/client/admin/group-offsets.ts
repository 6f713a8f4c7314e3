import { ErrorCode, KafkaError } from '../../protocol/index.ts'
import { OffsetDeleteRequest, OffsetDeleteResponse } from '../../protocol/messages/47-offset-delete.ts'
import { PARTITION_FIELDS } from '../checked-items.ts'
import { commitOffsets, fetchOffsets, outsider, type PartitionOffset } from '../consumer/offset-requests.ts'
import { byTopic, comparePartitions, type TopicPartition } from '../topic-partition.ts'
import { type AdminCall, type CallOptions, settle } from './admin-call.ts'
import { nameOf, outcomesOf } from './partitions.ts'

const OFFSET_DELETE = { request: OffsetDeleteRequest, response: OffsetDeleteResponse }

export interface ListGroupOffsetsOptions extends CallOptions {
  /** Only of these; of all that the group has committed when left out. */
  readonly partitions?: readonly TopicPartition[]
  /** Waits for transactions that are about to commit offsets (KIP-447, Kafka 2.5). */
  readonly requireStable?: boolean
}

/** What a group has committed. */
export async function listConsumerGroupOffsets(
  { cluster, patience }: AdminCall,
  groupId: string,
  { partitions, requireStable = false }: ListGroupOffsetsOptions,
): Promise<PartitionOffset[]> {
  const which = { partitions: partitions ?? null, isStable: requireStable }
  const offsets = await fetchOffsets(cluster, outsider(groupId), which, patience)
  return offsets.sort(comparePartitions)
}

/** Commits from outside of the group, which the coordinator allows while it has no members. */
export async function alterConsumerGroupOffsets(
  { cluster, patience }: AdminCall,
  groupId: string,
  offsets: readonly PartitionOffset[],
): Promise<void> {
  await commitOffsets(cluster, outsider(groupId), () => offsets, patience)
}

export async function deleteConsumerGroupOffsets(
  call: AdminCall,
  groupId: string,
  partitions: readonly TopicPartition[],
): Promise<void> {
  const { cluster, patience } = call
  await settle(
    call,
    { what: `deleting offsets of group ${groupId}`, items: partitions, keyOf: nameOf, needed: PARTITION_FIELDS },
    left =>
      cluster.withCoordinator(
        'group',
        groupId,
        { what: `deleting offsets of group ${groupId}`, patience },
        async broker => {
          const topics = byTopic(left, ({ partition }) => ({ partitionIndex: partition }))
          const answer = await cluster.request({ broker }, OFFSET_DELETE, { groupId, topics })
          if (answer.errorCode !== ErrorCode.NONE) throw KafkaError.fromCode(answer.errorCode)
          return outcomesOf(answer.topics)
        },
      ),
  )
}
