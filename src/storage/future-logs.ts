import { KafkaError } from '../protocol/index.ts'
import type { Log } from './log.ts'
import type { LogConfig } from './log-config.ts'
import { createLog } from './log-creation.ts'
import type { StorageContext } from './log-directory.ts'
import { loadLog } from './log-loader.ts'
import type { LogOwner } from './log-parts.ts'
import type { ManagedDirectory } from './managed-directory.ts'
import { markedDirectoryName, partitionName, type TopicPartition } from './topic-partition.ts'

/** What {@link FutureLogs} needs of the log manager. */
export interface FutureLogsOptions {
  readonly context: StorageContext
  readonly owner: LogOwner
  readonly configOf: (topic: string) => LogConfig
}

/**
 * Copies of logs in another log directory, each of which takes the place of its log once it has caught up (KIP-113).
 * They live in directories named `topic-0.<32 hex>-future`.
 */
export class FutureLogs {
  readonly #options: FutureLogsOptions
  readonly #logs = new Map<string, { readonly log: Log; readonly managed: ManagedDirectory }>()

  constructor(options: FutureLogsOptions) {
    this.#options = options
  }

  get(topicPartition: TopicPartition): Log | undefined {
    return this.#logs.get(partitionName(topicPartition))?.log
  }

  all(): Log[] {
    return Array.from(this.#logs.values(), ({ log }) => log)
  }

  /** One that was found in a directory. */
  add(log: Log, managed: ManagedDirectory): void {
    this.#logs.set(partitionName(log.topicPartition), { log, managed })
  }

  /** Begins an empty copy of `current`. */
  create(current: Log, managed: ManagedDirectory): Log {
    const { context, owner, configOf } = this.#options
    const { topicPartition, topicId } = current
    if (partitionName(topicPartition).length + MARK_LENGTH > LONGEST_NAME) {
      throw new KafkaError('INVALID_TOPIC_EXCEPTION', `name of ${topicPartition.topic} is too long to be moved`)
    }
    const log = createLog({
      context,
      owner,
      directory: managed.directory,
      topicPartition,
      topicId,
      config: configOf(topicPartition.topic),
      name: markedDirectoryName(topicPartition, 'future', context.random),
      settleDirectory: () => managed.settle(),
    })
    managed.logs.add(log)
    this.add(log, managed)
    return log
  }

  /**
   * Resolves when no checkpoint on disk speaks any more of what was in the copy's directory before it: a recovery would take
   * that for the copy's own, and trust what was never synced. Nothing may be copied earlier.
   */
  async settle(topicPartition: TopicPartition): Promise<void> {
    await this.#logs.get(partitionName(topicPartition))?.managed.settle()
  }

  /**
   * After an unclean stop a copy goes on from what was synced of it. Of what is above, any of its files may be missing, and
   * only in a log of its own would that be no loss: there nothing was promised before the sync. The log itself has it;
   * where that is gone, which `logOf` tells, the copy was synced before it went.
   *
   * Nor may a copy hold what its log does not: the log may have lost an end that the copy had synced, and go on otherwise.
   */
  async cutToLogs(logOf: (topicPartition: TopicPartition) => Log | undefined): Promise<void> {
    for (const { log: future, managed } of [...this.#logs.values()]) {
      const log = logOf(future.topicPartition)
      if (future.isOffline || log === undefined) continue
      const agreed = agreedEnd(log, future)
      try {
        const end = managed.wasClean ? agreed : Math.min(agreed, future.recoveryPoint)
        await future.truncateTo(Math.max(end, future.logStartOffset))
      } catch (error) {
        // It has taken the directory offline, which was reported.
        if (!future.isOffline) throw error
      }
    }
  }

  /** Takes a copy out of the books, its files closed; returns the directory that it lies in. */
  forget(topicPartition: TopicPartition): { readonly log: Log; readonly managed: ManagedDirectory } | undefined {
    const name = partitionName(topicPartition)
    const found = this.#logs.get(name)
    if (!found) return undefined
    this.#logs.delete(name)
    found.managed.logs.delete(found.log)
    found.log.abandon()
    return found
  }

  /** Its directory has failed. */
  directoryFailed(managed: ManagedDirectory): void {
    for (const [name, found] of this.#logs) if (found.managed === managed) this.#logs.delete(name)
  }

  /**
   * Gives a copy, which {@link Log.close} has brought to disk and closed, the partition's name, and opens it as its log.
   * The partition has no other log any more; that one was compacted up to `cleanedUpTo`.
   */
  async promote(
    topicPartition: TopicPartition,
    cleanedUpTo?: number,
  ): Promise<{ readonly log: Log; readonly managed: ManagedDirectory }> {
    const { context, owner, configOf } = this.#options
    const { log: future, managed } = this.forget(topicPartition)!
    const path = `${managed.path}/${partitionName(topicPartition)}`
    managed.directory.run(() => context.disk.rename(future.path, path))
    const log = await loadLog({
      context,
      owner,
      directory: managed.directory,
      path,
      topicPartition,
      config: configOf(topicPartition.topic),
      wasClean: true,
      wasCutOff: false,
      recoveryPoint: future.logEndOffset,
      logStartOffset: future.logStartOffset,
      highWatermark: future.highWatermark,
      cleanedUpTo,
      pause: () => Promise.resolve(),
    })
    managed.logs.add(log)
    const synced = managed.directory.runLater(() => context.disk.syncDirectory(managed.path))
    // A failure takes the directory offline, which is reported.
    synced.catch(() => {})
    return { log, managed }
  }
}

/** Up to where a log and its copy are the same, by the leader epochs of both (KIP-101). */
function agreedEnd(log: Log, future: Log): number {
  let agreed = Math.min(log.logEndOffset, future.logEndOffset)
  if (log.latestEpoch === undefined || future.latestEpoch === undefined) return agreed
  let epoch = Math.min(log.latestEpoch, future.latestEpoch)
  for (;;) {
    const ofLog = log.offsetForLeaderEpoch(epoch)
    const ofFuture = future.offsetForLeaderEpoch(ofLog.epoch)
    agreed = Math.min(agreed, ofLog.endOffset, ofFuture.endOffset)
    if (ofFuture.epoch === ofLog.epoch) return agreed
    epoch = ofFuture.epoch
  }
}

const LONGEST_NAME = 255
/** `.<32 hex>-future` */
const MARK_LENGTH = 40
