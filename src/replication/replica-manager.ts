import { type ClusterDelta, ClusterImage, type ComingChange, type TopicImage } from '../metadata/index.ts'
import { type Clock, inTurns, type Logger, type Workers } from '../platform/index.ts'
import { KafkaError, ZERO_UUID } from '../protocol/index.ts'
import { formerTopic, type Log, type LogManager, type TopicPartition } from '../storage/index.ts'
import { type AppendRequest, type AppendResult, appendRecords } from './append.ts'
import { type DeleteRecordsEntry, type DeleteRecordsResult, deleteRecords } from './delete-records.ts'
import { DirectoryMoves } from './directory-moves.ts'
import { FetchReader, type FetchRequester } from './fetch-reader.ts'
import type { FetchParams, FetchPartition, FetchPartitionResult } from './fetch-result.ts'
import { HostedPartitions } from './hosted-partitions.ts'
import type { HostedTopic } from './hosted-topic.ts'
import {
  alterLogDirectories,
  type DescribedDirectory,
  type DirectoryChange,
  describeLogDirectories,
  type LogDirectoriesContext,
} from './log-directories.ts'
import { Partition } from './partition.ts'
import { Purgatory } from './purgatory.ts'

export interface ReplicaManagerOptions {
  readonly brokerId: number
  readonly clock: Clock
  readonly logger: Logger
  readonly logManager: LogManager
  /** For what would hold the event loop too long. */
  readonly workers: Workers
  /** `fetch.max.bytes` */
  readonly fetchMaxBytes: () => number
  /** `replica.alter.log.dirs.io.max.bytes.per.second`; default no limit. */
  readonly moveBytesPerSecond?: number
  /** See {@link Purgatory}. */
  readonly maxWatches?: number
}

