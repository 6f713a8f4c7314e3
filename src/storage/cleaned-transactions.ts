import type { BatchHeader } from '../protocol/index.ts'
import type { AbortedTransaction } from './transaction-index.ts'
import { markerOf } from './transaction-marker.ts'

/** An aborted transaction on whose way the walk is. */
interface OngoingAbort {
  readonly transaction: AbortedTransaction
  /** A batch of it was met. */
  hasBatches: boolean
}

/**
 * Which transaction each batch of a log belongs to, told by walking over the log in order: what an aborted one wrote goes
 * at once, and a marker may go when nothing of its transaction is left (Kafka's CleanedTransactionMetadata).
 */
export class CleanedTransactions {
  /** Those that the walk has not reached, by first offset. */
  readonly #ahead: AbortedTransaction[]
  #next = 0
  readonly #aborted = new Map<number, OngoingAbort>()
  readonly #committed = new Set<number>()

  /** `aborted` are all aborted transactions with records where the walk goes. */
  constructor(aborted: readonly AbortedTransaction[]) {
    this.#ahead = [...aborted].sort((left, right) => left.firstOffset - right.firstOffset)
  }

  /** Steps onto a batch of records; returns whether its transaction was aborted. */
  onBatch(header: BatchHeader): boolean {
    this.#reach(header.lastOffset)
    if (!header.isTransactional) return false
    const aborted = this.#aborted.get(header.producerId)
    if (aborted === undefined) {
      this.#committed.add(header.producerId)
      return false
    }
    aborted.hasBatches = true
    return true
  }

  /**
   * Steps onto a control batch; returns whether nothing of its transaction is left, and the aborted transaction of which
   * readers must still be told.
   */
  onMarker(bytes: Uint8Array, header: BatchHeader): { isEmpty: boolean; aborted?: AbortedTransaction } {
    this.#reach(header.lastOffset)
    // A control batch without its record was cleaned before.
    if (header.recordCount === 0) return { isEmpty: true }
    const marker = markerOf(bytes, header)
    if (marker === undefined) return { isEmpty: false }
    if (marker.result === 'commit') return { isEmpty: !this.#committed.delete(header.producerId) }
    const ended = this.#aborted.get(header.producerId)
    this.#aborted.delete(header.producerId)
    return ended?.hasBatches ? { isEmpty: false, aborted: ended.transaction } : { isEmpty: true }
  }

  #reach(offset: number): void {
    for (; this.#next < this.#ahead.length && this.#ahead[this.#next]!.firstOffset <= offset; this.#next++) {
      const transaction = this.#ahead[this.#next]!
      this.#aborted.set(transaction.producerId, { transaction, hasBatches: false })
    }
  }
}
