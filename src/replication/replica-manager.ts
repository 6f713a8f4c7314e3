import type { Clock, Logger, Timer } from '../platform/index.ts'
import { ZERO_UUID } from '../protocol/index.ts'
import { type AppendRequest, type AppendResult, appendRecords } from './append.ts'
import { type DeleteRecordsEntry, type DeleteRecordsResult, deleteRecords } from './delete-records.ts'
import { FetchReader } from './fetch-reader.ts'
import type { FetchParams, FetchPartition, FetchPartitionResult } from './fetch-result.ts'
import { HostedPartitions } from './hosted-partitions.ts'
import type { HostedTopic } from './hosted-topic.ts'
import { Partition, type PartitionState } from './partition.ts'
import type { Log, LogManager } from './partition-log.ts'
import { Purgatory } from './purgatory.ts'

/** A topic as the cluster's metadata has it. */
export interface TopicPlacement {
  readonly name: string
  readonly topicId: string
  readonly partitions: ReadonlyMap<number, PartitionState>
}

/** What has become different in the cluster's metadata. */
export interface TopicsChange {
  /** New topics, and those of which a partition is new or has another state. */
  readonly changed: Iterable<TopicPlacement>
  /** Names of topics that are gone. */
  readonly deleted: Iterable<string>
}

export interface ReplicaManagerOptions {
  readonly brokerId: number
  readonly clock: Clock
  readonly logger: Logger
  readonly logManager: LogManager
  /** Whether the cluster has a partition, wherever it is hosted: the metadata cache's answer. */
  readonly isKnown: (topic: string, partition: number) => boolean
  /** `fetch.max.bytes`. */
  readonly fetchMaxBytes: number
  /** `replica.high.watermark.checkpoint.interval.ms`. */
  readonly checkpointIntervalMs: number
}

/**
 * The partitions that this broker hosts, and what is done with them (Kafka's ReplicaManager). Everything that appends
 * to or reads from a partition goes through here, whoever asks.
 */
export class ReplicaManager {
  readonly hosted: HostedPartitions
  readonly purgatory: Purgatory
  readonly #options: ReplicaManagerOptions
  readonly #logger: Logger
  readonly #reader: FetchReader
  #checkpointTimer: Timer | undefined
  #isClosed = false

  constructor(options: ReplicaManagerOptions) {
    const { brokerId, clock, logManager, fetchMaxBytes } = options
    this.#options = options
    this.#logger = options.logger.child({ logger: 'kafka.server.ReplicaManager', brokerId })
    this.hosted = new HostedPartitions(options.isKnown)
    this.purgatory = new Purgatory(clock)
    const { hosted, purgatory } = this
    this.#reader = new FetchReader({ hosted, purgatory, logger: this.#logger, fetchMaxBytes })
    logManager.onDirectoryFailure = directory => this.#directoryFailed(directory.path)
  }

