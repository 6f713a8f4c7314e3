import type { DataTree, Znode } from './server/data-tree.ts'
import type { ZnodeStore } from './server/znode-store.ts'
import { underChroot, validatePath, withoutChroot } from './znode-path.ts'
import type {
  Acl,
  CreateMode,
  OperationResult,
  SessionState,
  Stat,
  Watcher,
  ZooKeeper,
  ZooKeeperOperation,
} from './zookeeper.ts'
import { ZooKeeperError } from './zookeeper-error.ts'

/**
 * A session with the store of this process. It never loses its connection and never expires while the process lives;
 * the store ends it at the next start when the process has died.
 */
export class EmbeddedSession implements ZooKeeper {
  readonly sessionId: bigint
  readonly #store: ZnodeStore
  readonly #chroot: string
  readonly #listeners = new Set<(state: SessionState) => void>()
  #state: SessionState = 'connected'
  #closing: Promise<unknown> | undefined

  constructor(store: ZnodeStore, options: { readonly sessionId: bigint; readonly chroot: string }) {
    this.#store = store
    this.sessionId = options.sessionId
    this.#chroot = options.chroot
  }

  get state(): SessionState {
    return this.#state
  }

  onState(listener: (state: SessionState) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async create(
    path: string,
    data: Uint8Array | null,
    options: { readonly mode: CreateMode; readonly acl?: readonly Acl[] },
  ): Promise<{ readonly path: string; readonly stat: Stat }> {
    const result = await this.#one({ type: 'create', path, data, ...options })
    return { path: result.path, stat: statOf(result) }
  }

  async delete(path: string, version = -1): Promise<void> {
    await this.#one({ type: 'delete', path, version })
  }

  async setData(path: string, data: Uint8Array | null, version = -1): Promise<Stat> {
    return statOf(await this.#one({ type: 'setData', path, data, version }))
  }

  async exists(path: string, watcher?: Watcher): Promise<Stat | undefined> {
    const full = this.#open(path)
    if (watcher) this.#watch('node', full, watcher)
    return this.#store.read(tree => {
      const node = tree.get(full)
      return node && tree.stat(full, node)
    })
  }

  async getData(path: string, watcher?: Watcher): Promise<{ readonly data: Uint8Array | null; readonly stat: Stat }> {
    const full = this.#open(path)
    const node = this.#existing(full, path)
    if (watcher) this.#watch('node', full, watcher)
    return this.#store.read(tree => ({ data: node.data, stat: tree.stat(full, node) }))
  }

  async getChildren(
    path: string,
    watcher?: Watcher,
  ): Promise<{ readonly children: readonly string[]; readonly stat: Stat }> {
    const full = this.#open(path)
    const node = this.#existing(full, path)
    if (watcher) this.#watch('children', full, watcher)
    return this.#store.read(tree => ({ children: [...tree.children(full)], stat: tree.stat(full, node) }))
  }

  async multi(operations: readonly ZooKeeperOperation[]): Promise<readonly OperationResult[]> {
    this.#throwIfOver()
    if (operations.length === 0) return []
    const bytes = operations.reduce((sum, operation) => sum + sizeOf(operation), 0)
    if (bytes > MAX_REQUEST_BYTES) throw new ZooKeeperError('BAD_ARGUMENTS')
    const full = operations.map(operation => ({ ...operation, path: underChroot(this.#chroot, operation.path) }))
    try {
      const results = await this.#store.submit(this.sessionId, full)
      return results.map(result => ({ ...result, path: withoutChroot(this.#chroot, result.path) }))
    } catch (error) {
      throw this.#withoutChroot(error)
    }
  }

  async sync(path: string): Promise<void> {
    this.#open(path)
    await this.#store.read(() => undefined)
  }

  async close(): Promise<void> {
    this.#closing ??= this.#end('closed')
    await this.#closing
  }

  /** Ends the session as if its connection had been gone for longer than its timeout; for tests of what then happens. */
  async expire(): Promise<void> {
    this.#closing ??= this.#end('expired')
    await this.#closing
  }

  /** Tells the session that its store is gone for good. */
  storeClosed(): void {
    this.#closing ??= Promise.resolve()
    this.#enter('closed')
  }

  async #end(state: 'closed' | 'expired'): Promise<void> {
    const ended = this.#store.failure ? Promise.resolve() : this.#store.closeSession(this.sessionId)
    this.#enter(state)
    await ended
  }

  async #one(operation: ZooKeeperOperation): Promise<OperationResult> {
    validatePath(operation.type === 'create' ? `${operation.path}1` : operation.path)
    const [result] = await this.multi([operation])
    return result as OperationResult
  }

  /** The path in the store, when the session may still ask. */
  #open(path: string): string {
    this.#throwIfOver()
    validatePath(path)
    return underChroot(this.#chroot, path)
  }

  #existing(full: string, path: string): Znode {
    const node: ReturnType<DataTree['get']> = this.#store.tree.get(full)
    if (!node) throw new ZooKeeperError('NO_NODE', { path })
    return node
  }

  #watch(kind: 'node' | 'children', full: string, watcher: Watcher): void {
    this.#store.watch(kind, full, {
      sessionId: this.sessionId,
      watcher: this.#chroot === '' ? watcher : this.#wrap(watcher),
    })
  }

  /** One wrapper a watcher, so that leaving it twice still counts once. */
  #wrap(watcher: Watcher): Watcher {
    const known = this.#wrappers.get(watcher)
    if (known) return known
    const wrapped: Watcher = event => watcher({ ...event, path: withoutChroot(this.#chroot, event.path) })
    this.#wrappers.set(watcher, wrapped)
    return wrapped
  }
  readonly #wrappers = new WeakMap<Watcher, Watcher>()

  #withoutChroot(error: unknown): unknown {
    if (this.#chroot === '' || !(error instanceof ZooKeeperError) || error.path === undefined) return error
    return new ZooKeeperError(error.code, {
      path: withoutChroot(this.#chroot, error.path),
      ...(error.operation === undefined ? {} : { operation: error.operation }),
    })
  }

  #throwIfOver(): void {
    if (this.#state === 'expired') throw new ZooKeeperError('SESSION_EXPIRED')
    if (this.#closing) throw new ZooKeeperError('CONNECTION_LOSS')
  }

  #enter(state: SessionState): void {
    if (this.#state === state) return
    this.#state = state
    for (const listener of [...this.#listeners]) listener(state)
  }
}

/** `jute.maxbuffer`: what a real ZooKeeper takes in one request. */
const MAX_REQUEST_BYTES = 0xfffff
/** Type, flags, version, access list and lengths of one operation, generously. */
const OPERATION_OVERHEAD_BYTES = 64

function sizeOf(operation: ZooKeeperOperation): number {
  const data = 'data' in operation ? (operation.data?.length ?? 0) : 0
  return OPERATION_OVERHEAD_BYTES + operation.path.length + data
}

function statOf(result: OperationResult): Stat {
  if (!result.stat) throw new ZooKeeperError('SYSTEM_ERROR', { path: result.path })
  return result.stat
}
