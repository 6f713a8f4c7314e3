import type { ProducerBatch } from './producer-batch.ts'

/** What a producer has done so far. Counters only grow; `bufferBytes` and `waiting` are of the moment. */
export interface ProducerFigures {
  readonly recordsSent: number
  readonly recordsAcknowledged: number
  readonly recordsFailed: number
  readonly batchesSent: number
  /** Bytes of batches as they were sent, compressed. */
  readonly bytesSent: number
  readonly retries: number
  /** Bytes of `buffer.memory` in use. */
  readonly bufferBytes: number
  /** Sends that wait for memory or metadata. */
  readonly waiting: number
}

/** Counts for {@link ProducerFigures}. */
export class ProducerMetrics {
  recordsSent = 0
  recordsAcknowledged = 0
  recordsFailed = 0
  batchesSent = 0
  bytesSent = 0
  retries = 0

  /** A batch leaves, for the first time or again; its records count once. */
  sent(batch: ProducerBatch): void {
    this.batchesSent += 1
    this.bytesSent += batch.bytes.length
    if (batch.attempts === 1) this.recordsSent += batch.recordCount
  }

  done(batch: ProducerBatch, error: Error | undefined): void {
    if (error === undefined) this.recordsAcknowledged += batch.recordCount
    else this.recordsFailed += batch.recordCount
  }
}
