import { type BatchHeader, KafkaError, NO_PRODUCER_EPOCH } from '../protocol/index.ts'
import { isNextSequence, type ProducerBatch, ProducerStateEntry } from './producer-state-entry.ts'
import type { AbortedTransaction } from './transaction-index.ts'
import type { TransactionMarker } from './transaction-marker.ts'

/** Who appends, and with it what is checked: `replication` is believed, for its leader has checked. */
export type AppendOrigin = 'client' | 'coordinator' | 'replication'

/** A transaction that is over. */
interface CompletedTransaction {
  readonly firstOffset: number
  readonly lastOffset: number
}

/**
 * What the producers of one log have written: sequences, by which a repeated batch is known and a missing one noticed,
 * and open transactions, which hold back the last stable offset (ProducerStateManager).
 *
 * `check` looks and changes nothing, `update` changes and refuses nothing: a batch is checked before and noted after it
 * is in the log. The same `update` rebuilds the state from the log.
 */
export class ProducerState {
  #producers: Map<number, ProducerStateEntry> | undefined
  /** First offsets of open transactions by producer id, lowest first: they are opened in the order of the log. */
  #open: Map<number, number> | undefined
  /** Ended transactions whose marker is not yet below the high watermark, in the order of their ends. */
  #unreplicated: CompletedTransaction[] = []
  /** The state is that of all batches below. */
  mapEndOffset = 0

  /** Number of producers. */
  get size(): number {
    return this.#producers?.size ?? 0
  }

  /** Producers by id. */
  producers(): Iterable<ProducerStateEntry> {
    return this.#producers?.values() ?? []
  }

  get(producerId: number): ProducerStateEntry | undefined {
    return this.#producers?.get(producerId)
  }

  /** The remembered batch that a client repeats with this one. */
  findDuplicate(header: BatchHeader): ProducerBatch | undefined {
    return this.#producers?.get(header.producerId)?.findDuplicate(header)
  }

  /**
   * Checks a batch of an idempotent producer before it is appended.
   * @throws INVALID_PRODUCER_EPOCH, OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_TXN_STATE, TRANSACTION_COORDINATOR_FENCED
   */
  check(header: BatchHeader, origin: AppendOrigin, marker?: TransactionMarker): void {
    if (origin === 'replication') return
    const entry = this.#producers?.get(header.producerId)
    const { producerEpoch = NO_PRODUCER_EPOCH } = entry ?? {}
    if (header.producerEpoch < producerEpoch) {
      throw new KafkaError(
        'INVALID_PRODUCER_EPOCH',
        `producer ${header.producerId} has epoch ${producerEpoch}, not ${header.producerEpoch}`,
      )
    }
    if (entry === undefined) return
    if (marker !== undefined) {
      if (marker.coordinatorEpoch < entry.coordinatorEpoch) throw new KafkaError('TRANSACTION_COORDINATOR_FENCED')
      return
    }
    if (origin === 'client') checkSequence(entry, header)
    if (entry.currentTxnFirstOffset !== undefined && !header.isTransactional) {
      throw new KafkaError('INVALID_TXN_STATE', `producer ${header.producerId} is in a transaction`)
    }
  }

  /** Notes a batch that is in the log. Returns the transaction that its marker aborted, if it holds such a marker. */
  update(
    header: BatchHeader,
    marker: TransactionMarker | undefined,
    highWatermark: number,
  ): AbortedTransaction | undefined {
    this.mapEndOffset = header.lastOffset + 1
    if (header.producerId < 0) return undefined
    const entry = this.#entry(header.producerId)
    if (header.isControl) return marker && this.#endTransaction(entry, header, marker, highWatermark)
    entry.addBatch(header.producerEpoch, {
      lastSequence: header.lastSequence,
      lastOffset: header.lastOffset,
      offsetDelta: header.lastOffsetDelta,
      timestamp: header.maxTimestamp,
    })
    if (header.isTransactional && entry.currentTxnFirstOffset === undefined) {
      entry.currentTxnFirstOffset = header.baseOffset
      this.#open ??= new Map()
      this.#open.set(header.producerId, header.baseOffset)
    }
    return undefined
  }

