import type { Writable } from 'node:stream'
import { ConfigError, kindOf } from '../../config/index.ts'
import { KafkaError, type RecordPart } from '../../protocol/index.ts'
import { abortable, endOf } from '../abortable.ts'
import { checkedOptions, checkItems, checkName } from '../checked-items.ts'
import { type ClientParts, type ConfigInput, checkedSettings, clusterSettings, readOptions } from '../client-options.ts'
import { Cluster } from '../cluster.ts'
import type { PartitionInfo } from '../cluster-metadata.ts'
import type { PartitionOffset } from '../consumer/offset-requests.ts'
import { inTime } from '../deadline.ts'
import type { GroupMetadata } from '../group-metadata.ts'
import { checkedBytes, checkSerde, type Serde, string } from '../serializers.ts'
import { partitionsOf } from '../topic-questions.ts'
import { Idempotence } from './idempotence.ts'
import { Identification } from './identify.ts'
import { asPartitioner, type PartitionChoice, type Partitioner, partitionerOf } from './partitioner.ts'
import type { ProducerBatch, Resolve } from './producer-batch.ts'
import { producerConfig, type producerKeys } from './producer-config.ts'
import { type ProducerFigures, ProducerMetrics } from './producer-metrics.ts'
import { type ProducerSettings, producerSettings } from './producer-settings.ts'
import { producerWritable } from './producer-writable.ts'
import { RecordAccumulator, type Serialize } from './record-accumulator.ts'
import {
  type BatchMetadata,
  checkEmptyRecord,
  type ProducerRecord,
  plainRecord,
  type Raw,
  type RecordMetadata,
  type TopicRecord,
} from './record-input.ts'
import { SendGroup } from './send-group.ts'
import { Sender } from './sender.ts'
import { Transactions } from './transactions.ts'

/** Sees records before they are sent and what became of them (Java's ProducerInterceptor). */
export interface ProducerInterceptor<K = Raw, V = Raw> {
  /** May return another record, which the next interceptor gets. What it throws is the failure of the send. */
  onSend?(record: TopicRecord<K, V>): TopicRecord<K, V>
  /**
   * Told once for each record that its `onSend` returned: `record` is that very object, whatever later interceptors made of it, and
   * `metadata` undefined where the send failed. What it throws is logged and has no effect.
   */
  onAcknowledgement?(record: TopicRecord<K, V>, metadata: RecordMetadata | undefined, error: Error | undefined): void
}

/** Options of a producer beside its settings. */
export interface ProducerParts<K, V> extends ClientParts {
  /** How keys become bytes; without it keys are texts or bytes. */
  readonly key?: Pick<Serde<K>, 'serialize'>
  /** How values become bytes; without it values are texts or bytes. */
  readonly value?: Pick<Serde<V>, 'serialize'>
  /** Chooses partitions in place of `partitioner.class`. */
  readonly partitioner?: Partitioner | ((choice: PartitionChoice) => number)
  /** Called in this order for each record. */
  readonly interceptors?: readonly ProducerInterceptor<K, V>[]
}

/** What a producer is made from: settings by Java's names or in camelCase, and {@link ProducerParts}. */
export type ProducerOptions<K = Raw, V = Raw> = ConfigInput<typeof producerKeys> & ProducerParts<K, V>

/** How one call waits. */
export interface SendOptions {
  /**
   * Gives up waiting with the signal's reason. A record that is in a batch already may be written all the same; with a signal that is
   * aborted before the call none is taken.
   */
  readonly signal?: AbortSignal
}

/**
 * Writes records to a Kafka cluster. Records of a partition are written in the order of the calls and, as long as the settings
 * leave idempotence on, each once. Nothing is connected before the first record.
 *
 * ```ts
 * await using producer = new Producer({ bootstrapServers: 'localhost:9092', value: json<Order>() })
 * const { partition, offset } = await producer.send('orders', { key: 'u1', value: order })
 * ```
 */
export class Producer<K = Raw, V = Raw> implements AsyncDisposable {
  readonly #settings: ProducerSettings
  readonly #cluster: Cluster
  readonly #accumulator: RecordAccumulator
  readonly #sender: Sender
  readonly #metrics = new ProducerMetrics()
  readonly #interceptors: readonly ProducerInterceptor<K, V>[]
  readonly #incomplete = new Set<ProducerBatch>()
  #transactions: Transactions | undefined
  #closing: Promise<void> | undefined