  /** Begins to write checkpoints of the high watermarks. */
  start(): void {
    this.#checkpointTimer = this.#options.clock.schedule(this.#options.checkpointIntervalMs, () => {
      this.checkpointHighWatermarks()
      if (!this.#isClosed) this.start()
    })
  }

  /** Answers everything that waits, and writes the last checkpoint. The logs stay open: they are the log manager's. */
  close(): void {
    this.#isClosed = true
    this.#checkpointTimer?.cancel()
    this.purgatory.close()
    this.checkpointHighWatermarks()
  }

  /** Topics of which partitions are hosted here, with their counters. */
  topics(): IterableIterator<HostedTopic> {
    return this.hosted.topics()
  }

  /** Every partition hosted here. */
  partitions(): IterableIterator<Partition> {
    return this.hosted.all()
  }

  /** @throws KafkaError UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER, KAFKA_STORAGE_ERROR. */
  partition(topic: string, partition: number): Partition {
    return this.hosted.get(topic, partition)
  }

  /** See {@link appendRecords}. */
  appendRecords(request: AppendRequest): readonly AppendResult[] | Promise<readonly AppendResult[]> {
    const { hosted, purgatory } = this
    return appendRecords(request, { hosted, purgatory, logger: this.#logger })
  }

  /** See {@link FetchReader.fetch}. */
  fetch(
    requests: readonly FetchPartition[],
    params: FetchParams,
    owner: object,
  ): readonly FetchPartitionResult[] | Promise<readonly FetchPartitionResult[]> {
    return this.#reader.fetch(requests, params, owner)
  }

  /** The connection is gone: what waits on its behalf is dropped. */
  disconnected(owner: object): void {
    this.#reader.disconnected(owner)
  }

  /** See {@link deleteRecords}. */
  deleteRecords(
    entries: readonly DeleteRecordsEntry[],
    timeoutMs: number,
  ): readonly DeleteRecordsResult[] | Promise<readonly DeleteRecordsResult[]> {
    const { hosted, purgatory } = this
    return deleteRecords(entries, timeoutMs, { hosted, purgatory, logger: this.#logger })
  }

  /**
   * Follows the cluster's metadata: hosts partitions that are placed here, making their logs, and gives up those that
   * are not any more, deleting theirs.
   */
  applyTopics(change: TopicsChange): void {
    for (const name of change.deleted) this.#giveUpTopic(name)
    for (const placement of change.changed) {
      const hosted = this.hosted.topic(placement.name)
      if (hosted && hosted.topicId !== placement.topicId) this.#giveUpTopic(placement.name)
      for (const [partition, state] of placement.partitions) this.#place(placement, partition, state)
    }
  }

  #place(placement: TopicPlacement, index: number, state: PartitionState): void {
    const { brokerId } = this.#options
    const known = this.hosted.find(placement.name, index)
    if (!state.replicas.includes(brokerId)) {
      if (known) this.#giveUp(known)
      return
    }
    if (known) {
      known.applyState(state)
      return
    }
    const topicPartition = { topic: placement.name, partition: index }
    const partition = new Partition({ topicPartition, topicId: placement.topicId, brokerId, purgatory: this.purgatory })
    this.hosted.add(partition)
    try {
      partition.applyState(state, this.#logFor(placement, index))
    } catch (error) {
      this.#logger.error({ err: error }, `Could not open the log of partition ${placement.name}-${index}`)
      partition.goOffline()
    }
  }

  /** A log of an earlier topic of that name is no log of this one. */
  #logFor(placement: TopicPlacement, partition: number): Log {
    const { logManager } = this.#options
    const topicPartition = { topic: placement.name, partition }
    const found = logManager.getLog(topicPartition)
    if (found && found.topicId !== ZERO_UUID && found.topicId !== placement.topicId) {
      this.#logger.warn(
        { found: found.topicId, expected: placement.topicId },
        `Setting aside the log of a former topic ${placement.name}-${partition}`,
      )
      void logManager.deleteLog(topicPartition)
    }
    return logManager.getOrCreateLog(topicPartition, { topicId: placement.topicId })
  }

  #giveUpTopic(name: string): void {
    const hosted = this.hosted.topic(name)
    if (!hosted) return
    for (const partition of hosted.partitions) if (partition) this.#giveUp(partition)
  }

  #giveUp(partition: Partition): void {
    this.hosted.remove(partition)
    const wasOffline = partition.isOffline
    partition.close()
    if (!wasOffline) void this.#options.logManager.deleteLog(partition.topicPartition)
  }

  #directoryFailed(path: string): void {
    let count = 0
    for (const partition of this.hosted.all()) {
      if (partition.futureLog?.directory.path === path) partition.futureLog = undefined
      if (partition.log?.directory.path !== path || partition.isOffline) continue
      partition.goOffline()
      count++
    }
    this.#logger.error({ partitions: count }, `Stopped serving replicas in dir ${path} because it has failed`)
  }

  /** Writes the high watermark of every log to its directory's `replication-offset-checkpoint`. */
  checkpointHighWatermarks(): void {}
}
