import { ErrorCode, errorName, KafkaError } from '../../protocol/index.ts'
import {
  OffsetForLeaderEpochRequest,
  OffsetForLeaderEpochResponse,
} from '../../protocol/messages/23-offset-for-leader-epoch.ts'
import type { Cluster } from '../cluster.ts'
import { grouped } from '../grouped.ts'
import { partitionKey } from '../topic-partition.ts'
import type { AssignedPartition } from './assigned-partition.ts'

const OFFSET_FOR_LEADER_EPOCH = { request: OffsetForLeaderEpochRequest, response: OffsetForLeaderEpochResponse }
/** Before it the question is for brokers alone. */
const FIRST_FOR_CONSUMERS = 3
const UNDEFINED = -1

/** What a leader said about the position of a partition. */
export type Validation<K, V> =
  | { readonly partition: AssignedPartition<K, V>; readonly kind: 'valid' }
  | { readonly partition: AssignedPartition<K, V>; readonly kind: 'lost leader' }
  | { readonly partition: AssignedPartition<K, V>; readonly kind: 'refused'; readonly error: KafkaError }
  /** `until`: up to there it has what was read; undefined where nobody knows. */
  | { readonly partition: AssignedPartition<K, V>; readonly kind: 'truncated'; readonly until: LogEnd | undefined }

/** Where what was read ends in a leader's log, and the epoch of the record before. */
export interface LogEnd {
  readonly offset: number
  readonly epoch: number
}

/**
 * Asks a leader whether its log holds what was read before it became the leader (KIP-320): where the epoch of the last record that was
 * fetched ends. `epochs` are those in which the broker leads.
 * @throws KafkaError when the broker cannot be asked
 */
export async function validatePositions<K, V>(
  cluster: Cluster,
  broker: number,
  asked: readonly { readonly partition: AssignedPartition<K, V>; readonly leaderEpoch: number }[],
): Promise<Validation<K, V>[]> {
  const positions = new Map(
    asked.map(({ partition, leaderEpoch }) => {
      const { fetchOffset, fetchEpoch, generation } = partition
      return [partitionKey(partition), { partition, leaderEpoch, fetchOffset, fetchEpoch, generation }]
    }),
  )
  const topics = Array.from(
    grouped(positions.values(), ({ partition }) => partition.topic),
    ([topic, ofTopic]) => ({
      topic,
      partitions: ofTopic.map(({ partition, leaderEpoch, fetchEpoch }) => ({
        partition: partition.partition,
        currentLeaderEpoch: leaderEpoch,
        leaderEpoch: fetchEpoch,
      })),
    }),
  )
  let answer: OffsetForLeaderEpochResponse
  try {
    answer = await cluster.request({ broker }, OFFSET_FOR_LEADER_EPOCH, version => {
      if (version < FIRST_FOR_CONSUMERS)
        throw new KafkaError('UNSUPPORTED_VERSION', 'the broker is too old to be asked')
      return { replicaId: -1, topics }
    })
  } catch (error) {
    if (!(error instanceof KafkaError && error.code === 'UNSUPPORTED_VERSION')) throw error
    return asked.map(({ partition }) => ({ partition, kind: 'valid' }))
  }
  const validations = answer.topics.flatMap(({ topic, partitions }) =>
    partitions.flatMap(({ partition: number, errorCode, leaderEpoch, endOffset }): Validation<K, V>[] => {
      const key = partitionKey({ topic, partition: number })
      const position = positions.get(key)
      positions.delete(key)
      // Somebody seeked meanwhile: the answer is to another question.
      if (position === undefined || position.generation !== position.partition.generation) return []
      const { partition, fetchOffset } = position
      const error = KafkaError.fromCode(errorCode, `${topic}-${number}: ${errorName(errorCode)}`)
      if (errorCode !== ErrorCode.NONE)
        return [error.retriable ? { partition, kind: 'lost leader' } : { partition, kind: 'refused', error }]
      if (leaderEpoch === UNDEFINED || endOffset === UNDEFINED)
        return [{ partition, kind: 'truncated', until: undefined }]
      return [
        endOffset < fetchOffset
          ? { partition, kind: 'truncated', until: { offset: endOffset, epoch: leaderEpoch } }
          : { partition, kind: 'valid' },
      ]
    }),
  )
  // What nobody spoke of is asked again, after a pause.
  return [
    ...validations,
    ...Array.from(positions.values(), ({ partition }) => ({ partition, kind: 'lost leader' as const })),
  ]
}
