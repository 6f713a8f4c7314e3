import type { Random, Timer } from '../../platform/index.ts'
import { KafkaError, mostRecordBytes, type RecordPart } from '../../protocol/index.ts'
import type { Cluster } from '../cluster.ts'
import type { PartitionQueue } from './partition-queue.ts'
import type { Partitioner } from './partitioner.ts'
import type { Group, ProducerBatch, Resolve } from './producer-batch.ts'
import type { ProducerSettings } from './producer-settings.ts'
import { headersOf, type ProducerRecord } from './record-input.ts'
import { TopicQueues } from './topic-queues.ts'

/** Turns a key or a value into what a batch takes. */
export type Serialize = (value: unknown, topic: string) => RecordPart

export interface AccumulatorParts {
  readonly cluster: Cluster
  readonly settings: ProducerSettings
  readonly random: Random
  readonly serializeKey: Serialize
  readonly serializeValue: Serialize
  readonly partitioner: Partitioner | undefined
  /** A record was added to this queue. */
  readonly onAdded: (queue: PartitionQueue) => void
  /** Records begin to wait for memory, or no longer do. */
  readonly onFull: (isFull: boolean) => void
  /** A record that waited is given up. */
  readonly onFailed: (error: unknown) => void
}

/** A record that waits for memory, or to hear of its topic. */
interface Pending {
  readonly record: ProducerRecord<unknown, unknown>
  readonly waiter: Resolve | Group
  readonly signal: AbortSignal | undefined
  readonly deadlineMs: number
}

interface Topic {
  readonly queues: TopicQueues
  readonly pending: Pending[]
  isKnown: boolean
}

/**
 * Where records gather until they are sent: a queue of batches for each partition. A record is encoded when it comes, if its topic is
 * known and there is memory; otherwise it waits its turn, so that records of a topic keep the order in which they were sent.
 */
export class RecordAccumulator {
  readonly #parts: AccumulatorParts
  readonly #topics = new Map<string, Topic>()
  #usedBytes = 0
  #pendingCount = 0
  #isFull = false
  readonly #onAdmitted: (() => void)[] = []
  /** Signals of records that wait, with what listens to them and how many records it is for. */
  readonly #signals = new Map<AbortSignal, { count: number; readonly withdraw: () => void }>()
  #timer: Timer | undefined
  #closedBy: Error | undefined

  constructor(parts: AccumulatorParts) {
    this.#parts = parts
  }

  /** Bytes of `buffer.memory` in use. */
  get usedBytes(): number {
    return this.#usedBytes
  }

  /** Records that wait for memory or metadata. */
  get pendingCount(): number {
    return this.#pendingCount
  }

  /** Whether a record given now would have to wait for memory. */
  get isFull(): boolean {
    return this.#usedBytes >= this.#parts.settings.memoryBytes || this.#isFull
  }

