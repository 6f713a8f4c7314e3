import type { Disk, DiskLock } from '../platform/index.ts'
import { CheckpointError, OffsetCheckpoint, type PartitionOffset } from './checkpoint-file.ts'
import { CleanShutdownFile } from './clean-shutdown-file.ts'
import type { Log } from './log.ts'
import type { LogDirectory } from './log-directory.ts'
import { RecoveryMarker } from './recovery-marker.ts'
import { partitionName } from './topic-partition.ts'

const CLOSES_AT_ONCE = 32

/** What the checkpoints of a directory said when it was opened, by partition name. */
export interface DirectoryOffsets {
  readonly recoveryPoints: ReadonlyMap<string, number>
  readonly highWatermarks: ReadonlyMap<string, number>
  readonly logStartOffsets: ReadonlyMap<string, number>
  readonly cleanedUpTo: ReadonlyMap<string, number>
}

/** One of `log.dirs` while this process holds it: its lock, its checkpoints, the logs in it. */
export class ManagedDirectory {
  readonly directory: LogDirectory
  readonly logs = new Set<Log>()
  /** Whether nothing in it needed recovery when it was opened. */
  wasClean = true
  readonly #lock: DiskLock
  readonly #cleanShutdown: CleanShutdownFile
  readonly #recovery: RecoveryMarker
  readonly #recoveryPoints: OffsetCheckpoint
  readonly #highWatermarks: OffsetCheckpoint
  readonly #logStartOffsets: OffsetCheckpoint
  readonly #cleanerOffsets: OffsetCheckpoint
  readonly #disk: Disk
  #forgotten: Promise<void> = Promise.resolve()
  #willForget = false
  #mustForget = false
  #mustForgetCleaning = false
  /** Who deletes many logs, for which the checkpoints are to be written once. */
  #deletions = 0
  #entriesSync: Promise<void> | undefined

  constructor(disk: Disk, directory: LogDirectory, lock: DiskLock) {
    const { path } = directory
    this.directory = directory
    this.#disk = disk
    this.#lock = lock
    this.#cleanShutdown = new CleanShutdownFile(disk, path)
    this.#recovery = new RecoveryMarker(disk, path)
    this.#recoveryPoints = new OffsetCheckpoint(disk, path, 'recovery-point-offset-checkpoint')
    this.#highWatermarks = new OffsetCheckpoint(disk, path, 'replication-offset-checkpoint')
    this.#logStartOffsets = new OffsetCheckpoint(disk, path, 'log-start-offset-checkpoint')
    this.#cleanerOffsets = new OffsetCheckpoint(disk, path, 'cleaner-offset-checkpoint')
  }

  get path(): string {
    return this.directory.path
  }

