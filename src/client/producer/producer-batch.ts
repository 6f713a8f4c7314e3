import assert from 'node:assert/strict'
import { bufferPool } from '../../platform/index.ts'
import {
  BatchBuilder,
  type BatchEnd,
  type BatchProducer,
  type RecordHeader,
  type RecordPart,
  readBatchHeader,
  recordCursor,
  setBatchProducer,
} from '../../protocol/index.ts'
import type { PartitionQueue } from './partition-queue.ts'
import type { RecordMetadata } from './record-input.ts'

/** Hears what became of records of one `sendBatch`. */
export interface Group {
  /** `count` records went to `partition`, from `offset` on. */
  written(partition: number, offset: number, count: number): void
  failed(error: Error, count: number): void
}

/** The end of a promise of one record; resolving it with a promise that is rejected rejects it. */
export type Resolve = (metadata: RecordMetadata | Promise<never>) => void

/** Where the broker put a batch. */
export interface Written {
  /** -1 when the broker did not say. */
  readonly baseOffset: number
  /** -1 unless the topic stamps records itself. */
  readonly logAppendTimeMs: number
}

/**
 * Records on their way to one partition, encoded as they came. The promises of its records are settled from here, all at once, so
 * that a record costs one promise and nothing else.
 */
export class ProducerBatch {
  readonly queue: PartitionQueue
  /** On the monotonic clock. */
  readonly createdMs: number
  /** Its place among all batches of the partition. */
  readonly ordinal: number
  /** Bytes of `buffer.memory` that are given back when it is done. */
  reservedBytes = 0
  /** How often it was sent. */
  attempts = 0
  /** On the monotonic clock: not to be sent again before. */
  notBeforeMs = 0
  /** Who it is from; undefined until it is first sent, and always for a producer without idempotence. */
  producer: BatchProducer | undefined
  /** Its sequence began anew after the broker had lost what it knew of the producer. */
  hasBeenReset = false
  readonly #builder: BatchBuilder
  #bytes: Buffer | undefined
  #writtenProducer: BatchProducer | undefined
  #isDone = false
  /** From its ordinal to that of the next batch. */
  readonly #step: number
  /** Place of the first record of each waiter, and its timestamp where it is one record. */
  readonly #places: number[] = []
  readonly #timestamps: number[] = []
  readonly #waiters: (Resolve | Group)[] = []
  readonly #listeners: (() => void)[] = []

  constructor(
    queue: PartitionQueue,
    options: {
      readonly capacity: number
      readonly createdMs: number
      readonly ordinal: number
      readonly step?: number
    },
  ) {
    this.#step = options.step ?? 1
    this.queue = queue
    this.createdMs = options.createdMs
    this.ordinal = options.ordinal
    this.#builder = new BatchBuilder(options.capacity)
  }

  get recordCount(): number {
    return this.#builder.recordCount
  }

  /** Bytes of it so far, uncompressed. */
  get sizeBytes(): number {
    return this.#builder.sizeBytes
  }

  /** Nothing can be added any more. */
  get isClosed(): boolean {
    return this.#bytes !== undefined
  }

