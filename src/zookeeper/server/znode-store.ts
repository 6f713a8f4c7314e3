import type { Clock, Disk, Logger } from '../../platform/index.ts'
import type { OperationResult, WatchEvent, Watcher, ZooKeeperOperation } from '../zookeeper.ts'
import { ZooKeeperError } from '../zookeeper-error.ts'
import { dataFiles } from './data-files.ts'
import type { DataTree } from './data-tree.ts'
import { decide } from './decide.ts'
import { type Recovered, recover } from './recovery.ts'
import { capture, writeSnapshot } from './snapshot.ts'
import type { Change, Transaction } from './transaction.ts'
import { TransactionLog } from './transaction-log.ts'
import { type WatchKind, WatchTable } from './watch-table.ts'

/** A snapshot is due when the log has grown by this much, and by about as much as a snapshot takes. */
const SNAPSHOT_AFTER_BYTES = 2 ** 20
const SNAPSHOT_BYTES_A_NODE = 100
/** Snapshots that are kept: should the newest be unreadable, the one before and its logs still are. */
const SNAPSHOTS_KEPT = 2

/** What the store stands on. */
export interface ZnodeStoreOptions {
  readonly disk: Disk
  readonly clock: Clock
  readonly logger: Logger
  readonly directory: string
  /** Log bytes after which a snapshot is due; default 1 MiB. */
  readonly snapshotAfterBytes?: number
  /** Called once, when the log cannot be synced and the store takes nothing any more. */
  readonly onFailure?: (error: ZooKeeperError) => void
}

/** An answer that waits until everything before it is durable. */
interface Waiting {
  readonly deliver: () => void
  readonly reject: (error: ZooKeeperError) => void
}

/**
 * The one writer of the tree: decides, logs, replays, and answers once the log is synced.
 *
 * {@link submit} does the first three at once, so requests take effect in the order they come; one sync then covers all
 * that has gathered (group commit). Reads are answered behind what was written before them, so nobody ever sees what a
 * crash could take back. When a sync fails nothing is known of the disk any more: every waiting and every later request
 * fails with CONNECTION_LOSS, and only a new start, which reads back what is really there, can help.
 */
export class ZnodeStore {
  readonly #options: ZnodeStoreOptions
  readonly #tree: DataTree
  readonly #log: TransactionLog
  readonly #watches = new WatchTable()
  #waiting: Waiting[] = []
  #syncing: Promise<void> | undefined
  #snapshotting: Promise<void> | undefined
  #failure: ZooKeeperError | undefined

  private constructor(options: ZnodeStoreOptions, recovered: Recovered) {
    this.#options = options
    this.#tree = recovered.tree
    this.#log = new TransactionLog(options.disk, options.directory, recovered.last)
  }

  /** Recovers what is in the directory. Rejects with `DataDirectoryError` when that is damaged. */
  static async open(options: ZnodeStoreOptions): Promise<ZnodeStore> {
    return new ZnodeStore(options, await recover(options))
  }

  /** The tree as it is after all that was submitted; to be looked at only. */
  get tree(): DataTree {
    return this.#tree
  }

  /** Why the store takes nothing any more. */
  get failure(): ZooKeeperError | undefined {
    return this.#failure
  }

  /** Runs the operations as one transaction; throws what {@link decide} throws, else resolves when they are durable. */
  submit(sessionId: bigint, operations: readonly ZooKeeperOperation[]): Promise<readonly OperationResult[]> {
    return this.#commit(sessionId, decide(this.#tree, operations))
  }

  /** Records a session. */
  createSession(sessionId: bigint, timeoutMs: number): Promise<unknown> {
    return this.#commit(sessionId, [{ type: 'createSession', timeoutMs }])
  }

  /** Ends a session: its watchers and its ephemerals go. */
  closeSession(sessionId: bigint): Promise<unknown> {
    this.#watches.removeSession(sessionId)
    return this.#commit(sessionId, [{ type: 'closeSession', paths: [...this.#tree.ephemerals(sessionId)] }])
  }