/** Logs that are made before the event loop gets its turn: some milliseconds. */
const LOGS_IN_A_TURN = 25
/** Logs that are deleted before it does: that takes a rename of each, and the files go later. */
const DELETIONS_IN_A_TURN = 100

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
  readonly #moves: DirectoryMoves
  #image = ClusterImage.empty()
  #hasImage = false
  #isClosed = false

  constructor(options: ReplicaManagerOptions) {
    const { brokerId, clock, logManager, fetchMaxBytes, workers } = options
    this.#options = options
    this.#logger = options.logger.child({ logger: 'kafka.server.ReplicaManager', brokerId })
    this.hosted = new HostedPartitions((topic, partition) => this.#image.partition(topic, partition) !== undefined)
    this.purgatory = new Purgatory(clock, options)
    const { hosted, purgatory } = this
    this.#reader = new FetchReader({ hosted, purgatory, logger: this.#logger, workers, fetchMaxBytes })
    this.#moves = new DirectoryMoves({
      clock,
      logger: this.#logger,
      logManager,
      bytesPerSecond: options.moveBytesPerSecond ?? Number.POSITIVE_INFINITY,
    })
    logManager.onDirectoryFailure(directory => this.#directoryFailed(directory))
  }

  /**
   * Appends what is being converted, answers everything that waits and stops moving logs. The logs stay open, and their checkpoints are written by the
   * log manager.
   */
  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all(Array.from(this.hosted.all(), partition => partition.lastAppend))
    this.purgatory.close()
    await this.#moves.close()
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
    const { workers } = this.#options
    return appendRecords(request, { hosted, purgatory, logger: this.#logger, workers })
  }

  /** See {@link FetchReader.fetch}. */
  fetch(
    requests: readonly FetchPartition[],
    params: FetchParams,
    requester: FetchRequester,
  ): readonly FetchPartitionResult[] | Promise<readonly FetchPartitionResult[]> {
    return this.#reader.fetch(requests, params, requester)
  }

  /** The connection is gone: what waits on its behalf is dropped. */
  disconnected(requester: FetchRequester): void {
    this.#reader.disconnected(requester)
  }

  /** See {@link deleteRecords}. */
  deleteRecords(
    entries: readonly DeleteRecordsEntry[],
    timeoutMs: number,
  ): readonly DeleteRecordsResult[] | Promise<readonly DeleteRecordsResult[]> {
    const { hosted, purgatory } = this
    return deleteRecords(entries, timeoutMs, { hosted, purgatory, logger: this.#logger })
  }

  /** See {@link describeLogDirectories}. */
  describeLogDirectories(isWanted: (topic: string, partition: number) => boolean): DescribedDirectory[] {
    return describeLogDirectories(isWanted, this.#directoriesContext())
  }

  /** See {@link alterLogDirectories}. */
  alterLogDirectories(changes: readonly DirectoryChange[]): number[] {
    return alterLogDirectories(changes, this.#directoriesContext())
  }

  #directoriesContext(): LogDirectoriesContext {
    const { logManager } = this.#options
    return { hosted: this.hosted, logManager, moves: this.#moves, logger: this.#logger }
  }

  /**
   * Follows the cluster's metadata: hosts partitions that are placed here, making their logs, and gives up those that
   * are not any more, deleting theirs.
   */
  applyDelta(image: ClusterImage, delta: ClusterDelta): void {
    if (this.#isClosed) return
    this.#image = image
    // Topics that come all at once were there before this broker.
    const isFirst = !this.#hasImage && delta.topics.length === image.topicCount
    this.#hasImage = true
    for (const { name, before, after } of delta.topics) {
      if (after?.topicId !== before?.topicId) this.#giveUpTopic(name)
      if (!after) continue
      const isNew = !before && !isFirst
      for (const [index, state] of after.partitions.entries()) {
        if (state !== before?.partitions[index] || !this.hosted.find(name, index)) this.#place(after, index, isNew)
      }
    }
    if (isFirst) this.#setAsideFormerTopics()
  }

  /**
   * Logs of topics that were deleted and made anew with fewer partitions while their directory was offline. Those of topics
   * that are not there at all stay as they are: it may be the metadata that is lost.
   */
  #setAsideFormerTopics(): void {
    for (const log of [...this.#options.logManager.allLogs()]) {
      const { topic, partition } = log.topicPartition
      const ids = formerTopic(log, name => this.#image.topic(name)?.topicId)
      if (ids === undefined || this.hosted.find(topic, partition)) continue
      try {
        this.#setAside(log.topicPartition, ids)
      } catch (error) {
        this.#logger.error({ err: error }, `Could not set aside the log of a former topic ${topic}-${partition}`)
      }
    }
  }

  #setAside(topicPartition: TopicPartition, ids: { readonly found: string; readonly expected: string }): void {
    const { topic, partition } = topicPartition
    this.#logger.warn(ids, `Setting aside the log of a former topic ${topic}-${partition}`)
    this.#options.logManager.setAsideLog(topicPartition)
  }

  /**
   * Does ahead of {@link applyDelta}, so many logs in a turn of the event loop, what follows from a change that is about
   * to be published: makes the logs of partitions that will be placed here, and deletes those of topics that go. Until
   * that is published a partition without its log answers NOT_LEADER_OR_FOLLOWER. Resolves to the names of topics that may
   * have logs in a directory that is offline, which stay.
   */
  async prepare({ coming = [], going = [], cutOff = [] }: ComingChange): Promise<readonly string[]> {
    const left = await this.#giveUpTopics(going)
    if (cutOff.length > 0) await this.#deleteLeftovers(new Set(cutOff))
    await this.#makeLogs(coming)
    return this.#options.logManager.directories().some(({ isOffline }) => isOffline) ? [...left, ...cutOff] : left
  }

  /** Gives up all partitions of topics; resolves to the names of those of which a log is left. */
  async #giveUpTopics(topics: readonly TopicImage[]): Promise<string[]> {
    const left = new Set<string>()
    if (topics.length === 0) return []
    using _ = this.#options.logManager.deletingMany()
    const turn = inTurns(this.#options.clock, DELETIONS_IN_A_TURN)
    for (const { name, topicId } of topics) {
      const hosted = this.hosted.topic(name)
      if (hosted?.topicId !== topicId) continue
      for (const partition of hosted.partitions) {
        if (!partition) continue
        await turn()
        if (this.#isClosed) return [...left]
        if (!this.#giveUp(partition)) left.add(name)
      }
    }
    return [...left]
  }

  /** Deletes all logs of these topics, of which a broker that was killed has left some. */
  async #deleteLeftovers(topics: ReadonlySet<string>): Promise<void> {
    const { clock, logManager } = this.#options
    const turn = inTurns(clock, DELETIONS_IN_A_TURN)
    using _ = logManager.deletingMany()
    const left = [...logManager.allLogs()].filter(({ topicPartition: { topic } }) => topics.has(topic))
    for (const { topicPartition } of left) {
      await turn()
      if (this.#isClosed) return
      const hosted = this.hosted.find(topicPartition.topic, topicPartition.partition)
      if (hosted) this.#giveUp(hosted)
      else this.#deleteLog(topicPartition)
    }
  }

  /** What cannot be made now is tried again, and told, by {@link applyDelta}. */
  async #makeLogs(topics: readonly TopicImage[]): Promise<void> {
    const { brokerId, clock } = this.#options
    const turn = inTurns(clock, LOGS_IN_A_TURN)
    for (const topic of topics) {
      // Logs of a former topic are put aside when this one is published.
      if (this.hosted.topic(topic.name) && this.#image.topic(topic.name)?.topicId !== topic.topicId) continue
      for (const [index, { replicas }] of topic.partitions.entries()) {
        if (!replicas.includes(brokerId) || this.hosted.find(topic.name, index)) continue
        await turn()
        if (this.#isClosed) return
        try {
          this.#logFor(topic, index, true)
        } catch {
          return
        }
      }
    }
  }

  #place(topic: TopicImage, index: number, isNew: boolean): void {
    const { brokerId } = this.#options
    const state = topic.partitions[index]!
    const known = this.hosted.find(topic.name, index)
    if (!state.replicas.includes(brokerId)) {
      if (known) this.#giveUp(known)
      return
    }
    if (known) {
      known.applyState(state)
      return
    }
    const topicPartition = { topic: topic.name, partition: index }
    const partition = new Partition({ topicPartition, topicId: topic.topicId, brokerId, purgatory: this.purgatory })
    this.hosted.add(partition)
    try {
      partition.applyState(state, this.#logFor(topic, index, isNew))
      const future = this.#options.logManager.getFutureLog(topicPartition)
      if (future) this.#moves.start(partition, future)
    } catch (error) {
      this.#logger.error({ err: error }, `Could not open the log of partition ${topic.name}-${index}`)
      partition.goOffline()
    }
  }

  /**
   * A log of an earlier topic of that name is no log of this one. A log that is missing while a directory is offline may
   * be in there: only a new partition gets a new one then.
   */
  #logFor(topic: TopicImage, partition: number, isNew: boolean): Log {
    const { logManager } = this.#options
    const topicPartition = { topic: topic.name, partition }
    const topicId = topic.topicId === ZERO_UUID ? undefined : topic.topicId
    const found = logManager.getLog(topicPartition)
    if (found?.topicId !== undefined && topicId !== undefined && found.topicId !== topicId) {
      this.#setAside(topicPartition, { found: found.topicId, expected: topicId })
    } else if (!found && !isNew && logManager.directories().some(({ isOffline }) => isOffline)) {
      throw new KafkaError('KAFKA_STORAGE_ERROR', 'its log is not to be found, and a log directory is offline')
    }
    if (!found && !isNew) {
      this.#logger.warn({}, `Partition ${topic.name}-${partition} has a log in none of log.dirs: it begins anew, empty`)
    }
    return logManager.getOrCreateLog(topicPartition, { topicId })
  }

  #giveUpTopic(name: string): void {
    const hosted = this.hosted.topic(name)
    if (!hosted) return
    for (const partition of hosted.partitions) if (partition) this.#giveUp(partition)
  }

  /** Ends the hosting of a partition and deletes its log; returns whether that is gone. */
  #giveUp(partition: Partition): boolean {
    this.hosted.remove(partition)
    this.#moves.stop(partition)
    const wasOffline = partition.isOffline
    partition.close()
    return !wasOffline && this.#deleteLog(partition.topicPartition)
  }

  #deleteLog(topicPartition: TopicPartition): boolean {
    const { topic, partition } = topicPartition
    try {
      this.#options.logManager.deleteFutureLog(topicPartition)
      this.#options.logManager.deleteLog(topicPartition)
      return true
    } catch (error) {
      this.#logger.error({ err: error }, `Could not delete the log of partition ${topic}-${partition}`)
      return false
    }
  }

  #directoryFailed(path: string): void {
    let count = 0
    for (const partition of this.hosted.all()) {
      if (partition.futureLog?.directory === path) this.#moves.stop(partition)
      if (partition.log?.directory !== path || partition.isOffline) continue
      this.#moves.stop(partition)
      partition.goOffline()
      count++
    }
    this.#logger.error({ partitions: count }, `Stopped serving replicas in dir ${path} because it has failed`)
  }
}
