import { type Clock, DiskError, type Logger, type Timer } from '../platform/index.ts'
import { KafkaError } from '../protocol/index.ts'
import type { CleaningRunner } from './cleaning-runner.ts'
import type { CleaningResult } from './cleaning-task.ts'
import type { Log } from './log.ts'
import type { CleanableRange, CleaningRound } from './log-compaction.ts'
import { partitionName, type TopicPartition } from './topic-partition.ts'

/** `log.cleaner.*` as it is in effect. */
export interface CleanerSettings {
  /** Logs that are cleaned at the same time. */
  readonly threads: number
  /** Memory for all tables of keys together. */
  readonly dedupeBufferBytes: number
  /** How full a table may get, 0 to 1. */
  readonly loadFactor: number
  /** Memory in which all read and write. */
  readonly ioBufferBytes: number
  /** Most bytes that all read and write a second together. */
  readonly maxBytesPerSecond: number
  /** Pause when there is nothing to clean. */
  readonly backoffMs: number
}

/** Kafka's defaults. */
export const defaultCleanerSettings: CleanerSettings = {
  threads: 1,
  dedupeBufferBytes: 128 * 2 ** 20,
  loadFactor: 0.9,
  ioBufferBytes: 512 * 1024,
  maxBytesPerSecond: Number.MAX_VALUE,
  backoffMs: 15_000,
}

/** What a cleaner works with. */
export interface LogCleanerOptions {
  readonly clock: Clock
  readonly logger: Logger
  /** Looked at before each round. */
  readonly settings: () => CleanerSettings
  /** All logs that may be cleaned now. */
  readonly logs: () => Iterable<Log>
  /** Deletes what retention lets go of a compacted log. */
  readonly deleteOldSegments: (log: Log) => Promise<void>
  /** Resolves when how far the log is clean is on disk. */
  readonly saveCleaned: (log: Log) => Promise<void>
  readonly newRunner: () => CleaningRunner
}

/** The cleaner in numbers, as Kafka's metrics have them. */
export interface CleanerFigures {
  readonly uncleanablePartitions: number
  readonly uncleanableBytes: number
  /** Of the dirtiest log that the last look found. */
  readonly maxDirtyPercent: number
  /** By how much the log that waits longest is over its `max.compaction.lag.ms`, as the last look found. */
  readonly maxCompactionDelaySecs: number
  readonly timeSinceLastRunMs: number
  /** Of the bytes read by the last round of each cleaner, how many it wrote again. */
  readonly recopyPercent: number
  readonly maxCleanTimeSecs: number
  readonly maxBufferUtilizationPercent: number
  /** Cleaners whose thread has died and was not started again yet, for the next round. */
  readonly deadThreads: number
}

interface Running {
  readonly log: Log
  readonly abort: AbortController
  readonly ended: Promise<void>
}

/** What the last round of a cleaner did. */
interface LastRound extends CleaningResult {
  readonly seconds: number
}

/**
 * Compacts the logs whose topics want it, the dirtiest first (Kafka's LogCleaner): so many at a time as there are
 * cleaners, and a look for more every now and then. A log that is deleted, moved, cut or not to be compacted any more
 * ends its round; one whose records cannot be read is left alone from then on, and counted.
 */
export class LogCleaner {
  readonly #options: LogCleanerOptions
  readonly #logger: Logger
  readonly #running = new Map<string, Running>()
  /** Idle ones; each has at most one round under way. */
  #runners: { readonly runner: CleaningRunner; last: LastRound | undefined }[] = []
  readonly #all = new Set<{ readonly runner: CleaningRunner; last: LastRound | undefined }>()
  #uncleanable = new Set<Log>()
  #timer: Timer | undefined
  #maxDirtyRatio = 0
  #maxOverdueMs = 0
  #lastLookMs: number
  #isClosed = false

  constructor(options: LogCleanerOptions) {
    this.#options = options
    this.#logger = options.logger.child({ logger: 'kafka.log.LogCleaner' })
    this.#lastLookMs = options.clock.monotonicMs()
  }