  /** Answers with what `look` sees now, once that is durable. */
  read<T>(look: (tree: DataTree) => T): Promise<T> {
    this.#throwIfFailed()
    const seen = look(this.#tree)
    return this.#waiting.length === 0 && !this.#syncing ? Promise.resolve(seen) : this.#afterSync(seen, [])
  }

  /** Leaves a watcher. */
  watch(kind: WatchKind, path: string, watch: { readonly sessionId: bigint; readonly watcher: Watcher }): void {
    this.#watches.add(kind, path, watch)
  }

  /** Resolves when all that was submitted is durable and the files are closed. */
  async close(): Promise<void> {
    while (this.#syncing || this.#snapshotting) {
      await this.#syncing
      await this.#snapshotting
    }
    this.#failure ??= new ZooKeeperError('CONNECTION_LOSS')
    this.#log.close()
  }

  #commit(sessionId: bigint, changes: readonly Change[]): Promise<readonly OperationResult[]> {
    this.#throwIfFailed()
    const transaction: Transaction = {
      zxid: this.#tree.lastZxid + 1,
      timeMs: this.#options.clock.now(),
      sessionId,
      changes,
    }
    this.#log.append(transaction)
    const { results, events } = this.#tree.replay(transaction)
    const calls = events.flatMap(event => this.#watches.take(event).map(({ watcher }) => ({ watcher, event })))
    return this.#afterSync(results, calls)
  }

  #afterSync<T>(answer: T, calls: readonly { readonly watcher: Watcher; readonly event: WatchEvent }[]): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const deliver = (): void => {
        for (const { watcher, event } of calls) this.#call(watcher, event)
        resolve(answer)
      }
      this.#waiting.push({ deliver, reject })
      this.#syncing ??= this.#syncAll()
    })
  }

  #call(watcher: Watcher, event: WatchEvent): void {
    try {
      watcher(event)
    } catch (err) {
      this.#options.logger.error({ err, path: event.path }, 'A watcher failed')
    }
  }

  async #syncAll(): Promise<void> {
    // One turn of the loop's requests share the first sync as well.
    await undefined
    while (this.#waiting.length > 0) {
      const group = this.#waiting
      this.#waiting = []
      try {
        await this.#log.sync()
      } catch (cause) {
        this.#fail(cause, group)
        break
      }
      for (const { deliver } of group) deliver()
      if (this.#waiting.length === 0) this.#snapshotWhenDue()
    }
    this.#syncing = undefined
  }

  #fail(cause: unknown, group: readonly Waiting[]): void {
    const failure = new ZooKeeperError('CONNECTION_LOSS', { cause })
    this.#failure = failure
    this.#options.logger.error({ err: cause }, 'The metadata store cannot write its transaction log any more')
    for (const { reject } of [...group, ...this.#waiting]) reject(failure)
    this.#waiting = []
    this.#options.onFailure?.(failure)
  }

  #throwIfFailed(): void {
    if (this.#failure) throw this.#failure
  }

  #snapshotWhenDue(): void {
    const { snapshotAfterBytes = SNAPSHOT_AFTER_BYTES } = this.#options
    const dueAt = Math.max(snapshotAfterBytes, this.#tree.size * SNAPSHOT_BYTES_A_NODE)
    if (this.#snapshotting || this.#log.size < dueAt) return
    const state = capture(this.#tree)
    this.#log.roll()
    this.#snapshotting = this.#snapshot(state).finally(() => {
      this.#snapshotting = undefined
    })
  }

  async #snapshot(state: ReturnType<typeof capture>): Promise<void> {
    const { logger } = this.#options
    try {
      await writeSnapshot(state, this.#options)
      this.#removeOldFiles()
    } catch (err) {
      // Nothing is lost: the logs it would have replaced are still there.
      logger.warn({ err }, 'A snapshot of the metadata store could not be written')
    }
  }

  /** Removes what neither kept snapshot needs. */
  #removeOldFiles(): void {
    const { disk, directory } = this.#options
    const snapshots = dataFiles(disk, directory, 'snapshot')
    const oldest = snapshots.at(-SNAPSHOTS_KEPT)
    if (!oldest) return
    for (const { path, zxid } of snapshots) {
      if (zxid < oldest.zxid) disk.remove(path)
    }
    for (const { path, zxid } of dataFiles(disk, directory, 'log')) {
      if (zxid <= oldest.zxid) disk.remove(path)
    }
  }
}
