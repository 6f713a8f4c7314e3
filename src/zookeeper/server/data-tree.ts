import { parentOf } from '../znode-path.ts'
import { type Acl, OPEN_ACL, type OperationResult, type Stat, type WatchEvent } from '../zookeeper.ts'
import type { Change, Transaction } from './transaction.ts'

/** One znode. Never changed, always replaced, so that a snapshot can be taken by copying references. */
export interface Znode {
  readonly data: Uint8Array | null
  readonly acl: readonly Acl[]
  readonly czxid: number
  readonly mzxid: number
  readonly ctime: number
  readonly mtime: number
  readonly version: number
  /** Children ever created here; what sequential names count by, and half of the visible `cversion`. */
  readonly creations: number
  readonly aversion: number
  readonly ephemeralOwner: bigint
  readonly pzxid: number
}

/** What came of replaying one transaction. */
export interface Replayed {
  readonly results: readonly OperationResult[]
  readonly events: readonly WatchEvent[]
}

const EMPTY = new Uint8Array(0)
const NO_CHILDREN: ReadonlySet<string> = new Set()

/** A znode at the beginning of time: the four that ZooKeeper itself puts into a new tree. */
const FIRST: Znode = {
  data: EMPTY,
  acl: OPEN_ACL,
  czxid: 0,
  mzxid: 0,
  ctime: 0,
  mtime: 0,
  version: 0,
  creations: 0,
  aversion: 0,
  ephemeralOwner: 0n,
  pzxid: 0,
}
const READ_ONLY_ACL: readonly Acl[] = [{ permissions: 1, scheme: 'world', id: 'anyone' }]

/**
 * The znodes in memory: `DataTree` of ZooKeeper. {@link replay} is the one way to change it, the same when a request
 * was just decided and when a log is read back; it decides nothing.
 */
export class DataTree {
  readonly #nodes = new Map<string, Znode>()
  readonly #children = new Map<string, Set<string>>()
  readonly #ephemerals = new Map<bigint, Set<string>>()
  readonly #sessions = new Map<bigint, number>()
  #lastZxid = 0

  /** A tree as ZooKeeper starts it: `/`, `/zookeeper`, `/zookeeper/quota` and `/zookeeper/config`. */
  static fresh(): DataTree {
    const tree = new DataTree()
    tree.load('/', FIRST)
    tree.load('/zookeeper', FIRST)
    tree.load('/zookeeper/config', { ...FIRST, acl: READ_ONLY_ACL })
    tree.load('/zookeeper/quota', FIRST)
    return tree
  }

  /** Transaction that was replayed last. */
  get lastZxid(): number {
    return this.#lastZxid
  }

  /** Number of znodes. */
  get size(): number {
    return this.#nodes.size
  }

  get(path: string): Znode | undefined {
    return this.#nodes.get(path)
  }

  /** Names of the children of an existing node. */
  children(path: string): ReadonlySet<string> {
    return this.#children.get(path) ?? NO_CHILDREN
  }

  /** Paths of a session's ephemerals. */
  ephemerals(sessionId: bigint): ReadonlySet<string> {
    return this.#ephemerals.get(sessionId) ?? NO_CHILDREN
  }

  /** Sessions that have not ended, with their timeouts in milliseconds. */
  sessions(): ReadonlyMap<bigint, number> {
    return this.#sessions
  }

