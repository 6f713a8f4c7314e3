import assert from 'node:assert/strict'
import type { DiskError, DiskSpace, Logger } from '../platform/index.ts'
import { KafkaError } from '../protocol/index.ts'
import { CleaningOnLoop } from './cleaning-runner.ts'
import { CleaningThread } from './cleaning-thread.ts'
import { FutureLogs } from './future-logs.ts'
import type { Log } from './log.ts'
import { type CleanerFigures, LogCleaner } from './log-cleaner.ts'
import type { LogConfig } from './log-config.ts'
import { createLog } from './log-creation.ts'
import { LogDirectory, type StorageContext } from './log-directory.ts'
import { loadDirectory, openDirectory } from './log-directory-loader.ts'
import { DEFAULT_INTERVALS, type DirectoryFailureListener, type LogManagerOptions } from './log-manager-options.ts'
import type { LogOwner } from './log-parts.ts'
import { deletingMany, type ManagedDirectory } from './managed-directory.ts'
import { OpenFiles } from './open-files.ts'
import { PeriodicTasks } from './periodic-tasks.ts'
import { PreferredDirectories } from './preferred-directories.ts'
import { RemovalQueue } from './removal-queue.ts'
import { formerTopic, strayOf } from './stray-logs.ts'
import { TailCacheBudget } from './tail-cache.ts'
import { markedDirectoryName, partitionName, type TopicPartition } from './topic-partition.ts'

const DAY_MS = 24 * 3600 * 1000
const LONGEST_INTERVAL_MS = 2 ** 31 - 1

/**
 * All logs of a broker: opens and recovers them, makes and deletes them, flushes, checkpoints and deletes old segments
 * as time goes by. A directory whose disk fails goes offline with its logs, the others go on.
 */
export class LogManager {
  readonly #context: StorageContext
  readonly #options: LogManagerOptions
  readonly #logger: Logger
  readonly #tasks: PeriodicTasks
  readonly #owner: LogOwner
  readonly #logs = new Map<string, Log>()
  readonly #futures: FutureLogs
  readonly #cleaner: LogCleaner | undefined
  readonly #preferred = new PreferredDirectories()
  readonly #directories: ManagedDirectory[] = []
  /** Directories that could not even be opened. */
  readonly #unusable: LogDirectory[] = []
  readonly #failureListeners: DirectoryFailureListener[] = []
  #isClosed = false

