import type { BatchHeader } from '../protocol/index.ts'
import { NO_PRODUCER_EPOCH, NO_SEQUENCE } from '../protocol/index.ts'

/** A batch that a producer wrote, as far as a repetition of it must be known again. */
export interface ProducerBatch {
  readonly lastSequence: number
  readonly lastOffset: number
  /** Last offset minus first. */
  readonly offsetDelta: number
  readonly timestamp: number
}

/** So many batches a producer may have in flight, hence so many are remembered. */
export const BATCHES_REMEMBERED = 5

const SEQUENCES = 2 ** 31

/** What a log knows of one idempotent or transactional producer (ProducerStateEntry). */
export class ProducerStateEntry {
  readonly producerId: number
  /** Oldest first. */
  readonly batches: ProducerBatch[] = []
  producerEpoch = NO_PRODUCER_EPOCH
  /** Epoch of the transaction coordinator that wrote the last marker; -1 when none has. */
  coordinatorEpoch = -1
  lastTimestamp = -1
  /** First offset of the transaction under way. */
  currentTxnFirstOffset: number | undefined

  constructor(producerId: number) {
    this.producerId = producerId
  }

  get lastSequence(): number {
    return this.batches.at(-1)?.lastSequence ?? NO_SEQUENCE
  }

  /** The remembered batch that has the same sequences in the same epoch. */
  findDuplicate(header: BatchHeader): ProducerBatch | undefined {
    if (header.producerEpoch !== this.producerEpoch) return undefined
    return this.batches.find(
      batch => batch.lastSequence === header.lastSequence && firstSequence(batch) === header.baseSequence,
    )
  }

  /** A batch of `epoch` is in the log. */
  addBatch(epoch: number, batch: ProducerBatch): void {
    this.updateEpoch(epoch)
    if (this.batches.length === BATCHES_REMEMBERED) this.batches.shift()
    this.batches.push(batch)
    this.lastTimestamp = batch.timestamp
  }

  /** Begins a new epoch, in which sequences begin anew. */
  updateEpoch(epoch: number): void {
    if (this.producerEpoch === epoch) return
    this.batches.length = 0
    this.producerEpoch = epoch
  }
}

/** First sequence of a remembered batch. */
export function firstSequence(batch: ProducerBatch): number {
  return (batch.lastSequence - batch.offsetDelta + SEQUENCES) % SEQUENCES
}

/** Whether `next` follows `last` in the ring of sequences. */
export function isNextSequence(last: number, next: number): boolean {
  return next === last + 1 || (next === 0 && last === SEQUENCES - 1)
}