  /**
   * Takes a record; `waiter` hears what became of it.
   * @throws what serializing it throws; KafkaError MESSAGE_TOO_LARGE, INVALID_TIMESTAMP, UNKNOWN_TOPIC_OR_PARTITION
   */
  add(name: string, record: ProducerRecord<unknown, unknown>, waiter: Resolve | Group, signal?: AbortSignal): void {
    if (this.#closedBy !== undefined) throw this.#closedBy
    const topic = this.#topics.get(name) ?? this.#open(name)
    if (topic.isKnown && topic.pending.length === 0 && this.#append(topic, record, waiter)) return
    const { clock } = this.#parts.cluster.settings
    const deadlineMs = clock.monotonicMs() + this.#parts.settings.maxBlockMs
    topic.pending.push({ record, waiter, signal, deadlineMs })
    this.#pendingCount += 1
    if (signal !== undefined) this.#heed(signal)
    this.#watch(deadlineMs)
  }

  /** A batch is done: its memory is free. */
  release(batch: ProducerBatch): void {
    this.#usedBytes -= batch.reservedBytes
    if (this.#pendingCount === 0) return
    this.#setFull(false)
    // Who has waited longest comes first, so that no topic takes all that becomes free.
    const firstMs = ({ pending }: Topic): number => pending[0]?.deadlineMs ?? Number.POSITIVE_INFINITY
    for (const topic of [...this.#topics.values()].sort((one, other) => firstMs(one) - firstMs(other))) {
      this.#admit(topic)
      if (this.#isFull) return
    }
  }

  /** Resolves when no record waits: each is in a batch, or has failed. */
  admitted(): Promise<void> {
    if (this.#pendingCount === 0) return Promise.resolve()
    return new Promise(resolve => this.#onAdmitted.push(resolve))
  }

  /** Fails what waits, and takes nothing any more. */
  close(error: Error): void {
    this.#closedBy = error
    this.failPending(error)
    this.#timer?.cancel()
  }

  /** Fails what waits. */
  failPending(error: Error): void {
    for (const topic of this.#topics.values()) this.#failAll(topic, error)
  }

  #open(name: string): Topic {
    const topic: Topic = { queues: new TopicQueues(name, this.#parts), pending: [], isKnown: false }
    this.#topics.set(name, topic)
    const { cluster, settings } = this.#parts
    if (cluster.metadata.topic(name)?.partitions.length) {
      topic.isKnown = true
      return topic
    }
    cluster.topic(name, cluster.patience({ timeoutMs: settings.maxBlockMs })).then(
      () => {
        topic.isKnown = true
        this.#admit(topic)
        if (topic.pending[0] !== undefined) this.#watch(topic.pending[0].deadlineMs)
      },
      error => {
        this.#topics.delete(name)
        this.#failAll(topic, error)
      },
    )
    return topic
  }

  /** Puts a record into a batch. False when there is no memory for it. */
  #append(topic: Topic, record: ProducerRecord<unknown, unknown>, waiter: Resolve | Group): boolean {
    const { settings, cluster, serializeKey, serializeValue } = this.#parts
    const { queues } = topic
    const key = record.key == null ? null : serializeKey(record.key, queues.topic)
    const value = record.value == null ? null : serializeValue(record.value, queues.topic)
    const headers = headersOf(record.headers)
    const bytes = mostRecordBytes(key, value, headers)
    if (bytes > settings.maxRequestBytes || bytes > settings.memoryBytes) throw this.#tooLarge(bytes)
    if (this.#usedBytes + bytes > settings.memoryBytes) {
      this.#setFull(true)
      return false
    }
    const { clock } = cluster.settings
    const timestamp = record.timestamp === undefined ? clock.now() : checkedTimestamp(record.timestamp)
    const queue = queues.queueFor(record, key, value)
    const batch = queue.batchFor(bytes, settings, clock)
    batch.append(timestamp, { key, value, headers }, waiter)
    batch.reservedBytes += bytes
    this.#usedBytes += bytes
    queues.wrote(bytes)
    this.#parts.onAdded(queue)
    return true
  }

  #tooLarge(bytes: number): KafkaError {
    const { maxRequestBytes, memoryBytes } = this.#parts.settings
    const key = bytes > maxRequestBytes ? 'max.request.size' : 'buffer.memory'
    const limit = bytes > maxRequestBytes ? maxRequestBytes : memoryBytes
    return new KafkaError('MESSAGE_TOO_LARGE', `a record of ${bytes} bytes is larger than ${key}, which is ${limit}`)
  }

  /** Lets in, in order, what there is memory for. */
  #admit(topic: Topic): void {
    if (!topic.isKnown) return
    const { pending } = topic
    for (let isBlocked = false; !isBlocked && pending.length > 0; ) {
      let taken = 0
      let failed: { readonly waiter: Resolve | Group; readonly error: unknown } | undefined
      while (!isBlocked && failed === undefined && taken < pending.length) {
        const { record, waiter, signal } = pending[taken]!
        try {
          signal?.throwIfAborted()
          isBlocked = !this.#append(topic, record, waiter)
        } catch (error) {
          failed = { waiter, error }
        }
        if (!isBlocked) taken += 1
      }
      // Taken out before anybody is told, because a failure may end what else waits.
      this.#left(pending.splice(0, taken))
      if (failed !== undefined) this.#fail(failed.waiter, failed.error)
    }
  }

  /** What waits is given up as soon as its signal says so: nobody else should wait for it. */
  #heed(signal: AbortSignal): void {
    const heeded = this.#signals.get(signal)
    if (heeded !== undefined) {
      heeded.count += 1
      return
    }
    // Not within what may be admitting records just now.
    const withdraw = (): void => queueMicrotask(() => this.#withdraw(signal))
    this.#signals.set(signal, { count: 1, withdraw })
    signal.addEventListener('abort', withdraw, { once: true })
  }

  /** One of the records of a signal waits no longer: after the last of them the signal, which may live long, holds nothing of ours. */
  #unheed(signal: AbortSignal): void {
    const heeded = this.#signals.get(signal)
    if (heeded === undefined) return
    heeded.count -= 1
    if (heeded.count > 0) return
    this.#signals.delete(signal)
    signal.removeEventListener('abort', heeded.withdraw)
  }

  #withdraw(signal: AbortSignal): void {
    for (const { pending } of this.#topics.values()) {
      const all = pending.splice(0)
      for (const one of all) if (one.signal !== signal) pending.push(one)
      const given = all.filter(one => one.signal === signal)
      this.#left(given)
      for (const { waiter } of given) this.#fail(waiter, signal.reason)
    }
  }

  #failAll(topic: Topic, error: unknown): void {
    const pending = topic.pending.splice(0)
    this.#left(pending)
    for (const { waiter } of pending) this.#fail(waiter, error)
  }

  /** They wait no longer. */
  #left(leaving: readonly Pending[]): void {
    this.#pendingCount -= leaving.length
    for (const { signal } of leaving) if (signal !== undefined) this.#unheed(signal)
    if (this.#pendingCount > 0) return
    this.#setFull(false)
    for (const resolve of this.#onAdmitted.splice(0)) resolve()
  }

  #setFull(isFull: boolean): void {
    if (isFull === this.#isFull) return
    this.#isFull = isFull
    this.#parts.onFull(isFull)
  }

  /** One timer for all that wait: each has the same time, so the first to come is the first to go. */
  #watch(deadlineMs: number): void {
    if (this.#timer !== undefined) return
    const { clock } = this.#parts.cluster.settings
    this.#timer = clock.schedule(Math.max(1, Math.ceil(deadlineMs - clock.monotonicMs())), () => this.#expire())
  }

  #expire(): void {
    this.#timer = undefined
    const { cluster, settings } = this.#parts
    const nowMs = cluster.settings.clock.monotonicMs()
    let nextMs = Number.POSITIVE_INFINITY
    for (const { pending, isKnown } of this.#topics.values()) {
      // Whoever looks for the topic has the same time, and knows why it was in vain.
      if (!isKnown) continue
      const stays = pending.findIndex(({ deadlineMs }) => deadlineMs > nowMs)
      const late = pending.splice(0, stays < 0 ? pending.length : stays)
      this.#left(late)
      const what = `no memory was free within max.block.ms, which is ${settings.maxBlockMs}`
      const error = new KafkaError('REQUEST_TIMED_OUT', what)
      for (const { waiter } of late) this.#fail(waiter, error)
      if (pending[0] !== undefined) nextMs = Math.min(nextMs, pending[0].deadlineMs)
    }
    if (nextMs < Number.POSITIVE_INFINITY) this.#watch(nextMs)
  }

  #fail(waiter: Resolve | Group, error: unknown): void {
    if (typeof waiter === 'function') waiter(Promise.reject(error))
    else waiter.failed(error instanceof Error ? error : new Error(String(error)), 1)
    this.#parts.onFailed(error)
  }
}

function checkedTimestamp(timestamp: number): number {
  if (Number.isSafeInteger(timestamp) && timestamp >= 0) return timestamp
  const what = `timestamp ${timestamp} is not a time: give whole milliseconds since 1970, or leave it out`
  throw new KafkaError('INVALID_TIMESTAMP', what)
}