  /** Whether the last run stopped cleanly; the marker is gone for good then. */
  takeCleanMarker(): Promise<boolean> {
    return this.directory.runLater(() => this.#cleanShutdown.take())
  }

  /** The logs are going to be recovered; whether the recovery before was cut off. */
  beginRecovery(): boolean {
    return this.directory.run(() => this.#recovery.begin())
  }

  /** All logs are recovered, and what was cut off does not come back. */
  endRecovery(): void {
    this.directory.run(() => this.#recovery.end())
  }

  /** Reads the checkpoints. A broken one counts as empty, which costs a longer recovery; `onBroken` hears of it. */
  readOffsets(onBroken: (error: CheckpointError) => void): DirectoryOffsets {
    const read = (checkpoint: OffsetCheckpoint): Map<string, number> => {
      try {
        return this.directory.run(() => checkpoint.read())
      } catch (error) {
        if (!(error instanceof CheckpointError)) throw error
        onBroken(error)
        return new Map()
      }
    }
    return {
      recoveryPoints: read(this.#recoveryPoints),
      highWatermarks: read(this.#highWatermarks),
      logStartOffsets: read(this.#logStartOffsets),
      cleanedUpTo: read(this.#cleanerOffsets),
    }
  }

  /** Resolves when the recovery points as they are now survive a power cut. */
  saveRecoveryPoints(): Promise<void> {
    return this.directory.runLater(() => this.#recoveryPoints.write(() => this.#offsets(log => log.recoveryPoint)))
  }

  saveHighWatermarks(): Promise<void> {
    return this.directory.runLater(() => this.#highWatermarks.write(() => this.#offsets(log => log.highWatermark)))
  }

  /**
   * Kafka leaves out starts that the name of the first segment tells. Here they stay: retention relies on the file when a
   * power cut brings back some of the segments that it had deleted.
   */
  saveLogStartOffsets(): Promise<void> {
    const start = (log: Log): number | undefined => (log.logStartOffset > 0 ? log.logStartOffset : undefined)
    return this.directory.runLater(() => this.#logStartOffsets.write(() => this.#offsets(start)))
  }

  /** How far compaction has come; as in Kafka's, only logs that have been cleaned. */
  saveCleanerOffsets(): Promise<void> {
    const cleaned = (log: Log): number | undefined => (log.isFuture ? undefined : log.cleanedUpTo)
    return this.directory.runLater(() => this.#cleanerOffsets.write(() => this.#offsets(cleaned)))
  }

  /**
   * Resolves when the directories of all logs that are in it now survive a power cut, and no checkpoint on disk speaks any
   * more of logs that were deleted before: a log made anew under the name of one may not be flushed earlier, lest a
   * recovery take the old one's offsets for its own. Those who come while a sync runs share the next one.
   */
  async settle(): Promise<void> {
    this.#startForgetting()
    await this.#forgotten
    const running = this.#entriesSync
    if (running !== undefined) {
      await running.catch(() => {})
      if (this.#entriesSync === running || this.#entriesSync === undefined) this.#startEntriesSync()
      return this.#entriesSync
    }
    this.#startEntriesSync()
    return this.#entriesSync
  }

  #startEntriesSync(): void {
    const sync = this.directory.runLater(() => this.#disk.syncDirectory(this.path))
    this.#entriesSync = sync
    const done = (): void => {
      if (this.#entriesSync === sync) this.#entriesSync = undefined
    }
    sync.then(done, done)
  }

  /**
   * A log was deleted: takes its offsets out of the checkpoints, once for all that go in one turn of the event loop or
   * between {@link beginDeletions} and {@link endDeletions}.
   */
  forget(log: Log): void {
    this.#mustForgetCleaning ||= log.cleanedUpTo !== undefined
    this.#mustForget = true
    if (this.#deletions === 0) this.#startForgetting()
  }

  /** Many logs are about to be deleted: each checkpoint holds all that are left, so that it is not written for a few. */
  beginDeletions(): void {
    this.#deletions += 1
  }

  /** Those logs are gone; also what a broker before this one has left of them in the checkpoints goes. */
  endDeletions(): void {
    this.#deletions -= 1
    this.#mustForget = true
    this.#startForgetting()
  }

  #startForgetting(): void {
    if (this.#willForget || !this.#mustForget) return
    this.#mustForget = false
    this.#willForget = true
    this.#forgotten = Promise.resolve().then(() => this.#forgetNow())
    // A failure takes the directory offline; whoever flushes hears of it as well.
    this.#forgotten.catch(() => {})
  }

  async #forgetNow(): Promise<void> {
    this.#willForget = false
    const saved = [this.saveRecoveryPoints(), this.saveHighWatermarks(), this.saveLogStartOffsets()]
    if (this.#mustForgetCleaning) saved.push(this.saveCleanerOffsets())
    this.#mustForgetCleaning = false
    await Promise.all(saved)
  }

  /** Syncs and closes all logs, some at a time. */
  async closeLogs(): Promise<void> {
    const logs = [...this.logs]
    for (let start = 0; start < logs.length; start += CLOSES_AT_ONCE) {
      await Promise.all(logs.slice(start, start + CLOSES_AT_ONCE).map(log => log.close()))
    }
  }

  /** Everything is synced and closed: says so to the next run. */
  markClean(brokerEpoch: number): Promise<void> {
    return this.directory.runLater(() => this.#cleanShutdown.write(brokerEpoch))
  }

  /** Lets other processes have the directory. Resolves when no write of a checkpoint is under way any more. */
  async release(): Promise<void> {
    const checkpoints = [this.#recoveryPoints, this.#highWatermarks, this.#logStartOffsets, this.#cleanerOffsets]
    await Promise.all(checkpoints.map(checkpoint => checkpoint.settled()))
    this.#lock.release()
  }

  *#offsets(offsetOf: (log: Log) => number | undefined): Generator<PartitionOffset> {
    for (const log of this.logs) {
      const offset = offsetOf(log)
      if (offset === undefined) continue
      const { topic, partition } = log.topicPartition
      yield { topic, partition, offset }
    }
  }
}

/** Many logs are deleted in these directories until what is returned is disposed of. */
export function deletingMany(directories: readonly ManagedDirectory[]): Disposable {
  for (const managed of directories) managed.beginDeletions()
  return {
    [Symbol.dispose]: () => {
      for (const managed of directories) managed.endDeletions()
    },
  }
}

/** The offset of a partition in a checkpoint, 0 where it has none. */
export function offsetOf(offsets: ReadonlyMap<string, number>, partition: Log['topicPartition']): number {
  return offsets.get(partitionName(partition)) ?? 0
}