  /** The batch as it goes over the wire. */
  get bytes(): Buffer {
    assert.ok(this.#bytes, 'a batch is closed before it is sent')
    return this.#bytes
  }

  /** Adds a record and who waits for it. */
  append(timestamp: number, parts: RecordParts, waiter: Resolve | Group): void {
    const place = this.#builder.recordCount
    this.#builder.append(timestamp, parts.key, parts.value, parts.headers)
    const last = this.#waiters.length - 1
    if (typeof waiter !== 'function' && last >= 0 && this.#waiters[last] === waiter) return
    this.#places.push(place)
    this.#timestamps.push(timestamp)
    this.#waiters.push(waiter)
  }

  /**
   * Makes the bytes ready to be sent: compressed, with a header, from {@link producer}. Called before every try, because a batch may
   * have become another producer's meanwhile, which must not touch bytes that a socket still writes.
   */
  seal(end: BatchEnd): void {
    const { producer } = this
    const { isTransactional = false } = end
    // A field stands before the spreads: behind them it would cost each batch a hidden class of its own.
    if (this.#bytes === undefined) this.#bytes = this.#builder.finish({ isTransactional, ...end, ...producer })
    else if (producer !== undefined && producer !== this.#writtenProducer) setBatchProducer(this.#bytes, producer)
    this.#writtenProducer = producer
  }

  /** Whether {@link bytes} are from {@link producer}: it may have become another one while they were on their way. */
  get isStamped(): boolean {
    return this.producer === this.#writtenProducer
  }

  /** Calls `listener` when it is known what became of the batch. */
  onDone(listener: () => void): void {
    if (this.#isDone) listener()
    else this.#listeners.push(listener)
  }

  /** Every record is written: tells everybody where, and gives the memory back. */
  complete({ baseOffset, logAppendTimeMs }: Written): void {
    const { topic, partition } = this.queue
    const waiters = this.#waiters
    for (let index = 0; index < waiters.length; index++) {
      const place = this.#places[index]!
      const offset = baseOffset < 0 ? -1 : baseOffset + place
      const waiter = waiters[index]!
      if (typeof waiter === 'function') {
        const timestamp = logAppendTimeMs < 0 ? this.#timestamps[index]! : logAppendTimeMs
        waiter({ topic, partition, offset, timestamp })
      } else waiter.written(partition, offset, this.#countOf(index))
    }
    // Who answers a request has read it; what was sent before, over a connection that broke, may still lie there.
    if (this.#bytes !== undefined && this.attempts === 1) bufferPool.recycle(this.#bytes)
    this.#settled()
  }

  /** No record is known to be written: everybody hears the same error. */
  fail(error: Error): void {
    for (let index = 0; index < this.#waiters.length; index++) {
      const waiter = this.#waiters[index]!
      if (typeof waiter === 'function') waiter(Promise.reject(error))
      else waiter.failed(error, this.#countOf(index))
    }
    this.#settled()
  }

  /**
   * The same records in two batches, for a broker that found them too many for one; what waits for this one waits for both. They are
   * closed to further records, and sent as this one was.
   */
  split(): [ProducerBatch, ProducerBatch] {
    const half = Math.ceil(this.recordCount / 2)
    const capacity = Math.ceil(this.sizeBytes / 2)
    const step = this.#step / 2
    const { createdMs, queue, attempts } = this
    const parts: [ProducerBatch, ProducerBatch] = [
      new ProducerBatch(queue, { capacity, createdMs, ordinal: this.ordinal, step }),
      new ProducerBatch(queue, { capacity, createdMs, ordinal: this.ordinal + step, step }),
    ]
    const header = readBatchHeader(this.bytes, 0)
    assert.ok(header, 'a batch of our own')
    const cursor = recordCursor(this.bytes, header, { maxBytes: this.sizeBytes })
    for (let place = 0, waiter = 0; cursor.next(); place++) {
      if (this.#places[waiter + 1] === place) waiter++
      const { timestamp, key, value, headers } = cursor
      parts[place < half ? 0 : 1].append(timestamp, { key, value, headers }, this.#waiters[waiter]!)
    }
    const listeners = this.#listeners.splice(0)
    parts[0].onDone(() => {
      for (const listener of listeners) parts[1].onDone(listener)
    })
    for (const part of parts) {
      part.attempts = attempts
      part.reservedBytes = this.reservedBytes / 2
    }
    this.#isDone = true
    return parts
  }

  #countOf(index: number): number {
    return (this.#places[index + 1] ?? this.recordCount) - this.#places[index]!
  }

  #settled(): void {
    assert.ok(!this.#isDone, 'a batch is done once')
    this.#isDone = true
    for (const listener of this.#listeners) listener()
  }
}

/** A record as a batch takes it. */
export interface RecordParts {
  readonly key: RecordPart
  readonly value: RecordPart
  readonly headers: readonly RecordHeader[]
}
