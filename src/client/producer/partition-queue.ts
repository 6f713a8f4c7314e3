import type { Clock } from '../../platform/index.ts'
import { PartitionSequence } from './partition-sequence.ts'
import { ProducerBatch } from './producer-batch.ts'
import type { ProducerSettings } from './producer-settings.ts'

/** Memory that a batch begins with; it doubles from there, so a producer to many partitions stays small. */
const FIRST_BYTES = 1024

/** How large batches may become, in bytes, and how many may be on their way. */
export type BatchLimits = Pick<ProducerSettings, 'batchBytes' | 'mostBatchBytes' | 'maxInFlight'>

/** What waits to be sent to one partition, the oldest batch first, and what is on its way. */
export class PartitionQueue {
  readonly topic: string
  readonly partition: number
  readonly sequence = new PartitionSequence()
  /** Batches that wait; those that are to be sent again come first. */
  readonly waiting: ProducerBatch[] = []
  /** Batches that were sent and not answered. */
  inFlight = 0
  /** Bytes that the last full batch needed: the next one is likely to need as many. */
  #likelyBytes = FIRST_BYTES
  /** What the topic takes, as far as it has refused anything. */
  #acceptedBytes = Number.POSITIVE_INFINITY
  #nextOrdinal = 0

  constructor(topic: string, partition: number) {
    this.topic = topic
    this.partition = partition
  }

  /**
   * The batch that a record of `bytes` goes into: the last one if it has room, otherwise a new one. A batch that could not be sent now
   * anyway, because as many as may be on their way go before it, takes more than the others: one large request costs less than many.
   */
  batchFor(bytes: number, limits: BatchLimits, clock: Clock): ProducerBatch {
    const last = this.waiting.at(-1)
    if (last !== undefined && !last.isClosed && last.attempts === 0) {
      const canBeSent = this.waiting.length + this.inFlight < limits.maxInFlight
      const mostBytes = Math.min(canBeSent ? limits.batchBytes : limits.mostBatchBytes, this.#acceptedBytes)
      if (last.sizeBytes + bytes <= mostBytes) return last
    }
    if (last !== undefined) this.#likelyBytes = last.sizeBytes
    const batch = new ProducerBatch(this, {
      // What grew because it had to wait says nothing of the next, and there may be thousands of partitions.
      capacity: Math.min(this.#likelyBytes, Math.max(FIRST_BYTES, limits.batchBytes)),
      createdMs: clock.monotonicMs(),
      ordinal: this.#nextOrdinal++,
    })
    this.waiting.push(batch)
    return batch
  }

  /** Takes the oldest batch out. */
  take(): ProducerBatch {
    const batch = this.waiting.shift()
    if (batch === undefined) throw new RangeError(`nothing waits for ${this.topic}-${this.partition}`)
    this.#likelyBytes = Math.max(FIRST_BYTES, batch.sizeBytes)
    return batch
  }

  /** The topic does not take batches as large as this one: those that come will be smaller. */
  refusedAsTooLarge(batch: ProducerBatch): void {
    this.#acceptedBytes = Math.min(this.#acceptedBytes, Math.ceil(batch.sizeBytes / 2))
  }

  /** Puts a batch back that has to be sent again: before whatever came after it. */
  putBack(batch: ProducerBatch): void {
    let at = 0
    while (at < this.waiting.length && this.waiting[at]!.ordinal < batch.ordinal) at++
    this.waiting.splice(at, 0, batch)
  }
}