  /** Begins to look for work. */
  start(): void {
    this.#timer?.cancel()
    this.#timer = this.#options.clock.schedule(this.#options.settings().backoffMs, () => this.#look())
  }

  /** Whether a round of the log is under way. */
  isCleaning(log: Log): boolean {
    return this.#running.get(partitionName(log.topicPartition))?.log === log
  }

  /**
   * Ends the round of a partition, if one is under way (KAFKA-12840, KAFKA-7322): from now on it changes nothing in the
   * log. Its files are gone when the promise resolves.
   */
  async abort(topicPartition: TopicPartition): Promise<void> {
    const running = this.#running.get(partitionName(topicPartition))
    running?.abort.abort()
    await running?.ended
  }

  /** Ends all rounds; resolves when nothing is under way any more. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#timer?.cancel()
    await Promise.all(Array.from(this.#running.values(), ({ log }) => this.abort(log.topicPartition)))
    await this.#rest()
  }

  get figures(): CleanerFigures {
    const rounds = [...this.#all].flatMap(({ last }) => (last === undefined ? [] : [last]))
    const bytesRead = rounds.reduce((sum, round) => sum + round.bytesRead, 0)
    const bytesWritten = rounds.reduce((sum, round) => sum + round.bytesWritten, 0)
    const logs = new Set(this.#options.logs())
    const uncleanable = [...this.#uncleanable].filter(log => logs.has(log))
    return {
      uncleanablePartitions: uncleanable.length,
      uncleanableBytes: uncleanable.reduce((sum, log) => sum + this.#rangeOf(log).cleanableBytes, 0),
      maxDirtyPercent: Math.floor(100 * this.#maxDirtyRatio),
      maxCompactionDelaySecs: Math.floor(this.#maxOverdueMs / 1000),
      timeSinceLastRunMs: Math.floor(this.#options.clock.monotonicMs() - this.#lastLookMs),
      recopyPercent: Math.floor((100 * bytesWritten) / Math.max(bytesRead, 1)),
      maxCleanTimeSecs: Math.floor(Math.max(0, ...rounds.map(({ seconds }) => seconds))),
      maxBufferUtilizationPercent: Math.floor(100 * Math.max(0, ...rounds.map(round => round.keyTableUtilization))),
      deadThreads: [...this.#all].filter(({ runner }) => runner.isDead).length,
    }
  }

  /** Gives every cleaner that is free something to do; looks again later when there is nothing. */
  #look(): void {
    this.#timer?.cancel()
    if (this.#isClosed) return
    const { threads, backoffMs } = this.#options.settings()
    while (this.#running.size < threads) {
      const next = this.#dirtiest()
      if (next === undefined) break
      this.#begin(next)
    }
    if (this.#running.size === 0) void this.#rest()
    for (const log of this.#options.logs()) {
      if (log.config.cleanupPolicy.includes('compact')) void this.#options.deleteOldSegments(log)
    }
    this.#timer = this.#options.clock.schedule(backoffMs, () => this.#look())
  }

  /** The log that most wants cleaning (LogCleanerManager.grabFilthiestCompactedLog). */
  #dirtiest(): { readonly log: Log; readonly range: CleanableRange } | undefined {
    const logs = [...this.#options.logs()]
    this.#uncleanable = new Set(logs.filter(log => this.#uncleanable.has(log)))
    this.#lastLookMs = this.#options.clock.monotonicMs()
    this.#maxDirtyRatio = 0
    this.#maxOverdueMs = 0
    let dirtiest: { readonly log: Log; readonly range: CleanableRange } | undefined
    for (const log of logs) {
      if (!log.config.cleanupPolicy.includes('compact') || log.isOffline) continue
      if (this.#uncleanable.has(log) || this.#running.has(partitionName(log.topicPartition))) continue
      const range = this.#rangeOf(log)
      if (range.cleanableBytes === 0) continue
      this.#maxDirtyRatio = Math.max(this.#maxDirtyRatio, dirtyRatio(range))
      this.#maxOverdueMs = Math.max(this.#maxOverdueMs, range.overdueMs)
      if (range.overdueMs === 0 && dirtyRatio(range) <= log.config.minCleanableDirtyRatio) continue
      if (dirtiest === undefined || dirtyRatio(range) > dirtyRatio(dirtiest.range)) dirtiest = { log, range }
    }
    return dirtiest
  }

  #rangeOf(log: Log): CleanableRange {
    return log.compaction.cleanableRange(this.#options.clock.now())
  }

  #begin({ log, range }: { readonly log: Log; readonly range: CleanableRange }): void {
    const abort = new AbortController()
    const name = partitionName(log.topicPartition)
    const ended = this.#clean(log, range, abort.signal).then(goOn => {
      this.#running.delete(name)
      if (goOn) this.#look()
    })
    this.#running.set(name, { log, abort, ended })
  }

  /** Runs one round; resolves to whether it makes sense to look for the next at once. */
  async #clean(log: Log, range: CleanableRange, signal: AbortSignal): Promise<boolean> {
    const { clock, settings, newRunner } = this.#options
    const { threads, dedupeBufferBytes, loadFactor, ioBufferBytes, maxBytesPerSecond } = settings()
    const memory = { keyTableBytes: dedupeBufferBytes / threads, loadFactor, ioBufferBytes: ioBufferBytes / threads }
    const cleaner = this.#runners.pop() ?? { runner: newRunner(), last: undefined }
    this.#all.add(cleaner)
    const startedMs = clock.monotonicMs()
    let round: CleaningRound | undefined
    try {
      const planned = log.compaction.plan(range, clock.now(), memory)
      round = planned
      const result = await cleaner.runner.run(planned.task, {
        bytesPerSecond: maxBytesPerSecond / threads,
        signal,
        onGroup: async group => !signal.aborted && (await log.compaction.replaceSegments(planned, group)),
      })
      if (result === undefined || signal.aborted || !log.compaction.isCurrent(planned)) return false
      log.cleanedUpTo = result.endOffset
      await this.#options.saveCleaned(log)
      cleaner.last = { ...result, seconds: (clock.monotonicMs() - startedMs) / 1000 }
      this.#report(log, range, cleaner.last)
      return true
    } catch (error) {
      return this.#failed(error, log, signal.aborted || (round !== undefined && !log.compaction.isCurrent(round)))
    } finally {
      this.#runners.push(cleaner)
    }
  }

  #failed(error: unknown, log: Log, isOver: boolean): boolean {
    // What goes wrong with a log that is being deleted, cut or taken offline says nothing.
    if (isOver || (error instanceof KafkaError && error.code === 'KAFKA_STORAGE_ERROR')) return false
    const partition = partitionName(log.topicPartition)
    if (error instanceof DiskError && error.code === 'ENOSPC') {
      this.#logger.warn(
        { err: error, partition },
        'no space to compact the log, which stays as it is; trying again later',
      )
      return false
    }
    if (error instanceof DiskError) {
      log.compaction.failed(error)
      return false
    }
    this.#uncleanable.add(log)
    this.#logger.error({ err: error, partition }, 'log cannot be compacted and is left alone until the next start')
    return true
  }

  #report(log: Log, range: CleanableRange, round: LastRound): void {
    const { endOffset, bytesRead, bytesWritten, recordsRead, recordsWritten, keylessRecords } = round
    const fields = {
      partition: partitionName(log.topicPartition),
      dirty: [range.firstDirtyOffset, endOffset],
      bytesRead,
      bytesWritten,
      recordsRead,
      recordsWritten,
      keyTablePercent: Math.round(100 * round.keyTableUtilization),
      ms: Math.round(round.seconds * 1000),
    }
    this.#logger.info(fields, 'compacted log')
    if (keylessRecords > 0)
      this.#logger.warn({ partition: fields.partition, keylessRecords }, 'dropped records without a key')
  }

  async #rest(): Promise<void> {
    await Promise.all(Array.from(this.#runners, ({ runner }) => runner.rest()))
  }
}

function dirtyRatio({ cleanBytes, cleanableBytes }: CleanableRange): number {
  return cleanableBytes / Math.max(1, cleanBytes + cleanableBytes)
}
