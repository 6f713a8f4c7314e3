import type { ConsumerRecord } from './consumer-record.ts'
import type { Delivery } from './deliveries.ts'

/** What iterators ask of a consumer. */
export interface RecordSource<K, V> {
  /** The next records; waits for some. Undefined when the consumer is closed. @throws what ended the consumer */
  take(): Promise<Delivery<K, V> | undefined>
  /** The same without waiting. */
  takeNow(): Delivery<K, V> | undefined
  reached(delivery: Delivery<K, V>, offset: number): void
  done(delivery: Delivery<K, V>): void
  /** Whether the rest of a delivery may be worked on now. */
  mayGoOn(delivery: Delivery<K, V>): boolean
}

/**
 * Record by record. A record counts as worked on when the next one is asked for, so that what was committed was worked on: at
 * least once. Written by hand, because a generator costs two promises a record.
 */
export class RecordIterator<K, V> implements AsyncIterableIterator<ConsumerRecord<K, V>> {
  readonly #source: RecordSource<K, V>
  #delivery: Delivery<K, V> | undefined
  #index = 0
  #waiting: Promise<void> | undefined
  #isOver = false

  constructor(source: RecordSource<K, V>) {
    this.#source = source
  }

  next(): Promise<IteratorResult<ConsumerRecord<K, V>, undefined>> {
    // Who asks again before he was answered is answered after that.
    if (this.#waiting !== undefined) return this.#waiting.then(() => this.next())
    if (this.#isOver) return Promise.resolve({ done: true, value: undefined })
    const record = this.#step()
    return record === undefined ? this.#waitForOne() : Promise.resolve({ done: false, value: record })
  }

  /** The loop was left, by an error or not: the last record does not count as worked on, and what is waited for is given back. */
  async return(): Promise<IteratorResult<ConsumerRecord<K, V>, undefined>> {
    this.#isOver = true
    this.#finishDelivery()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** The next record of what is in hand, or of what can be had without waiting. */
  #step(): ConsumerRecord<K, V> | undefined {
    this.#finishRecord()
    const current = this.#delivery
    if (current !== undefined && this.#index < current.records.length && this.#source.mayGoOn(current)) {
      return current.records[this.#index]
    }
    this.#finishDelivery()
    this.#delivery = this.#source.takeNow()
    this.#index = 0
    return this.#delivery?.records[0]
  }

  #waitForOne(): Promise<IteratorResult<ConsumerRecord<K, V>, undefined>> {
    const one = this.#wait()
    const isOver = (): void => {
      this.#waiting = undefined
    }
    this.#waiting = one.then(isOver, isOver)
    return one
  }

  async #wait(): Promise<IteratorResult<ConsumerRecord<K, V>, undefined>> {
    this.#delivery = await this.#source.take()
    this.#index = 0
    if (this.#isOver) this.#finishDelivery()
    const first = this.#delivery?.records[0]
    return first === undefined ? { done: true, value: undefined } : { done: false, value: first }
  }

  #finishRecord(): void {
    const current = this.#delivery
    if (current === undefined || this.#index >= current.records.length) return
    this.#index += 1
    const next = current.records[this.#index]
    this.#source.reached(current, next === undefined ? current.nextOffset : next.offset)
  }

  #finishDelivery(): void {
    if (this.#delivery !== undefined) this.#source.done(this.#delivery)
    this.#delivery = undefined
  }
}
