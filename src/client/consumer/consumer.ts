import { Readable } from 'node:stream'
import type { Config } from '../../config/index.ts'
import type { Logger } from '../../platform/index.ts'
import { KafkaError } from '../../protocol/index.ts'
import { checkedOptions, checkedPartitions, checkItem, PARTITION_FIELDS } from '../checked-items.ts'
import { checkedSettings, clusterSettings, readOptions } from '../client-options.ts'
import { Cluster } from '../cluster.ts'
import type { PartitionInfo, TopicInfo } from '../cluster-metadata.ts'
import type { Patient } from '../deadline.ts'
import { type GroupMetadata, placeIn } from '../group-metadata.ts'
import { partitionKey, type TopicPartition } from '../topic-partition.ts'
import { allTopics, partitionsOf } from '../topic-questions.ts'
import type { AssignedPartition } from './assigned-partition.ts'
import { AssignedPartitions } from './assigned-partitions.ts'
import { checkedAssignors, type PartitionAssignor } from './assignors/assignor.ts'
import { batchesOf } from './batches-of.ts'
import { consumerConfig, type consumerKeys } from './consumer-config.ts'
import { type ConsumerFigures, ConsumerMetrics, timedCommit } from './consumer-metrics.ts'
import type { BatchesOptions, ConsumerBatch, ConsumerOptions, WaitOptions } from './consumer-options.ts'
import { type ConsumerRecord, recordSerdes } from './consumer-record.ts'
import { Deliveries } from './deliveries.ts'
import { type FetchLimits, fetchLimits } from './fetch-limits.ts'
import { Fetcher } from './fetcher.ts'
import { GroupMember } from './group-member.ts'
import { GroupPlace } from './group-place.ts'
import { HandlerRuns } from './handler-runs.ts'
import {
  atTime,
  checkedPosition,
  commitOffsets,
  fetchCommitted,
  listOffsets,
  type OffsetAndEpoch,
  type PartitionOffset,
  Timestamp,
} from './offset-requests.ts'
import { RebalanceListeners } from './rebalance-listeners.ts'
import { RecordIterator, type RecordSource } from './record-iterator.ts'
import { committedByHand, recordSource } from './record-source.ts'
import { Recurring } from './recurring.ts'
import type { RunOptions } from './run-handler.ts'
import { StartingPositions } from './starting-positions.ts'
import { checkSubscription, type Subscription } from './topic-pattern.ts'

const DEFAULT_WAIT_MS = 60_000
/** As Java's consumer. */
const CLOSE_TIMEOUT_MS = 30_000
/** For brokers to forget the sessions of a consumer that closes. */
const SESSION_END_TIMEOUT_MS = 5_000
const OWN_OPTIONS = ['key', 'value', 'assignors', 'onAssigned', 'onRevoked', 'onLost']

/**
 * Reads records: of topics that a group shares ({@link subscribe}), or of partitions of its own choice ({@link assign}).
 *
 * ```ts
 * await using consumer = kafka.consumer({ groupId: 'billing', value: json<Order>() })
 * consumer.subscribe(['orders'])
 * for await (const { value } of consumer) await bill(value)
 * ```
 *
 * Heartbeats, fetching ahead and commits run in the background. A record counts as worked on when the next one is asked for, and only
 * what was worked on is committed: at least once.
 */
export class Consumer<K = Uint8Array, V = Uint8Array> implements AsyncIterable<ConsumerRecord<K, V>>, AsyncDisposable {
  readonly #config: Config<typeof consumerKeys>
  readonly #cluster: Cluster
  readonly #logger: Logger
  readonly #limits: FetchLimits
  readonly #partitions = new AssignedPartitions<K, V>()
  readonly #metrics = new ConsumerMetrics()
  readonly #listeners: RebalanceListeners
  readonly #deliveries: Deliveries<K, V>
  readonly #fetcher: Fetcher<K, V>
  readonly #source: RecordSource<K, V>
  readonly #positions: StartingPositions<K, V>
  readonly #member: GroupMember<K, V>
  readonly #group: GroupPlace<K, V>
  readonly #runs = new HandlerRuns<K, V>()
  readonly #commits: Recurring
  readonly #looks: Recurring
  #failure: KafkaError | undefined
  #closing: Promise<void> | undefined

