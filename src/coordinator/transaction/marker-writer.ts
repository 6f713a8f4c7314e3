import type { ErrorName } from '../../protocol/index.ts'
import type { ProducerMarker } from '../runtime/coordinator-runtime.ts'
import type { PartitionName } from './topic-partitions.ts'

/** How a transaction's end gets into the partitions that it wrote to; the broker implements it over its replicas. */
export interface MarkerWriter {
  /**
   * Writes the marker into each partition and resolves, once that is committed, with NONE or the error for each, in their
   * order. In partitions of `__consumer_offsets` the group coordinator has applied it by then. It never rejects.
   */
  write(marker: ProducerMarker, partitions: readonly PartitionName[]): Promise<readonly ErrorName[]>
}

/** What becomes of a partition by the answer to its marker. */
export type MarkerOutcome = 'done' | 'retry' | 'fenced'

/**
 * As Kafka takes the answer: what may pass is tried again, a newer coordinator's or producer's word stands. `exists` says
 * whether the cluster has the partition: one that was deleted has nothing left to end.
 */
export function markerOutcome(error: ErrorName, exists: boolean): MarkerOutcome {
  switch (error) {
    case 'NONE':
    case 'UNSUPPORTED_FOR_MESSAGE_FORMAT':
    case 'UNSUPPORTED_VERSION':
      return 'done'
    case 'INVALID_PRODUCER_EPOCH':
    case 'TRANSACTION_COORDINATOR_FENCED':
      return 'fenced'
    default:
      return exists ? 'retry' : 'done'
  }
}
