import { ErrorCode, KafkaError } from '../../protocol/index.ts'
import {
  AlterPartitionReassignmentsRequest,
  AlterPartitionReassignmentsResponse,
} from '../../protocol/messages/45-alter-partition-reassignments.ts'
import {
  ListPartitionReassignmentsRequest,
  ListPartitionReassignmentsResponse,
} from '../../protocol/messages/46-list-partition-reassignments.ts'
import { checkedPartitions, PARTITION_FIELDS } from '../checked-items.ts'
import { byTopic, comparePartitions, type TopicPartition } from '../topic-partition.ts'
import { type AdminCall, asked, brokerTimeoutMs, settle } from './admin-call.ts'
import { nameOf, outcomesOf } from './partitions.ts'

const ALTER = { request: AlterPartitionReassignmentsRequest, response: AlterPartitionReassignmentsResponse }
const LIST = { request: ListPartitionReassignmentsRequest, response: ListPartitionReassignmentsResponse }

/** Where a partition is to be. */
export interface NewReassignment extends TopicPartition {
  /** Ids of brokers, the preferred leader first; null gives up the reassignment that is under way. */
  readonly replicas: readonly number[] | null
}

/** A partition on its way from brokers to others. */
export interface PartitionReassignment extends TopicPartition {
  /** All that have it or are to have it. */
  readonly replicas: readonly number[]
  readonly addingReplicas: readonly number[]
  readonly removingReplicas: readonly number[]
}

export async function alterPartitionReassignments(call: AdminCall, wanted: readonly NewReassignment[]): Promise<void> {
  await settle(
    call,
    { what: 'reassigning partitions', items: wanted, keyOf: nameOf, needed: PARTITION_FIELDS },
    async left => {
      const answer = await call.cluster.requestController(ALTER, {
        topics: byTopic(left, ({ partition, replicas }) => ({ partitionIndex: partition, replicas })),
        timeoutMs: brokerTimeoutMs(call),
      })
      if (answer.errorCode !== ErrorCode.NONE) throw KafkaError.fromCode(answer.errorCode, answer.errorMessage)
      return outcomesOf(answer.responses)
    },
  )
}

export async function listPartitionReassignments(
  call: AdminCall,
  of: readonly TopicPartition[] | undefined,
): Promise<PartitionReassignment[]> {
  if (of !== undefined) checkedPartitions('listing reassignments', of)
  const topics =
    of === undefined
      ? null
      : byTopic(of, ({ partition }) => partition).map(({ name, partitions }) => ({
          name,
          partitionIndexes: partitions,
        }))
  const answer = await asked(call, 'listing reassignments', () =>
    call.cluster.requestController(LIST, { topics, timeoutMs: brokerTimeoutMs(call) }),
  )
  return answer.topics
    .flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, replicas, addingReplicas, removingReplicas }) => ({
        topic: name,
        partition: partitionIndex,
        replicas,
        addingReplicas,
        removingReplicas,
      })),
    )
    .sort(comparePartitions)
}