  /** @throws ConfigError that names the key */
  constructor(options: ConsumerOptions<K, V>) {
    const settings = Object.fromEntries(
      Object.entries(checkedSettings(options)).filter(([name]) => !OWN_OPTIONS.includes(name)),
    )
    const { config, parts } = readOptions(consumerConfig, settings)
    this.#config = config
    this.#limits = fetchLimits(config)
    this.#cluster = new Cluster(clusterSettings(config, parts, config.get('allow.auto.create.topics')))
    this.#logger = this.#cluster.settings.logger
    const who = { clientId: config.get('client.id'), groupId: config.get('group.id') ?? '' }
    this.#listeners = new RebalanceListeners(options, who, this.#metrics, error => this.#failed(error))
    this.#deliveries = new Deliveries(
      () => this.#partitions.values(),
      () => this.#group.membership?.committer,
    )
    this.#fetcher = this.#createFetcher(options)
    this.#member = this.#createMember()
    this.#group = this.#createPlace(checkedAssignors(options.assignors))
    this.#source = recordSource(this.#deliveries, {
      isClosing: () => this.#closing !== undefined,
      trouble: () => this.#trouble,
      taken: () => this.#fetcher.wake(),
    })
    const { clock } = this.#cluster.settings
    this.#commits = new Recurring(clock, config.get('auto.commit.interval.ms'), () => this.#commitQuietly())
    this.#looks = new Recurring(clock, config.get('metadata.max.age.ms'), () => this.#look())
    this.#positions = new StartingPositions({
      cluster: this.#cluster,
      reader: () => (this.#config.get('group.id') === null ? undefined : this.#group.committerFor('reading')),
      policy: this.#config.get('auto.offset.reset'),
      isCommitted: this.#limits.isCommitted,
      partitions: this.#partitions,
      found: () => this.#fetcher.wake(),
      stuck: (partition, error) => {
        partition.trouble = error
        this.#deliveries.wake()
      },
      failed: error => this.#failed(error),
    })
  }

  /** The group that it is for (`group.id`), if any. */
  get groupId(): string | undefined {
    return this.#config.get('group.id') ?? undefined
  }

  /** What has been done so far. */
  get metrics(): ConsumerFigures {
    const bufferBytes = [...this.#partitions.values()].reduce((sum, { bufferedBytes }) => sum + bufferedBytes, 0)
    const { recordsHandedOut: recordsConsumed } = this.#deliveries
    return { recordsConsumed, ...this.#metrics, retries: this.#cluster.figures.retries, bufferBytes }
  }

  /** What is read now. */
  get assignment(): readonly TopicPartition[] {
    return this.#partitions.places()
  }

  /**
   * Shares topics with the other members of the group: these, or all whose whole name a pattern matches. Replaces what was subscribed to.
   * A {@link SubscriptionPattern} is followed by the broker, in groups of the consumer protocol.
   * @throws ConfigError without `group.id`
   */
  subscribe(topics: string | Subscription): void {
    this.#assertOpen()
    checkSubscription(topics, this.#config)
    if (this.#group.subscription === undefined && this.#partitions.size > 0) {
      throw new KafkaError('INVALID_REQUEST', 'partitions were assigned by hand: unsubscribe() first')
    }
    this.#beginBackgroundWork()
    this.#group.subscribe(typeof topics === 'string' ? [topics] : topics)
  }

  /** Reads just these partitions, without a group's say; from the committed offset where there is a group, or as `auto.offset.reset` says. */
  assign(partitions: readonly (TopicPartition & Partial<OffsetAndEpoch>)[]): void {
    this.#assertOpen()
    if (this.#group.isWanted)
      throw new KafkaError('INVALID_REQUEST', 'topics are subscribed to: await unsubscribe() first')
    const begun = checkedPartitions('assign()', partitions).filter(hasOffset)
    for (const one of begun) checkedPosition(one)
    this.#group.assigned()
    const wanted = new Set(partitions.map(partitionKey))
    if (this.#config.get('enable.auto.commit')) void this.#commitQuietly()
    this.#partitions.drop(this.assignment.filter(one => !wanted.has(partitionKey(one))))
    this.#add(partitions.filter(one => this.#partitions.find(one) === undefined))
    for (const one of begun) this.seek(one, one)
    this.#beginBackgroundWork()
  }

  /** Who this is in its group, for offsets in a transaction (KIP-447). Who has records in hand of a partition that went is who he was then. */
  get groupMetadata(): Required<GroupMetadata> {
    const place = this.#deliveries.lostPlace() ?? this.#group.membership?.committer ?? this.#group.left
    return placeIn(place ?? this.#group.committerFor('groupMetadata'))
  }

  /**
   * Reads nothing any more, and leaves the group, after `onRevoked`, however long that takes. What is subscribed to before that is done
   * begins after it.
   */
  unsubscribe(): Promise<void> {
    return this.#group.unsubscribe()
  }

  /** Record by record; ends when the consumer is closed. */
  [Symbol.asyncIterator](): AsyncIterableIterator<ConsumerRecord<K, V>> {
    return new RecordIterator(this.#source)
  }

  /** Batch by batch: what a producer sent together, of one partition. Counts as worked on when the next one is asked for. */
  batches(options: BatchesOptions = {}): AsyncGenerator<ConsumerBatch<K, V>, void, undefined> {
    return batchesOf(this.#source, checkedOptions(options).signal)
  }

  /**
   * Calls `handler` with each record until the consumer is closed, or `signal` ends it. A handler that returns no promise is called
   * without waiting in between. With `concurrency` several partitions, or keys, are worked on at once, each in its order.
   * @throws what the handler throws; the record counts as not worked on
   */
  run(handler: (record: ConsumerRecord<K, V>) => unknown, options: RunOptions = {}): Promise<void> {
    return this.#runs.start(this.#source, handler, options)
  }

  /**
   * The records as a stream of objects, as fast as it is read. Streams hold records, and nobody sees from here which of them the last
   * stage is done with: none counts as worked on, so that neither auto-commit nor {@link commit} without offsets commits partitions that
   * a stream has read. Commit by hand, with offsets, what the last stage has done.
   */
  readable(): Readable {
    return Readable.from(new RecordIterator(committedByHand(this.#source)), { objectMode: true })
  }

  /** Commits what was worked on, but for what {@link readable} gave, or the offsets given: of the next record to read. */
  async commit(offsets?: readonly PartitionOffset[], wait: WaitOptions = {}): Promise<void> {
    if (offsets !== undefined) checkedPartitions('committing offsets', offsets)
    const read = [...this.#partitions.values()].filter(({ uncommitted }) => uncommitted !== undefined)
    if ((offsets ?? read).length === 0) return
    // A commit that has to be tried again must not take back what another one has committed meanwhile.
    const newest = () => read.flatMap(one => this.#partitions.find(one)?.reached ?? one.reached ?? [])
    const offsetsNow = offsets === undefined ? newest : () => offsets
    // Of records whose partition went while they were in hand nothing is committed in the place of now.
    const committer = this.#deliveries.lostPlace(offsets ?? []) ?? this.#group.committerFor('commit()')
    const committed = commitOffsets(this.#cluster, committer, offsetsNow, this.#patience(wait))
    // Nor what is on its way.
    const settled = (offsets ?? []).map(one => this.#partitions.find(one)?.committing(one))
    const { clock } = this.#cluster.settings
    let isRefused = false
    try {
      for (const one of await timedCommit(this.#metrics, clock, committed)) {
        const partition = this.#partitions.find(one)
        if (partition !== undefined) partition.committed = one.offset
      }
    } catch (error) {
      // What was not answered may be committed.
      isRefused = error instanceof KafkaError && !error.retriable
      throw error
    } finally {
      for (const settle of settled) settle?.(isRefused)
    }
  }

  /** What the group has committed, by partition; undefined where there is nothing. */
  async committed(
    partitions: readonly TopicPartition[],
    wait: WaitOptions = {},
  ): Promise<(PartitionOffset | undefined)[]> {
    checkedPartitions('fetching committed offsets', partitions)
    const reader = this.#group.committerFor('committed')
    const found = await fetchCommitted(this.#cluster, reader, partitions, this.#patience(wait))
    return partitions.map(one => found.get(partitionKey(one)))
  }

  /** Offset of the next record to work on; undefined until it is known. */
  position(partition: TopicPartition): number | undefined {
    return this.#assigned('position()', partition).position
  }

  /** Records that are in the partition and were not worked on, as far as the last fetch saw; undefined before it. */
  lag(partition: TopicPartition): number | undefined {
    const { position, highWatermark, lastStableOffset } = this.#assigned('lag()', partition)
    const end = this.#limits.isCommitted ? lastStableOffset : highWatermark
    return position === undefined || end < 0 ? undefined : Math.max(0, end - position)
  }

  /**
   * Goes on at another offset; also with a partition that had no way on (see {@link PositionError}). With the leader epoch that stands
   * beside it, as in what was committed, its leader is asked first whether it has the records before (KIP-320).
   */
  seek(partition: TopicPartition, to: number | OffsetAndEpoch): void {
    const { offset, leaderEpoch } = checkedPosition(to)
    this.#assigned('seek()', partition).seek(offset, leaderEpoch)
    this.#fetcher.wake()
  }

  /** Goes on at the oldest record of partitions; all that are assigned when none are named. */
  async seekToBeginning(
    partitions: readonly TopicPartition[] = this.assignment,
    wait: WaitOptions = {},
  ): Promise<void> {
    for (const one of await this.beginningOffsets(partitions, wait)) this.seek(one, one)
  }

  /** Goes on behind the newest record of partitions; all that are assigned when none are named. */
  async seekToEnd(partitions: readonly TopicPartition[] = this.assignment, wait: WaitOptions = {}): Promise<void> {
    for (const one of await this.endOffsets(partitions, wait)) this.seek(one, one)
  }

  /** Reads nothing of partitions until {@link resume}; they stay this consumer's. */
  pause(partitions: readonly TopicPartition[]): void {
    for (const one of checkedPartitions('pause()', partitions)) this.#partitions.get(one).isPaused = true
    // There is room for others now.
    this.#fetcher.wake()
  }

  /** What {@link pause} holds back now. */
  paused(): readonly TopicPartition[] {
    return this.#partitions.places(({ isPaused }) => isPaused)
  }

  /** Reads on after {@link pause}. */
  resume(partitions: readonly TopicPartition[]): void {
    for (const one of checkedPartitions('resume()', partitions)) this.#partitions.get(one).isPaused = false
    this.#deliveries.wake()
    this.#fetcher.wake()
  }

  /** The partitions of a topic, subscribed to or not; creates it as {@link subscribe} does. @throws UNKNOWN_TOPIC_OR_PARTITION where that is not allowed */
  async partitionsFor(topic: string, wait: WaitOptions = {}): Promise<readonly PartitionInfo[]> {
    return partitionsOf(this.#cluster, topic, this.#patience(wait))
  }

  /** Every topic that may be seen, internal ones too, by name. */
  async listTopics(wait: WaitOptions = {}): Promise<TopicInfo[]> {
    return allTopics(this.#cluster, this.#patience(wait))
  }

  /** Of each partition the first record that is not older than a time (ms since 1970); offset -1 where there is none. */
  async offsetsForTimes(wanted: readonly (TopicPartition & { readonly timestamp: number })[], wait: WaitOptions = {}) {
    return listOffsets(this.#cluster, wanted, { patience: this.#patience(wait), isCommitted: this.#limits.isCommitted })
  }

  async beginningOffsets(partitions: readonly TopicPartition[], wait: WaitOptions = {}) {
    return this.offsetsForTimes(atTime(checkedPartitions('beginningOffsets()', partitions), Timestamp.earliest), wait)
  }

  async endOffsets(partitions: readonly TopicPartition[], wait: WaitOptions = {}) {
    return this.offsetsForTimes(atTime(checkedPartitions('endOffsets()', partitions), Timestamp.latest), wait)
  }

  /**
   * Ends loops over this consumer, commits what was worked on, leaves the group, and ends all connections. Handlers of {@link run} that
   * are under way are waited for, so that their records count, and so is `onRevoked`: `timeoutMs` at the most (30 s). A handler that has
   * awaited something would wait for itself: it calls this without `await`. Calling it again is waiting for the same, but for `onRevoked`,
   * which that waits for.
   */
  async close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    const { timeoutMs = CLOSE_TIMEOUT_MS } = checkedOptions(options)
    if (this.#closing !== undefined && this.#listeners.isAsking) return
    this.#closing ??= this.#close(this.#cluster.patience({ timeoutMs }), this.#runs.isCalling ? 0 : timeoutMs)
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Why no records are handed out: what ended this consumer, or a partition that cannot go on before somebody seeks. */
  get #trouble(): KafkaError | undefined {
    if (this.#failure !== undefined) return this.#failure
    for (const { trouble } of this.#partitions.values()) if (trouble !== undefined) return trouble
    if (this.#looks.isStarted) return undefined
    return new KafkaError('INVALID_REQUEST', 'there is nothing to read: subscribe() or assign() first')
  }

  #createFetcher(options: ConsumerOptions<K, V>): Fetcher<K, V> {
    return new Fetcher({
      cluster: this.#cluster,
      serdes: recordSerdes(options),
      metrics: this.#metrics,
      ...this.#limits,
      partitions: () => this.#partitions.values(),
      arrived: () => this.#deliveries.wake(),
      outOfRange: partition => this.#positions.outOfRange(partition),
      truncated: (partition, until) => this.#positions.truncated(partition, until),
      failed: error => this.#failed(error),
    })
  }

  #createMember(): GroupMember<K, V> {
    return new GroupMember({
      config: this.#config,
      cluster: this.#cluster,
      partitions: this.#partitions,
      deliveries: this.#deliveries,
      listeners: this.#listeners,
      subscription: () => this.#group.subscription,
      add: partitions => this.#add(partitions),
      commit: () => this.#commitQuietly(),
      failed: error => this.#failed(error),
    })
  }

  #createPlace(assignors: readonly PartitionAssignor[]): GroupPlace<K, V> {
    return new GroupPlace({
      config: this.#config,
      cluster: this.#cluster,
      assignors,
      member: this.#member,
      listeners: this.#listeners,
      partitions: this.#partitions,
      deliveries: this.#deliveries,
      commit: wait => this.#commitQuietly(wait),
    })
  }

  /** @throws KafkaError INVALID_REQUEST for what is no partition, or not assigned to this consumer */
  #assigned(what: string, partition: TopicPartition): AssignedPartition<K, V> {
    checkItem(what, partition, PARTITION_FIELDS)
    return this.#partitions.get(partition)
  }

  #add(partitions: readonly TopicPartition[]): void {
    this.#partitions.add(partitions)
    if (partitions.length > 0) void this.#positions.find()
  }

  async #commitQuietly(wait: WaitOptions = {}): Promise<void> {
    try {
      if (this.#config.get('group.id') !== null) await this.commit(undefined, wait)
    } catch (error) {
      this.#logger.warn({ err: error }, 'offsets could not be committed; records since the last commit are read again')
    }
  }

  #beginBackgroundWork(): void {
    if (this.#config.get('enable.auto.commit') && this.#config.get('group.id') !== null) this.#commits.start()
    this.#looks.start()
  }

  /** Looks whether there are other topics or partitions now. */
  async #look(): Promise<void> {
    try {
      const before = this.#cluster.metadata
      if (this.#group.subscription instanceof RegExp) {
        const wanted = await this.#member.topics()
        if (wanted.some(topic => before.topic(topic) === undefined)) this.#group.membership?.rejoin()
      } else await this.#cluster.refresh()
      this.#group.membership?.metadataChanged()
    } catch (error) {
      this.#logger.debug({ err: error }, 'the cluster could not be looked at')
    }
  }

  #failed(error: KafkaError): void {
    if (this.#closing === undefined) this.#failure ??= error
    // Nothing is handed out any more. What was refused would be asked again as fast as the broker can refuse it.
    this.#fetcher.close()
    this.#deliveries.wake()
  }

  #patience(wait: WaitOptions) {
    const { timeoutMs = DEFAULT_WAIT_MS, signal } = checkedOptions(wait)
    return this.#cluster.patience({ timeoutMs, signal })
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new KafkaError('INVALID_REQUEST', 'the consumer is closed')
  }

  async #close(patience: Patient, handlersMs: number): Promise<void> {
    // Set before anything is awaited, so that loops end.
    await Promise.resolve()
    this.#deliveries.wake()
    this.#commits.stop()
    this.#looks.stop()
    this.#fetcher.close()
    await this.#runs.ended(this.#cluster.settings.clock, handlersMs)
    const ended = this.#fetcher.endSessions(SESSION_END_TIMEOUT_MS)
    try {
      await this.#group.close(patience)
    } finally {
      await ended
      this.#cluster.close()
    }
  }
}

const hasOffset = (one: TopicPartition & Partial<OffsetAndEpoch>): one is TopicPartition & OffsetAndEpoch =>
  one.offset !== undefined
