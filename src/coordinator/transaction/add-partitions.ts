import type { ErrorName } from '../../protocol/index.ts'
import { hasPartition, NO_PARTITIONS, type PartitionName, withPartitions } from './topic-partitions.ts'
import {
  EPOCH_PER_TRANSACTION,
  isPrepared,
  type ProducerIdentity,
  type Transaction,
  type TransactionDecision,
} from './transaction.ts'

/** Partitions that a transaction gets. */
export interface AddedPartitions extends ProducerIdentity {
  readonly partitions: readonly PartitionName[]
  /** `transaction.version` of the client: 2 where what is written first brings its partition, else 0. */
  readonly clientVersion: number
}

/**
 * AddPartitionsToTxn, AddOffsetsToTxn with the group's partition, and what a client of the second protocol writes first: the
 * transaction goes on, or begins, with these partitions.
 *
 * Errors: `INVALID_PRODUCER_ID_MAPPING`, `PRODUCER_FENCED`, `CONCURRENT_TRANSACTIONS` while the one before is being
 * ended; `NONE` when there is nothing to write.
 */
export function decideAddPartitions(
  current: Transaction | undefined,
  request: AddedPartitions,
  now: number,
): TransactionDecision {
  const { clientVersion } = request
  // Until the end before is everywhere known, the identity that it has brought is not the current one yet.
  const mayBeNext = clientVersion >= EPOCH_PER_TRANSACTION && current !== undefined && isPrepared(current)
  if (mayBeNext) return { error: 'CONCURRENT_TRANSACTIONS' }
  const error = checkProducer(current, request)
  if (error !== 'NONE' || current === undefined) return { error }
  const { state } = current
  if (isPrepared(current)) return { error: 'CONCURRENT_TRANSACTIONS' }
  if (state === 'Ongoing') {
    if (request.partitions.every(name => hasPartition(current.partitions, name))) return { error: 'NONE' }
    const partitions = withPartitions(current.partitions, request.partitions)
    return { next: { ...current, partitions, clientVersion, lastUpdateTimestamp: now } }
  }
  if (state === 'Dead' || state === 'PrepareEpochFence') return { error: 'UNKNOWN_SERVER_ERROR' }
  const partitions = withPartitions(NO_PARTITIONS, request.partitions)
  const begun = { state: 'Ongoing', partitions, clientVersion, startTimestamp: now, lastUpdateTimestamp: now } as const
  return { next: { ...current, ...begun } }
}

/**
 * Whether the producer's transaction holds the partition (KIP-890): NONE, `TRANSACTION_ABORTABLE` when it does not, else
 * as {@link decideAddPartitions}.
 */
export function verifyPartition(
  current: Transaction | undefined,
  producer: ProducerIdentity,
  name: PartitionName,
): ErrorName {
  const error = checkProducer(current, producer)
  if (error !== 'NONE' || current === undefined) return error
  if (isPrepared(current)) return 'CONCURRENT_TRANSACTIONS'
  return hasPartition(current.partitions, name) ? 'NONE' : 'TRANSACTION_ABORTABLE'
}

/** Whether the transactional id is the producer's, in this very epoch (KAFKA-9600). */
export function checkProducer(current: Transaction | undefined, producer: ProducerIdentity): ErrorName {
  if (current === undefined || current.producerId !== producer.producerId) return 'INVALID_PRODUCER_ID_MAPPING'
  return current.producerEpoch === producer.producerEpoch ? 'NONE' : 'PRODUCER_FENCED'
}