  /** All nodes at this moment; a copy of references. */
  capture(): readonly (readonly [string, Znode])[] {
    return [...this.#nodes]
  }

  stat(path: string, node: Znode): Stat {
    const numChildren = this.children(path).size
    return {
      czxid: node.czxid,
      mzxid: node.mzxid,
      ctime: node.ctime,
      mtime: node.mtime,
      version: node.version,
      // Creations plus deletions, the way ZooKeeper derives it.
      cversion: node.creations * 2 - numChildren,
      aversion: node.aversion,
      ephemeralOwner: node.ephemeralOwner,
      dataLength: node.data?.length ?? 0,
      numChildren,
      pzxid: node.pzxid,
    }
  }

  /** Puts a node in place as a snapshot has it; parents come before children. */
  load(path: string, node: Znode): void {
    this.#nodes.set(path, node)
    if (path !== '/') this.#childSet(parentOf(path)).add(path.slice(path.lastIndexOf('/') + 1))
    if (node.ephemeralOwner !== 0n) this.#ephemeralSet(node.ephemeralOwner).add(path)
  }

  /** Puts a session in place as a snapshot has it. */
  loadSession(sessionId: bigint, timeoutMs: number): void {
    this.#sessions.set(sessionId, timeoutMs)
  }

  /** Says which transaction the loaded state includes. */
  loadedUpTo(zxid: number): void {
    this.#lastZxid = zxid
  }

  /** Applies one transaction. Changes that no longer fit (a log replayed over a later snapshot) do nothing. */
  replay(transaction: Transaction): Replayed {
    const results: OperationResult[] = []
    const events: WatchEvent[] = []
    for (const change of transaction.changes) results.push(this.#apply(change, transaction, events))
    this.#lastZxid = transaction.zxid
    return { results, events }
  }

  #apply(change: Change, transaction: Transaction, events: WatchEvent[]): OperationResult {
    switch (change.type) {
      case 'create':
        return this.#create(change, transaction, events)
      case 'delete':
        this.#delete(change.path, transaction.zxid, events)
        return { path: change.path, stat: undefined }
      case 'setData': {
        const { data, version } = change
        const result = this.#replace(change.path, {
          data,
          version,
          mzxid: transaction.zxid,
          mtime: transaction.timeMs,
        })
        if (result.stat) events.push({ type: 'dataChanged', path: change.path })
        return result
      }
      case 'setAcl':
        return this.#replace(change.path, { acl: change.acl, aversion: change.aversion })
      case 'createSession':
        this.#sessions.set(transaction.sessionId, change.timeoutMs)
        break
      case 'closeSession':
        this.#closeSession(transaction, change.paths, events)
        break
      default:
        break
    }
    return { path: 'path' in change ? change.path : '', stat: undefined }
  }

  #create(
    change: Change & { readonly type: 'create' },
    { zxid, timeMs, sessionId }: Transaction,
    events: WatchEvent[],
  ): OperationResult {
    const { path, data, acl, ephemeral, parentCreations } = change
    const parentPath = parentOf(path)
    const parent = this.#nodes.get(parentPath)
    if (!parent || this.#nodes.has(path)) return { path, stat: undefined }
    if (parentCreations > parent.creations) {
      this.#nodes.set(parentPath, { ...parent, creations: parentCreations, pzxid: zxid })
    }
    const node: Znode = {
      data,
      acl,
      czxid: zxid,
      mzxid: zxid,
      ctime: timeMs,
      mtime: timeMs,
      version: 0,
      creations: 0,
      aversion: 0,
      ephemeralOwner: ephemeral ? sessionId : 0n,
      pzxid: zxid,
    }
    this.load(path, node)
    events.push({ type: 'created', path }, { type: 'childrenChanged', path: parentPath })
    return { path, stat: this.stat(path, node) }
  }

  #delete(path: string, zxid: number, events: WatchEvent[]): void {
    const node = this.#nodes.get(path)
    if (!node) return
    this.#nodes.delete(path)
    if (node.ephemeralOwner !== 0n) {
      const owned = this.#ephemeralSet(node.ephemeralOwner)
      owned.delete(path)
      if (owned.size === 0) this.#ephemerals.delete(node.ephemeralOwner)
    }
    const parentPath = parentOf(path)
    const siblings = this.#childSet(parentPath)
    siblings.delete(path.slice(path.lastIndexOf('/') + 1))
    if (siblings.size === 0) this.#children.delete(parentPath)
    const parent = this.#nodes.get(parentPath)
    if (parent && zxid > parent.pzxid) this.#nodes.set(parentPath, { ...parent, pzxid: zxid })
    events.push({ type: 'deleted', path }, { type: 'childrenChanged', path: parentPath })
  }

  #replace(path: string, changed: Partial<Znode>): OperationResult {
    const node = this.#nodes.get(path)
    if (!node) return { path, stat: undefined }
    const replaced: Znode = { ...node, ...changed }
    this.#nodes.set(path, replaced)
    return { path, stat: this.stat(path, replaced) }
  }

  #closeSession({ sessionId, zxid }: Transaction, paths: readonly string[] | undefined, events: WatchEvent[]): void {
    for (const path of paths ?? [...this.ephemerals(sessionId)]) this.#delete(path, zxid, events)
    this.#sessions.delete(sessionId)
  }

  #childSet(path: string): Set<string> {
    let names = this.#children.get(path)
    if (!names) {
      names = new Set()
      this.#children.set(path, names)
    }
    return names
  }

  #ephemeralSet(sessionId: bigint): Set<string> {
    let paths = this.#ephemerals.get(sessionId)
    if (!paths) {
      paths = new Set()
      this.#ephemerals.set(sessionId, paths)
    }
    return paths
  }
}
