import assert from 'node:assert/strict'
import { addToSequence, type BatchProducer } from '../../protocol/index.ts'

/** Who a producer is to brokers, until it has to become somebody else. */
export interface ProducerIdentity {
  readonly producerId: number
  readonly producerEpoch: number
}

/** A batch as sequences see it. */
export interface SequencedBatch {
  readonly recordCount: number
  /** How often it was sent. */
  readonly attempts: number
  producer: BatchProducer | undefined
  hasBeenReset: boolean
}

const HALF_RING = 2 ** 30

/**
 * Sequences of one partition of an idempotent producer (Java's TxnPartitionEntry). A broker takes batches of a producer only in
 * the order of their sequences, each once; what is kept here is which comes next, which was acknowledged last, and which batches
 * have a sequence and no answer that counts, in order.
 */
export class PartitionSequence {
  identity: ProducerIdentity | undefined
  /** Offset of the last record that was acknowledged; -1 before. */
  lastAckedOffset = -1
  #next = 0
  #lastAcked = -1
  #inFlight: SequencedBatch[] = []
  #unresolvedNext: number | undefined

  /** The oldest batch that has a sequence and no final answer. */
  get first(): SequencedBatch | undefined {
    return this.#inFlight[0]
  }

  /** The broker has acknowledged something under this identity, so that it refuses what is out of order. */
  get isKnown(): boolean {
    return this.#lastAcked >= 0
  }

  /** A batch was given up of which nobody knows whether it is in the log: what follows it may come out of order. */
  get isUnresolved(): boolean {
    return this.#unresolvedNext !== undefined
  }

  /** Gives a batch the next sequence. */
  assign(batch: SequencedBatch): void {
    assert.ok(this.identity, 'a sequence belongs to a producer')
    batch.producer = { baseSequence: this.#next, ...this.identity }
    this.#next = addToSequence(this.#next, batch.recordCount)
    this.#inFlight.push(batch)
  }

  /** Whether the batch follows what was acknowledged last. */
  isNext(batch: SequencedBatch): boolean {
    return batch.producer?.baseSequence === this.#afterLastAcked()
  }

  /** Whether the batch is the first behind those that were given up. */
  isNextUnresolved(batch: SequencedBatch): boolean {
    return batch.producer?.baseSequence === this.#unresolvedNext
  }

  /** A batch is in the log; `baseOffset` -1 where the broker no longer knows where. */
  acknowledged(batch: SequencedBatch, baseOffset: number): void {
    const { producer } = batch
    if (producer === undefined) return
    const last = addToSequence(producer.baseSequence, batch.recordCount - 1)
    if (this.#isCurrent(producer) && (this.#lastAcked < 0 || isLater(last, this.#lastAcked))) this.#lastAcked = last
    if (baseOffset >= 0) this.lastAckedOffset = Math.max(this.lastAckedOffset, baseOffset + batch.recordCount - 1)
    this.#remove(batch)
  }

  /** A batch failed for good and is certainly not in the log: those behind it move up. */
  refused(batch: SequencedBatch): void {
    const { producer } = batch
    if (producer === undefined) return
    const at = this.#remove(batch)
    if (at < 0 || !this.#isCurrent(producer)) return
    this.#next = producer.baseSequence
    for (const later of this.#inFlight.slice(at)) {
      later.producer = { ...producer, baseSequence: this.#next }
      this.#next = addToSequence(this.#next, later.recordCount)
    }
  }

  /** A batch is sent as several with the same records: they share its sequences. */
  split(batch: SequencedBatch, parts: readonly SequencedBatch[]): void {
    const at = this.#inFlight.indexOf(batch)
    if (batch.producer === undefined || at < 0) return
    let { baseSequence } = batch.producer
    for (const part of parts) {
      part.producer = { ...batch.producer, baseSequence }
      part.hasBeenReset = batch.hasBeenReset
      baseSequence = addToSequence(baseSequence, part.recordCount)
    }
    this.#inFlight.splice(at, 1, ...parts)
  }

  /** A batch was given up and may or may not be in the log. */
  lost(batch: SequencedBatch): void {
    const { producer } = batch
    if (producer === undefined) return
    this.#remove(batch)
    if (!this.#isCurrent(producer)) return
    const after = addToSequence(producer.baseSequence, batch.recordCount)
    if (this.#unresolvedNext === undefined || isLater(after, this.#unresolvedNext)) this.#unresolvedNext = after
  }

  /**
   * Whether batches that were given up are known by now to be in the log or not. `'gap'` when they are not: the sequence has to
   * begin again as another producer.
   */
  resolve(): 'resolved' | 'waiting' | 'gap' {
    if (this.#unresolvedNext === undefined) return 'resolved'
    if (this.#inFlight.length > 0) return 'waiting'
    if (this.#afterLastAcked() !== this.#next) return 'gap'
    this.#unresolvedNext = undefined
    return 'resolved'
  }

  /** Begins at 0 as `identity`, with the batches that are not settled in the order they had. */
  startOver(identity: ProducerIdentity): void {
    this.identity = identity
    this.#next = 0
    this.#lastAcked = -1
    this.lastAckedOffset = -1
    this.#unresolvedNext = undefined
    for (const batch of this.#inFlight) {
      batch.producer = { baseSequence: this.#next, ...identity }
      batch.hasBeenReset = true
      this.#next = addToSequence(this.#next, batch.recordCount)
    }
  }

  #afterLastAcked(): number {
    return this.#lastAcked < 0 ? 0 : addToSequence(this.#lastAcked, 1)
  }

  #isCurrent(producer: BatchProducer): boolean {
    return this.identity?.producerId === producer.producerId && this.identity.producerEpoch === producer.producerEpoch
  }

  #remove(batch: SequencedBatch): number {
    const at = this.#inFlight.indexOf(batch)
    if (at >= 0) this.#inFlight.splice(at, 1)
    return at
  }
}

/** Sequences run in a ring: later is what lies less than half of it ahead. */
function isLater(sequence: number, than: number): boolean {
  const ahead = (sequence - than + 2 ** 31) % 2 ** 31
  return ahead > 0 && ahead < HALF_RING
}
