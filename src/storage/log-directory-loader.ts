import { dirname } from 'node:path'
import { type Disk, DiskError } from '../platform/index.ts'
import type { Log } from './log.ts'
import type { LogConfig } from './log-config.ts'
import type { LogDirectory, StorageContext } from './log-directory.ts'
import { loadLog } from './log-loader.ts'
import type { LogOwner } from './log-parts.ts'
import { ManagedDirectory, offsetOf } from './managed-directory.ts'
import { readMetaProperties } from './meta-properties.ts'
import { parseDirectoryName, partitionName } from './topic-partition.ts'

/** The lock of a log directory is held by another process. */
export class LogDirectoryLockedError extends Error {
  readonly directory: string

  constructor(directory: string) {
    super(
      `Failed to acquire lock on file .lock in ${directory}. A Kafka instance in another process or thread is using this directory.`,
    )
    this.name = 'LogDirectoryLockedError'
    this.directory = directory
  }
}

/**
 * Makes a log directory where it is missing and takes its lock.
 *
 * @throws LogDirectoryLockedError; DiskError when it cannot be used
 */
export async function openDirectory(disk: Disk, directory: LogDirectory): Promise<ManagedDirectory> {
  const { path } = directory
  await makeDurably(disk, path)
  disk.list(path)
  // Whose it is was checked before only where this can be read.
  readMetaProperties(disk, path)
  const lock = disk.lock(`${path}/.lock`)
  if (lock === undefined) throw new LogDirectoryLockedError(path)
  return new ManagedDirectory(disk, directory, lock)
}

/** Makes a directory and its parents so that a power cut does not take them, and what is synced in them, away again. */
async function makeDurably(disk: Disk, path: string): Promise<void> {
  if (disk.stat(path)?.isDirectory) return
  const parent = dirname(path)
  if (parent !== '/' && parent !== '.') await makeDurably(disk, parent)
  disk.makeDirectory(path)
  await disk.syncDirectory(parent)
}

/** How the logs of a directory are opened. */
export interface DirectoryLoadOptions {
  readonly context: StorageContext
  readonly owner: LogOwner
  readonly configOf: (topic: string) => LogConfig
  /** A directory of a deleted partition, which is to be removed. */
  readonly onDeleted: (managed: ManagedDirectory, path: string) => void
}

const PAUSE_AFTER_MS = 20

/** Opens all logs of a directory, those in the making too. A disk error takes it offline; its logs are then not to be had. */
export async function loadDirectory(managed: ManagedDirectory, options: DirectoryLoadOptions): Promise<Log[]> {
  const { context } = options
  const { disk, clock } = context
  const { directory, path } = managed
  const logger = context.logger.child({ logger: 'kafka.log.LogManager', directory: path })
  const startedMs = clock.monotonicMs()
  const logs: Log[] = []
  let wasClean = false
  let resumedMs = startedMs
  const pause = (): Promise<void> => {
    if (clock.monotonicMs() - resumedMs < PAUSE_AFTER_MS) return Promise.resolve()
    return new Promise(resolve => {
      clock.soon(() => {
        resumedMs = clock.monotonicMs()
        resolve()
      })
    })
  }
  try {
    wasClean = await managed.takeCleanMarker()
    const offsets = managed.readOffsets(error => logger.warn({ err: error }, 'broken checkpoint is ignored'))
    // Also after a clean stop: a log whose end does not bear that out is recovered.
    const wasCutOff = managed.beginRecovery()
    for (const name of disk.list(path)) {
      const parsed = parseDirectoryName(name)
      if (parsed === undefined || !disk.stat(`${path}/${name}`)?.isDirectory) continue
      const { kind, topicPartition } = parsed
      if (kind === 'deleted') options.onDeleted(managed, `${path}/${name}`)
      if (kind !== 'current' && kind !== 'future') continue
      const log = await loadLog({
        context,
        owner: options.owner,
        directory,
        path: `${path}/${name}`,
        topicPartition,
        config: options.configOf(topicPartition.topic),
        wasClean,
        wasCutOff,
        recoveryPoint: offsetOf(offsets.recoveryPoints, topicPartition),
        logStartOffset: offsetOf(offsets.logStartOffsets, topicPartition),
        highWatermark: offsetOf(offsets.highWatermarks, topicPartition),
        cleanedUpTo: offsets.cleanedUpTo.get(partitionName(topicPartition)),
        pause,
      })
      logs.push(log)
      managed.logs.add(log)
      await pause()
    }
    if (!wasClean) {
      // What a kill left in the system's cache is acknowledged without a sync when its producer sends it again. A copy in
      // the making is taken up again at its recovery point, which therefore stays where it is.
      const appendable = logs.filter(({ mustSyncBeforeAck, isFuture }) => mustSyncBeforeAck && !isFuture)
      await Promise.all(appendable.map(log => log.flush()))
    }
    const endsBelow = (log: Log): boolean => log.recoveryPoint < offsetOf(offsets.recoveryPoints, log.topicPartition)
    if (!wasClean || logs.some(endsBelow)) {
      // A log may end below its recovery point now, and one of which the checkpoints speak may be gone: what is appended
      // there from now on must not be taken for what they speak of.
      await Promise.all([managed.saveRecoveryPoints(), managed.saveLogStartOffsets(), managed.saveHighWatermarks()])
    }
    managed.endRecovery()
  } catch (error) {
    if (error instanceof DiskError) directory.failed(error)
    else if (!directory.isOffline) throw error
    return []
  }
  // Without logs too: the power may have taken all of them.
  managed.wasClean = wasClean
  const ms = Math.round(clock.monotonicMs() - startedMs)
  logger.info(
    { logs: logs.length, ms },
    wasClean || logs.length === 0 ? 'loaded logs' : 'loaded and recovered logs after an unclean stop',
  )
  return logs
}