  #endTransaction(
    entry: ProducerStateEntry,
    header: BatchHeader,
    marker: TransactionMarker,
    highWatermark: number,
  ): AbortedTransaction | undefined {
    entry.updateEpoch(header.producerEpoch)
    entry.coordinatorEpoch = marker.coordinatorEpoch
    entry.lastTimestamp = header.maxTimestamp
    const firstOffset = entry.currentTxnFirstOffset
    entry.currentTxnFirstOffset = undefined
    if (firstOffset === undefined) return undefined
    const lastOffset = header.lastOffset
    // The last stable offset once this transaction is gone: the first offset of another open one, else behind the marker.
    this.#open?.delete(entry.producerId)
    const lastStableOffset = Math.min(this.#firstOpenOffset() ?? lastOffset + 1, lastOffset + 1)
    if (lastOffset >= highWatermark) this.#unreplicated.push({ firstOffset, lastOffset })
    if (marker.result !== 'abort') return undefined
    return { producerId: entry.producerId, firstOffset, lastOffset, lastStableOffset }
  }

  /** The lowest offset that a reader of committed records may not see yet; undefined when nothing is undecided. */
  firstUnstableOffset(): number | undefined {
    let first = this.#firstOpenOffset()
    for (const { firstOffset } of this.#unreplicated) {
      if (first === undefined || firstOffset < first) first = firstOffset
    }
    return first
  }

  #firstOpenOffset(): number | undefined {
    return this.#open?.values().next().value
  }

  /** Whether nothing is undecided, without looking at each transaction. */
  get isStable(): boolean {
    return this.#unreplicated.length === 0 && (this.#open === undefined || this.#open.size === 0)
  }

  /** Markers below the high watermark are decided for good. */
  highWatermarkMoved(highWatermark: number): void {
    while (this.#unreplicated.length > 0 && this.#unreplicated[0]!.lastOffset < highWatermark)
      this.#unreplicated.shift()
  }

  /** Transactions that ended below `logStartOffset` hold nothing back any more; open ones do, with what is left of them. */
  logStartMoved(logStartOffset: number): void {
    this.#unreplicated = this.#unreplicated.filter(({ lastOffset }) => lastOffset >= logStartOffset)
    this.mapEndOffset = Math.max(this.mapEndOffset, logStartOffset)
  }

  /** Forgets producers that are in no transaction and wrote nothing since `beforeMs`; returns how many. */
  expire(beforeMs: number): number {
    let expired = 0
    for (const [producerId, entry] of this.#producers ?? []) {
      if (entry.currentTxnFirstOffset === undefined && entry.lastTimestamp <= beforeMs) {
        this.#producers!.delete(producerId)
        expired += 1
      }
    }
    return expired
  }

  /** Replaces everything: the state of all batches below `endOffset`. */
  restore(producers: readonly ProducerStateEntry[], endOffset: number): void {
    this.#producers = producers.length === 0 ? undefined : new Map(producers.map(entry => [entry.producerId, entry]))
    this.#open = undefined
    this.#unreplicated = []
    const open = producers.flatMap(({ producerId, currentTxnFirstOffset: first }) =>
      first === undefined ? [] : [[producerId, first] as const],
    )
    if (open.length > 0) this.#open = new Map(open.sort(([, left], [, right]) => left - right))
    this.mapEndOffset = endOffset
  }

  #entry(producerId: number): ProducerStateEntry {
    this.#producers ??= new Map()
    let entry = this.#producers.get(producerId)
    if (entry === undefined) {
      entry = new ProducerStateEntry(producerId)
      this.#producers.set(producerId, entry)
    }
    return entry
  }
}

/** @throws OUT_OF_ORDER_SEQUENCE_NUMBER */
function checkSequence(entry: ProducerStateEntry, header: BatchHeader): void {
  const { producerId, producerEpoch, baseSequence } = header
  if (entry.producerEpoch === NO_PRODUCER_EPOCH) return
  if (producerEpoch !== entry.producerEpoch) {
    if (baseSequence === 0) return
    throw outOfOrder(`producer ${producerId} begins epoch ${producerEpoch} with sequence ${baseSequence}`)
  }
  if (!isNextSequence(entry.lastSequence, baseSequence)) {
    throw outOfOrder(`producer ${producerId} sent sequence ${baseSequence} after ${entry.lastSequence}`)
  }
}

function outOfOrder(message: string): KafkaError {
  return new KafkaError('OUT_OF_ORDER_SEQUENCE_NUMBER', message)
}