  /** @throws ConfigError that names the key at fault */
  constructor(options: ProducerOptions<K, V>) {
    const { key, value, partitioner, interceptors = [], ...input } = checkedSettings(options)
    const { config, parts } = readOptions(producerConfig, input)
    const settings = producerSettings(config)
    this.#settings = settings
    this.#interceptors = checkedInterceptors(interceptors)
    const cluster = new Cluster(clusterSettings(config, parts, config.get('allow.auto.create.topics')))
    this.#cluster = cluster
    const { random } = cluster.settings
    const idempotence = settings.isIdempotent ? new Idempotence(settings.transactionalId !== null) : undefined
    const identification =
      idempotence && settings.transactionalId === null ? new Identification(cluster, idempotence) : undefined
    this.#accumulator = new RecordAccumulator({
      cluster,
      settings,
      random,
      serializeKey: serializeWith('key', key),
      serializeValue: serializeWith('value', value),
      partitioner: partitioner === undefined ? partitionerOf(settings.partitioner, random) : asPartitioner(partitioner),
      onAdded: queue => {
        const batch = queue.waiting.at(-1)
        if (batch !== undefined && batch.recordCount === 1) this.#incomplete.add(batch)
        this.#sender.activate(queue)
      },
      onFull: isFull => {
        this.#sender.urgency += isFull ? 1 : -1
        if (isFull) this.#sender.wake()
      },
      onFailed: error => this.#transactions?.recordFailed(error),
    })
    this.#sender = new Sender({
      cluster,
      settings,
      metrics: this.#metrics,
      logger: cluster.settings.logger,
      idempotence,
      identify: () =>
        identification?.start(
          () => this.#sender.wake(),
          error => this.#abandon(error),
        ),
      isAllowed: queue => this.#transactions?.isAllowed(queue) ?? true,
      maxProduceVersion: () => this.#transactions?.maxProduceVersion,
      onSplit: (batch, parts) => {
        this.#incomplete.delete(batch)
        for (const part of parts) this.#incomplete.add(part)
      },
      onDone: (batch, error) => {
        this.#incomplete.delete(batch)
        if (error !== undefined) this.#transactions?.batchFailed(batch, error)
        this.#metrics.done(batch, error)
        this.#accumulator.release(batch)
      },
    })
    if (idempotence !== undefined && settings.transactionalId !== null) {
      this.#transactions = new Transactions({
        cluster,
        idempotence,
        transactionalId: settings.transactionalId,
        timeoutMs: settings.transactionTimeoutMs,
        maxBlockMs: settings.maxBlockMs,
        wake: () => this.#sender.wake(),
        dropUnsent: error => {
          this.#accumulator.failPending(error)
          this.#sender.failUnsent(error)
        },
        flush: signal => this.flush(signal && { signal }),
        onFatal: error => this.#abandon(error),
      })
    }
  }

  /** What has been done so far. */
  get metrics(): ProducerFigures {
    const { recordsSent, recordsAcknowledged, recordsFailed, batchesSent, bytesSent, retries } = this.#metrics
    const { usedBytes, pendingCount } = this.#accumulator
    const counters = { recordsSent, recordsAcknowledged, recordsFailed, batchesSent, bytesSent, retries }
    return { ...counters, bufferBytes: usedBytes, waiting: pendingCount }
  }

  /** Whether a record given now would wait for `buffer.memory`: whoever can should pause. */
  get isFull(): boolean {
    return this.#accumulator.isFull
  }

  /** Connects and learns of the cluster, and of `topics`, so that the first send is as fast as the others. */
  async connect(topics: readonly string[] = [], options: SendOptions = {}): Promise<void> {
    const { signal } = checkedOptions(options)
    checkItems('connect()', topics, 'text')
    const patience = this.#cluster.patience({ timeoutMs: this.#settings.maxBlockMs, signal })
    await this.#cluster.retrying('connecting', patience, () => this.#cluster.refresh())
    for (const topic of topics) await this.#cluster.topic(topic, patience)
  }

  /**
   * The partitions of a topic. Creates it as {@link send} does, and waits for it up to `max.block.ms`.
   * @throws UNKNOWN_TOPIC_OR_PARTITION where that is not allowed, TOPIC_AUTHORIZATION_FAILED; the signal's reason
   */
  async partitionsFor(topic: string, options: SendOptions = {}): Promise<readonly PartitionInfo[]> {
    const { signal } = checkedOptions(options)
    const patience = this.#cluster.patience({ timeoutMs: this.#settings.maxBlockMs, signal })
    return partitionsOf(this.#cluster, topic, patience)
  }

  /**
   * Sends a record and resolves when it has been acknowledged as `acks` asks. Waits up to `max.block.ms` for memory and metadata.
   *
   * @throws KafkaError with the broker's code; MESSAGE_TOO_LARGE, INVALID_TIMESTAMP, UNKNOWN_TOPIC_OR_PARTITION; REQUEST_TIMED_OUT after
   * `delivery.timeout.ms` or `max.block.ms`; the signal's reason
   */
  send(topic: string, record: ProducerRecord<K, V>, options?: SendOptions): Promise<RecordMetadata>
  send(record: TopicRecord<K, V>, options?: SendOptions): Promise<RecordMetadata>
  send(
    first: string | TopicRecord<K, V>,
    second?: ProducerRecord<K, V> | SendOptions,
    third?: SendOptions,
  ): Promise<RecordMetadata> {
    const isNamed = typeof first === 'string'
    const topic = typeof first === 'object' ? first?.topic : first
    const record = (isNamed ? second : first) as ProducerRecord<K, V>
    const signal = (isNamed ? third : (second as SendOptions | undefined))?.signal
    const end = endOf(signal)
    if (end !== undefined) return this.#refused(end.reason)
    if (this.#interceptors.length > 0) return this.#sendIntercepted(topic, record, signal)
    const sent = new Promise<RecordMetadata>(resolve => this.#add(topic, record, resolve as Resolve, signal))
    return signal === undefined ? sent : abortable(sent, signal)
  }

  /**
   * Sends records of one topic, in order, and resolves when all have been acknowledged: to where they went, in runs of records that
   * follow each other. Costs far less than a send a record.
   *
   * @throws as {@link send} does, when all are settled, if any of them failed; the others may be written
   */
  sendBatch(
    topic: string,
    records: readonly ProducerRecord<K, V>[],
    options: SendOptions = {},
  ): Promise<readonly BatchMetadata[]> {
    const { signal } = checkedOptions(options)
    if (!Array.isArray(records)) {
      return this.#refused(new KafkaError('INVALID_RECORD', 'sendBatch takes a topic and a list of records'))
    }
    const end = endOf(signal)
    if (end !== undefined) return this.#refused(end.reason)
    if (this.#interceptors.length > 0) return this.#sendBatchIntercepted(topic, records, signal)
    const group = new SendGroup(topic, records.length)
    for (const record of records) {
      try {
        this.#add(topic, record, group, signal)
      } catch (error) {
        group.failed(error instanceof Error ? error : new Error(String(error)), 1)
      }
    }
    return abortable(group.done, signal)
  }

  /** A stream of records to one topic, with back-pressure: `pipeline(source, producer.writable('orders'))`. */
  writable(topic: string): Writable {
    checkName('topic', topic)
    return producerWritable(this, topic)
  }

  /**
   * Sends what lingers and resolves when every record that was given before is settled, whether written or failed.
   * @throws the signal's reason
   */
  async flush(options: SendOptions = {}): Promise<void> {
    const { signal } = checkedOptions(options)
    this.#sender.urgency += 1
    this.#sender.wake()
    try {
      await abortable(this.#accumulator.admitted(), signal)
      const batches = Array.from(this.#incomplete, batch => new Promise<void>(resolve => batch.onDone(resolve)))
      await abortable(Promise.all(batches), signal)
    } finally {
      this.#sender.urgency -= 1
    }
  }

  /** Becomes the one producer of its `transactional.id` that may write; once, before the first transaction. */
  async initTransactions(options: SendOptions = {}): Promise<void> {
    const { signal } = checkedOptions(options)
    return this.#needTransactions().init(signal)
  }

  /** Begins a transaction: what is sent from now on is seen by those who read committed records only after the commit. */
  beginTransaction(): void {
    this.#needTransactions().begin()
  }

  /**
   * Waits for the transaction's records and offsets and makes them visible. What is sent meanwhile is refused.
   * @throws what has made it fail: abort it; REQUEST_TIMED_OUT or the signal's reason when nobody knows whether it is committed: call it again
   */
  async commitTransaction(options: SendOptions = {}): Promise<void> {
    const { signal } = checkedOptions(options)
    return this.#needTransactions().commit(signal)
  }

  /** Takes back the transaction's records. */
  async abortTransaction(options: SendOptions = {}): Promise<void> {
    const { signal } = checkedOptions(options)
    return this.#needTransactions().abort(signal)
  }

  /** Commits offsets of a consumer group with the transaction. `group` is what the consumer says of itself (KIP-447). */
  async sendOffsets(
    offsets: readonly PartitionOffset[],
    group: GroupMetadata,
    options: SendOptions = {},
  ): Promise<void> {
    const { signal } = checkedOptions(options)
    return this.#needTransactions().sendOffsets(offsets, group, signal)
  }

  /**
   * Runs `work` in a transaction, which is committed when it resolves and aborted when it throws. The first one initializes the
   * producer's transactions. An abort that fails is logged, and done by the next one before it begins.
   * @throws what `work` threw; REQUEST_TIMED_OUT, or the signal's reason, when nobody knows whether it is committed: `commitTransaction()`
   * asks again; KafkaError with `fatal` when the producer has been fenced and has to be closed
   */
  async transaction<T>(work: (producer: this) => Promise<T>, options: SendOptions = {}): Promise<T> {
    const { signal } = checkedOptions(options)
    const transactions = this.#needTransactions()
    if (typeof work !== 'function') {
      const ways = 'its work as a function; beginTransaction() and commitTransaction() do without'
      throw new KafkaError('INVALID_REQUEST', `transaction() takes ${ways}`)
    }
    if (transactions.isAbortDue) await transactions.abort(signal)
    if (transactions.state === 'uninitialized') await this.initTransactions(options)
    this.beginTransaction()
    try {
      const result = await work(this)
      await this.commitTransaction(options)
      return result
    } catch (error) {
      // A commit that was not answered in time may be done: it can be asked for again, and not be taken back.
      if (transactions.state !== 'fatal-error' && transactions.state !== 'committing')
        await this.#takeBack(transactions, options.signal?.aborted ? undefined : options.signal)
      throw error
    }
  }

  /** Aborts after a failure of which the caller hears. @throws what ends the producer for good, which he has to hear instead */
  async #takeBack(transactions: Transactions, signal: AbortSignal | undefined): Promise<void> {
    try {
      await transactions.abort(signal)
    } catch (error) {
      if (error instanceof KafkaError && error.fatal) throw error
      this.#cluster.settings.logger.warn({ err: error }, 'the transaction could not be aborted')
    }
  }

  /**
   * Sends what waits, for `timeoutMs` at most, then fails the rest and ends the connections. Calling it again is waiting for the same.
   */
  async close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    const { timeoutMs = Number.POSITIVE_INFINITY } = checkedOptions(options)
    this.#closing ??= this.#close(timeoutMs)
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(timeoutMs: number): Promise<void> {
    const error = new KafkaError('OPERATION_NOT_ATTEMPTED', 'the producer is closed')
    const { clock } = this.#cluster.settings
    try {
      const state = this.#transactions?.state
      const isOpen = state === 'in-transaction' || state === 'abortable-error'
      const ended = isOpen ? this.abortTransaction().catch(() => undefined) : this.flush()
      if (timeoutMs < Number.POSITIVE_INFINITY) await inTime(ended, clock, timeoutMs)
      else await ended
    } finally {
      this.#accumulator.close(error)
      this.#sender.close(error)
      this.#cluster.close()
    }
  }

  /** Nothing was taken: a transaction cannot be committed without it. */
  #refused(error: unknown): Promise<never> {
    this.#transactions?.recordFailed(error)
    return Promise.reject(error)
  }

  /** @throws what `waiter` then does not hear: why the record cannot be taken */
  #add(
    topic: string,
    record: ProducerRecord<K, V>,
    waiter: Resolve | SendGroup,
    signal: AbortSignal | undefined,
  ): void {
    this.#transactions?.checkMaySend()
    try {
      checkName('topic', topic)
      if (record?.value === undefined) checkEmptyRecord(record)
      signal?.throwIfAborted()
      this.#accumulator.add(topic, record, waiter, signal)
    } catch (error) {
      this.#transactions?.recordFailed(error)
      throw error
    }
  }

  #needTransactions(): Transactions {
    if (this.#transactions !== undefined) return this.#transactions
    throw new KafkaError('INVALID_TXN_STATE', 'transactions need the setting transactional.id')
  }

  /** Nothing can be written any more: everybody hears why. */
  #abandon(error: Error): void {
    this.#accumulator.close(error)
    this.#sender.abandon(error)
  }

  async #sendIntercepted(
    topic: string,
    given: ProducerRecord<K, V>,
    signal: AbortSignal | undefined,
  ): Promise<RecordMetadata> {
    // What each interceptor returned, in their order: who threw, and those behind it, have no place in it.
    const returned: TopicRecord<K, V>[] = []
    try {
      const record = this.#intercept(topic, given, returned)
      const sent = new Promise<RecordMetadata>(resolve => this.#add(record.topic, record, resolve as Resolve, signal))
      const metadata = await abortable(sent, signal)
      this.#acknowledge(returned, metadata, undefined)
      return metadata
    } catch (error) {
      this.#acknowledge(returned, undefined, error instanceof Error ? error : new Error(String(error)))
      throw error
    }
  }

  #intercept(topic: string, given: ProducerRecord<K, V>, returned: TopicRecord<K, V>[]): TopicRecord<K, V> {
    try {
      let record = plainRecord(topic, given)
      for (const interceptor of this.#interceptors) {
        record = interceptor.onSend?.(record) ?? record
        returned.push(record)
      }
      return record
    } catch (error) {
      this.#transactions?.recordFailed(error)
      throw error
    }
  }

  #acknowledge(
    returned: readonly TopicRecord<K, V>[],
    metadata: RecordMetadata | undefined,
    error: Error | undefined,
  ): void {
    for (const [index, record] of returned.entries()) {
      try {
        this.#interceptors[index]?.onAcknowledgement?.(record, metadata, error)
      } catch (failure) {
        this.#cluster.settings.logger.warn({ err: failure, topic: record.topic }, 'onAcknowledgement failed')
      }
    }
  }

  async #sendBatchIntercepted(
    topic: string,
    records: readonly ProducerRecord<K, V>[],
    signal: AbortSignal | undefined,
  ): Promise<readonly BatchMetadata[]> {
    const sent = records.map(record => this.#sendIntercepted(topic, record, signal))
    await Promise.allSettled(sent)
    const all = await Promise.all(sent)
    return all.map(({ topic: where, partition, offset }) => ({ topic: where, partition, offset, count: 1 }))
  }
}

/** @throws ConfigError for what could not be called, where no compiler looks */
function checkedInterceptors<I>(given: readonly I[]): readonly I[] {
  const wanted = 'interceptors: give a list of objects with onSend()'
  if (!Array.isArray(given)) throw new ConfigError(`${wanted}, not ${kindOf(given)}`)
  for (const one of given)
    if (typeof one !== 'object' || one === null) throw new ConfigError(`${wanted}, not of ${kindOf(one)}`)
  return given
}

function serializeWith<T>(what: 'key' | 'value', serde: Pick<Serde<T>, 'serialize'> | undefined): Serialize {
  // Text is encoded where it is to be, without bytes of its own in between.
  if (serde === undefined || (serde as unknown) === string) return value => raw(what, value)
  checkSerde(what, serde, 'serialize')
  return (value, topic) => checkedBytes(what, serde.serialize(value as T, topic), topic)
}

function raw(what: 'key' | 'value', value: unknown): RecordPart {
  if (typeof value === 'string' || value instanceof Uint8Array) return value
  const hint = `give the producer a serializer, such as { ${what}: json() }`
  throw new KafkaError('INVALID_RECORD', `a ${what} that is ${typeof value} and neither text nor bytes: ${hint}`)
}