  private constructor(options: LogManagerOptions) {
    this.#options = options
    this.#logger = options.logger.child({ logger: 'kafka.log.LogManager' })
    this.#context = {
      disk: options.disk,
      clock: options.clock,
      random: options.random,
      logger: options.logger.child({ logger: 'kafka.log.UnifiedLog' }),
      openFiles: new OpenFiles(options.maxOpenFiles ?? 4096),
      removals: new RemovalQueue(options.disk, options.clock),
      tailBudget: new TailCacheBudget(options.tailCacheBytes ?? 32 * 2 ** 20),
    }
    this.#tasks = new PeriodicTasks(options.clock)
    this.#owner = {
      saveRecoveryPoints: directory => this.#managed(directory).saveRecoveryPoints(),
      saveLogStartOffsets: directory => this.#managed(directory).saveLogStartOffsets(),
      saveCleanerOffsets: directory => this.#managed(directory).saveCleanerOffsets(),
    }
    this.#futures = new FutureLogs({ context: this.#context, owner: this.#owner, configOf: options.configOf })
    this.#cleaner = options.cleaner && this.#newCleaner(options.cleaner)
  }

  #newCleaner(settings: NonNullable<LogManagerOptions['cleaner']>): LogCleaner {
    const { clock, disk, logger, cleanerThreads } = this.#options
    return new LogCleaner({
      clock,
      logger,
      settings,
      logs: () => [...this.#logs.values()].filter(log => this.getFutureLog(log.topicPartition) === undefined),
      saveCleaned: async log => this.#holderOf(log)?.saveCleanerOffsets(),
      deleteOldSegments: log => this.#deleteOldSegments(log),
      newRunner: () => (cleanerThreads ? new CleaningThread(cleanerThreads) : new CleaningOnLoop(disk, clock)),
    })
  }

  /** The cleaner in numbers; undefined where nothing is compacted. */
  get cleanerFigures(): CleanerFigures | undefined {
    return this.#cleaner?.figures
  }

  /**
   * Takes the directories, opens all logs in them, recovering those that need it, and begins to look after them.
   *
   * @throws LogDirectoryLockedError when another process has one of them; the last DiskError when none can be opened;
   * KAFKA_STORAGE_ERROR when none of those that can is online with its logs
   */
  static async open(options: LogManagerOptions): Promise<LogManager> {
    const manager = new LogManager(options)
    try {
      await manager.#openDirectories()
      for (const managed of manager.#directories) await manager.#load(managed)
      if (manager.directories().every(({ isOffline }) => isOffline)) manager.#directories[0]!.directory.assertOnline()
      manager.#setAsideFormerCopies()
      await manager.#futures.cutToLogs(topicPartition => manager.getLog(topicPartition))
      await manager.#promoteOrphans()
    } catch (error) {
      await manager.#release()
      throw error
    }
    manager.#startTasks()
    manager.#cleaner?.start()
    return manager
  }

  async #openDirectories(): Promise<void> {
    let failure: unknown
    for (const path of this.#options.directories) {
      const directory = new LogDirectory(path, (failed, error) => this.#directoryFailed(failed, error))
      try {
        this.#directories.push(await openDirectory(this.#options.disk, directory))
      } catch (error) {
        if (directory.failed(error) === error) throw error
        failure = error
        this.#unusable.push(directory)
      }
    }
    if (this.#directories.length === 0) throw failure ?? new Error('no log directory is given')
  }

  async #load(managed: ManagedDirectory): Promise<void> {
    const { configOf } = this.#options
    const onDeleted = (from: ManagedDirectory, path: string): void =>
      this.#context.removals.remove(from.directory, [path], 0)
    const logs = await loadDirectory(managed, { context: this.#context, owner: this.#owner, configOf, onDeleted })
    for (const log of logs) {
      const name = partitionName(log.topicPartition)
      if (log.isFuture) {
        this.#futures.add(log, managed)
        continue
      }
      const other = this.#logs.get(name)
      this.#logs.set(name, other === undefined ? log : this.#chooseOne(other, log))
    }
  }

  /**
   * A partition is found twice when a directory was missing at a start, which made its logs anew. The one of a topic deleted
   * since, or still empty, is kept out of the way for an operator to look at. Nobody can choose between two with records.
   */
  #chooseOne(first: Log, second: Log): Log {
    const stray = strayOf(first, second, this.#options.topicIdOf)
    const name = partitionName(first.topicPartition)
    const found = `${name} is in two log directories: ${first.path} and ${second.path}`
    if (stray === undefined) throw new Error(`${found}; move the one that does not count elsewhere`)
    const managed = this.#holderOf(stray)!
    managed.logs.delete(stray)
    stray.abandon()
    this.#setAside(stray, managed, 'stray')
    this.#logger.warn(
      { directory: managed.path },
      `${found}; setting aside the one that is empty, or of a deleted topic`,
    )
    return stray === first ? second : first
  }

  /** A copy that was in the making when its topic was deleted, in a directory that has been missing since. */
  #setAsideFormerCopies(): void {
    for (const copy of this.#futures.all()) {
      if (copy.isOffline || formerTopic(copy, this.#options.topicIdOf) === undefined) continue
      const { log, managed } = this.#futures.forget(copy.topicPartition)!
      this.#logger.warn(
        { directory: managed.path },
        `setting aside ${log.path}: a copy for a former topic of that name`,
      )
      try {
        this.#setAside(log, managed, 'stray')
      } catch (error) {
        // It has taken the directory offline, which was reported.
        if (!managed.directory.isOffline) throw error
      }
    }
  }

  /**
   * A stop between the two renames of {@link promoteFutureLog} leaves a complete copy without its log. While a directory
   * is missing that may be where the log is, and the copy is left alone.
   */
  async #promoteOrphans(): Promise<void> {
    if (this.directories().some(({ isOffline }) => isOffline)) return
    for (const future of this.#futures.all()) {
      if (this.#logs.has(partitionName(future.topicPartition))) continue
      await future.close()
      const { log } = await this.#futures.promote(future.topicPartition)
      this.#logs.set(partitionName(log.topicPartition), log)
    }
  }

  #startTasks(): void {
    const intervals = { ...DEFAULT_INTERVALS, ...this.#options.intervals }
    const every = (intervalMs: number, task: () => void | Promise<void>): void => {
      if (intervalMs <= LONGEST_INTERVAL_MS) this.#tasks.every(intervalMs, task)
    }
    every(intervals.retentionCheckMs, () => this.deleteOldSegments())
    every(intervals.flushCheckMs, () => this.#flushDue())
    every(intervals.recoveryPointCheckpointMs, () => this.#forOnline(managed => managed.saveRecoveryPoints()))
    every(intervals.logStartCheckpointMs, () => this.#forOnline(managed => managed.saveLogStartOffsets()))
    every(intervals.highWatermarkCheckpointMs, () => this.checkpointHighWatermarks())
    every(intervals.producerExpirationCheckMs, () => {
      for (const log of this.#logs.values()) log.expireProducers(this.#options.producerIdExpirationMs?.() ?? DAY_MS)
    })
  }

  /** Whether the last run stopped cleanly, or there was none: no log needed recovery. */
  get wasClean(): boolean {
    return this.#directories.every(({ wasClean }) => wasClean)
  }

  /** The log of a partition, if there is one and its directory is online. */
  getLog(topicPartition: TopicPartition): Log | undefined {
    return this.#logs.get(partitionName(topicPartition))
  }

  /** All logs that are online. */
  allLogs(): Iterable<Log> {
    return this.#logs.values()
  }

  /** The copy of a partition's log in another directory, if it is being moved there. */
  getFutureLog(topicPartition: TopicPartition): Log | undefined {
    return this.#futures.get(topicPartition)
  }

  /** What is free in a directory's file system. */
  spaceOf(directory: string): DiskSpace {
    return this.#context.disk.space(directory)
  }

  /** Directories as DescribeLogDirs shows them, with all logs in them, also those in the making. */
  directories(): { readonly path: string; readonly isOffline: boolean; readonly logs: Iterable<Log> }[] {
    const usable = this.#directories.map(({ directory, logs }) => ({ directory, logs: logs as Iterable<Log> }))
    const unusable = this.#unusable.map(directory => ({ directory, logs: [] as Iterable<Log> }))
    return [...usable, ...unusable].map(({ directory: { path, isOffline }, logs }) => ({ path, isOffline, logs }))
  }

  /**
   * The log of a partition, made in the directory with the fewest logs where it is missing.
   *
   * @throws INCONSISTENT_TOPIC_ID when the log is there for another topic of the same name; KAFKA_STORAGE_ERROR when no
   * directory is online
   */
  getOrCreateLog(topicPartition: TopicPartition, options: { readonly topicId?: string | undefined } = {}): Log {
    const { topicId } = options
    const name = partitionName(topicPartition)
    const existing = this.#logs.get(name)
    if (existing !== undefined) {
      if (topicId !== undefined && existing.topicId !== undefined && topicId !== existing.topicId) {
        throw new KafkaError('INCONSISTENT_TOPIC_ID', `${name} is of topic ${existing.topicId}, not ${topicId}`)
      }
      if (topicId !== undefined && existing.topicId === undefined) existing.topicIdAssigned(topicId)
      return existing
    }
    assert(!this.#isClosed, 'log manager is closed')
    const managed = this.#online(this.#preferred.take(topicPartition)) ?? this.#emptiest()
    const log = createLog({
      context: this.#context,
      owner: this.#owner,
      directory: managed.directory,
      topicPartition,
      topicId,
      config: this.#options.configOf(topicPartition.topic),
      settleDirectory: () => managed.settle(),
    })
    managed.logs.add(log)
    this.#logs.set(name, log)
    return log
  }

  /** The partition shall be made in `directory` when the time comes (KIP-113). */
  preferDirectory(topicPartition: TopicPartition, directory: string): void {
    this.#preferred.prefer(topicPartition, directory)
  }

  #online(path: string | undefined): ManagedDirectory | undefined {
    return this.#directories.find(managed => managed.path === path && !managed.directory.isOffline)
  }

  /**
   * Begins a copy of a partition's log in another directory. Whoever asks fills it with `appendAsFollower`.
   *
   * @throws LOG_DIR_NOT_FOUND; KAFKA_STORAGE_ERROR; INVALID_TOPIC_EXCEPTION for a name that is too long to be moved
   */
  createFutureLog(topicPartition: TopicPartition, directory: string): Log {
    const current = this.getLog(topicPartition)
    assert(current !== undefined && this.getFutureLog(topicPartition) === undefined)
    if (!this.directories().some(({ path }) => path === directory)) throw new KafkaError('LOG_DIR_NOT_FOUND')
    const managed = this.#online(directory)
    if (managed === undefined) throw new KafkaError('KAFKA_STORAGE_ERROR', `log directory ${directory} is offline`)
    void this.#cleaner?.abort(topicPartition)
    return this.#futures.create(current, managed)
  }

  /** Resolves when the copy may be filled; see {@link FutureLogs.settle}. */
  settleFutureLog(topicPartition: TopicPartition): Promise<void> {
    return this.#futures.settle(topicPartition)
  }

  /** Many logs are deleted until what is returned is disposed of: checkpoints are written once for all of them. */
  deletingMany(): Disposable {
    return deletingMany([...this.#directories])
  }

  /** Gives up a copy; does nothing when there is none. */
  deleteFutureLog(topicPartition: TopicPartition): void {
    const found = this.#futures.forget(topicPartition)
    if (found) this.#setAside(found.log, found.managed, 'delete')
  }

  /**
   * Puts a copy, which must be closed, in the place of the partition's log, which is deleted. In between the partition
   * has no log: nobody may use it until the promise resolves, with the log that it has from now on.
   *
   * @throws KAFKA_STORAGE_ERROR
   */
  async promoteFutureLog(topicPartition: TopicPartition): Promise<Log> {
    const current = this.getLog(topicPartition)
    const from = this.#holderOf(current)
    this.deleteLog(topicPartition)
    // Else a power cut could bring the log back beside its copy, and nobody could tell which one counts.
    await from?.directory.runLater(() => this.#context.disk.syncDirectory(from.path))
    const { log, managed } = await this.#futures.promote(topicPartition, current?.cleanedUpTo)
    this.#logs.set(partitionName(topicPartition), log)
    if (log.cleanedUpTo !== undefined) await managed.saveCleanerOffsets()
    return log
  }

  #emptiest(): ManagedDirectory {
    const online = this.#directories.filter(({ directory }) => !directory.isOffline)
    const [first, ...others] = online
    if (first === undefined) throw new KafkaError('KAFKA_STORAGE_ERROR', 'no log directory is online')
    return others.reduce((least, managed) => (managed.logs.size < least.logs.size ? managed : least), first)
  }

  /**
   * Deletes a partition's log: it is gone when the call returns, its files after `file.delete.delay.ms`. Does nothing
   * when there is none.
   *
   * @throws KAFKA_STORAGE_ERROR
   */
  deleteLog(topicPartition: TopicPartition): void {
    this.#takeOut(topicPartition, 'delete')
  }

  /**
   * Keeps the files of a log that is none of the partition's any more under a name that no start takes for a log
   * (`-stray`); an operator decides what becomes of them. Does nothing when there is none.
   *
   * @throws KAFKA_STORAGE_ERROR
   */
  setAsideLog(topicPartition: TopicPartition): void {
    this.#takeOut(topicPartition, 'stray')
  }

  #takeOut(topicPartition: TopicPartition, mark: 'delete' | 'stray'): void {
    const name = partitionName(topicPartition)
    const log = this.#logs.get(name)
    if (log === undefined) return
    const managed = this.#holderOf(log)!
    void this.#cleaner?.abort(topicPartition)
    this.#logs.delete(name)
    managed.logs.delete(log)
    log.abandon()
    this.#setAside(log, managed, mark)
  }

  #holderOf(log: Log | undefined): ManagedDirectory | undefined {
    return log && this.#directories.find(({ logs }) => logs.has(log))
  }

  /** Renames the directory of a log that is closed and in no book; what is marked `delete` goes after a while. */
  #setAside(log: Log, managed: ManagedDirectory, mark: 'delete' | 'stray'): void {
    const { disk, random } = this.#context
    const marked = `${managed.path}/${markedDirectoryName(log.topicPartition, mark, random)}`
    managed.directory.run(() => disk.rename(log.path, marked))
    managed.forget(log)
    if (mark === 'delete') this.#context.removals.remove(managed.directory, [marked], log.config.fileDeleteDelayMs)
  }

  /** Settings of topics changed, by topic: they count for all their logs from now on. */
  topicConfigsChanged(settings: ReadonlyMap<string, LogConfig>): void {
    for (const log of [...this.#logs.values(), ...this.#futures.all()]) {
      const config = settings.get(log.topicPartition.topic)
      if (config === undefined) continue
      log.configChanged(config)
      if (!config.cleanupPolicy.includes('compact')) void this.#cleaner?.abort(log.topicPartition)
    }
  }

  /** `listener` hears of every directory that goes offline from now on. */
  onDirectoryFailure(listener: DirectoryFailureListener): void {
    this.#failureListeners.push(listener)
  }

  #directoryFailed(directory: LogDirectory, error: DiskError): void {
    const managed = this.#directories.find(other => other.directory === directory)
    const partitions = [...(managed?.logs ?? [])]
      .filter(log => !log.isFuture)
      .map(({ topicPartition }) => topicPartition)
    this.#logger.error(
      { err: error, directory: directory.path, partitions: partitions.length },
      'log directory goes offline',
    )
    if (managed) this.#futures.directoryFailed(managed)
    for (const log of managed?.logs ?? []) {
      if (!log.isFuture) this.#logs.delete(partitionName(log.topicPartition))
      void this.#cleaner?.abort(log.topicPartition)
      log.abandon()
    }
    managed?.logs.clear()
    for (const listener of this.#failureListeners) listener(directory.path, partitions, error)
  }

  /** Deletes what the retention of each topic lets go; {@link LogManagerIntervals.retentionCheckMs} does it too. */
  async deleteOldSegments(): Promise<void> {
    for (const log of [...this.#logs.values()]) await this.#deleteOldSegments(log)
  }

  async #deleteOldSegments(log: Log): Promise<void> {
    // It may have been deleted while others were looked after; what is being compacted has its turn later.
    if (!this.#has(log) || this.#cleaner?.isCleaning(log)) return
    await log.deleteOldSegments().catch(error => this.#report(error, log))
  }

  /** Resolves when everything in all logs survives a power cut. */
  async flushAll(): Promise<void> {
    await Promise.all(Array.from(this.#logs.values(), log => log.flush()))
  }

  async #flushDue(): Promise<void> {
    const nowMs = this.#context.clock.monotonicMs()
    const due = [...this.#logs.values()].filter(
      log => log.logEndOffset > log.recoveryPoint && nowMs - log.lastFlushMs >= log.config.flushMs,
    )
    await Promise.all(due.map(log => log.flush().catch(error => this.#report(error, log))))
  }

  /** Resolves when the high watermarks as they are now are on disk. */
  checkpointHighWatermarks(): Promise<void> {
    return this.#forOnline(managed => managed.saveHighWatermarks())
  }

  async #forOnline(task: (managed: ManagedDirectory) => Promise<void>): Promise<void> {
    const online = this.#directories.filter(({ directory }) => !directory.isOffline)
    // A failure has taken the directory offline, which was reported.
    await Promise.all(online.map(managed => task(managed).catch(() => {})))
  }

  /**
   * A clean stop: resolves when every log is synced and closed, the checkpoints are written and each directory that is
   * online carries the marker which spares the next start a recovery.
   */
  async close(options: { readonly brokerEpoch?: number } = {}): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#tasks.stop()
    await this.#cleaner?.close()
    for (const managed of this.#directories) {
      try {
        await managed.closeLogs()
        if (managed.directory.isOffline) continue
        await Promise.all([managed.saveRecoveryPoints(), managed.saveHighWatermarks(), managed.saveLogStartOffsets()])
        await managed.markClean(options.brokerEpoch ?? -1)
      } catch (error) {
        this.#report(error)
      }
    }
    await this.#release()
  }

  async #release(): Promise<void> {
    this.#tasks.stop()
    await this.#cleaner?.close()
    await this.#context.removals.close()
    await Promise.all(this.#directories.map(managed => managed.release()))
  }

  #managed(directory: LogDirectory): ManagedDirectory {
    return this.#directories.find(managed => managed.directory === directory)!
  }

  #has(log: Log): boolean {
    return !this.#isClosed && this.getLog(log.topicPartition) === log
  }

  /** An error of a log that was deleted meanwhile is none. */
  #report(error: unknown, log?: Log): void {
    if (log !== undefined && !this.#has(log)) return
    const fields = log === undefined ? { err: error } : { err: error, partition: partitionName(log.topicPartition) }
    this.#logger.error(fields, 'log could not be looked after')
  }
}
