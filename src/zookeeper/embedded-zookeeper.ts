import type { Clock, Disk, DiskLock, Logger } from '../platform/index.ts'
import { EmbeddedSession } from './embedded-session.ts'
import { DataDirectoryError } from './server/recovery.ts'
import { ZnodeStore } from './server/znode-store.ts'
import { validatePath } from './znode-path.ts'
import type { ZooKeeperError } from './zookeeper-error.ts'

/** What the embedded store stands on. */
export interface EmbeddedZooKeeperOptions {
  readonly disk: Disk
  /** Its data lie in `version-2` below, in the files of ZooKeeper 3.8. */
  readonly directory: string
  readonly clock: Clock
  readonly logger: Logger
  /** Bytes of transaction log after which a snapshot is written; default 1 MiB. */
  readonly snapshotAfterBytes?: number
  /**
   * Called once, when what is written can no longer be made durable. Every request fails from then on; the process had
   * better end, for only a new start can tell what is on the disk.
   */
  readonly onFailure?: (error: ZooKeeperError) => void
}

/** The timeout in the record of a session that ends with its process. */
const ENDS_WITH_PROCESS = 0

/**
 * ZooKeeper inside this process: the same znodes, rules and files, without a socket.
 *
 * What was acknowledged survives kill -9 and power cuts. Sessions end with the process: the next {@link open} removes
 * the ephemerals that a dead process left, be it a broker's or a ZooKeeper's, so a broker that was killed registers anew
 * at once.
 */
export class EmbeddedZooKeeper {
  readonly #store: ZnodeStore
  readonly #lock: DiskLock
  readonly #sessions = new Set<EmbeddedSession>()
  #closing: Promise<void> | undefined

  private constructor(store: ZnodeStore, lock: DiskLock) {
    this.#store = store
    this.#lock = lock
  }

  /**
   * Recovers the store of `directory`, or makes one. Rejects with `DataDirectoryError` when another process has it, or
   * when it is damaged in a way that would lose acknowledged writes.
   */
  static async open(options: EmbeddedZooKeeperOptions): Promise<EmbeddedZooKeeper> {
    const { disk } = options
    const directory = `${options.directory}/version-2`
    await makeDurableDirectory(disk, directory)
    const lock = disk.lock(`${options.directory}/.lock`)
    if (!lock) throw new DataDirectoryError(`${options.directory} is in use by another process`)
    try {
      const logger = options.logger.child({ logger: 'org.apache.zookeeper.server.ZooKeeperServer' })
      const store = await ZnodeStore.open({ ...options, directory, logger })
      // Nobody is connected yet, so those of a ZooKeeper that wrote here before are over as well.
      const left = [...store.tree.sessions()]
      await Promise.all(left.map(([sessionId]) => store.closeSession(sessionId)))
      return new EmbeddedZooKeeper(store, lock)
    } catch (error) {
      lock.release()
      throw error
    }
  }

  /**
   * A new session. Paths are relative to `chroot`, which must have been made when it is not empty. It never expires, so
   * `sessionTimeoutMs` only stands here because a networked session needs it.
   */
  connect(options: { readonly chroot?: string; readonly sessionTimeoutMs?: number } = {}): EmbeddedSession {
    const chroot = options.chroot === '/' ? '' : (options.chroot ?? '')
    if (chroot !== '') validatePath(chroot)
    // The server's number in the high byte, as ZooKeeper has it, and the transaction that records it: never used twice.
    const sessionId = (1n << 56n) | BigInt(this.#store.tree.lastZxid + 1)
    // Whatever the session does is logged behind this; should it fail, so does that.
    this.#store.createSession(sessionId, ENDS_WITH_PROCESS).catch(() => undefined)
    const session = new EmbeddedSession(this.#store, { sessionId, chroot })
    this.#sessions.add(session)
    session.onState(() => this.#sessions.delete(session))
    return session
  }

  /** Ends all sessions, writes everything down and lets the directory go. Idempotent. */
  async close(): Promise<void> {
    this.#closing ??= this.#end()
    await this.#closing
  }

  async #end(): Promise<void> {
    await Promise.allSettled([...this.#sessions].map(session => session.close()))
    await this.#store.close()
    this.#lock.release()
  }
}

/**
 * Makes a directory whose entry survives a power cut. Parents are synced also when they were there: the process that made
 * them may have died before it came to that.
 */
async function makeDurableDirectory(disk: Disk, path: string, levels = 2): Promise<void> {
  const slash = path.lastIndexOf('/')
  if (slash === -1 || path === '/' || (levels <= 0 && disk.stat(path))) return
  const parent = slash === 0 ? '/' : path.slice(0, slash)
  await makeDurableDirectory(disk, parent, levels - 1)
  disk.makeDirectory(path)
  await disk.syncDirectory(parent)
}
