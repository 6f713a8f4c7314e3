/** What every znode knows of itself. Times are wall-clock milliseconds. */
export interface Stat {
  /** Transaction that created the node. */
  readonly czxid: number
  /** Transaction that last set its data. */
  readonly mzxid: number
  readonly ctime: number
  readonly mtime: number
  /** How often its data was set. */
  readonly version: number
  /** How often children were created or deleted; -1 for a fresh `/`, whose first child was never created. */
  readonly cversion: number
  /** How often its access list was set. */
  readonly aversion: number
  /** Session whose end removes the node; 0 for a persistent one. */
  readonly ephemeralOwner: bigint
  readonly dataLength: number
  readonly numChildren: number
  /** Transaction that last created or deleted a child. */
  readonly pzxid: number
}

/** One entry of a znode's access list. */
export interface Acl {
  /** Bits: 1 read, 2 write, 4 create, 8 delete, 16 admin. */
  readonly permissions: number
  readonly scheme: string
  readonly id: string
}

/** All may do all: `ZooDefs.Ids.OPEN_ACL_UNSAFE`. */
export const OPEN_ACL: readonly Acl[] = [{ permissions: 31, scheme: 'world', id: 'anyone' }]

/** How a znode lives and is named; sequential ones get ten digits appended to the path. */
export type CreateMode = 'persistent' | 'persistent_sequential' | 'ephemeral' | 'ephemeral_sequential'

/** An operation of {@link ZooKeeper.multi}. A version of -1 (or none) stands for any. */
export type ZooKeeperOperation =
  | {
      readonly type: 'create'
      readonly path: string
      readonly data: Uint8Array | null
      readonly mode: CreateMode
      readonly acl?: readonly Acl[]
    }
  | { readonly type: 'delete'; readonly path: string; readonly version?: number }
  | { readonly type: 'setData'; readonly path: string; readonly data: Uint8Array | null; readonly version?: number }
  | { readonly type: 'check'; readonly path: string; readonly version: number }

/** What became of an operation: the path as created, and the stat after it (none for delete and check). */
export interface OperationResult {
  readonly path: string
  readonly stat: Stat | undefined
}

/** What a watcher is told. `deleted` reaches watchers of data and of children alike. */
export interface WatchEvent {
  readonly type: 'created' | 'deleted' | 'dataChanged' | 'childrenChanged'
  readonly path: string
}

/**
 * Called once, when what it was left at changes, and never again. An event is a hint: the node may have changed more
 * than once, so read it anew (and leave a watcher again). The same function left twice at one path is called once.
 */
export type Watcher = (event: WatchEvent) => void

/**
 * Where a session stands. `disconnected`: nothing is known and nothing may be assumed until `connected` comes again.
 * `expired` and `closed` are final, and the session's ephemerals are gone.
 */
export type SessionState = 'connected' | 'disconnected' | 'expired' | 'closed'

/**
 * A session with ZooKeeper. The embedded store and the client of a real ensemble implement it alike.
 *
 * Operations of one session take effect in the order they were called, and their answers come in that order. A watcher
 * hears of a change before any answer of this session shows it. Every method rejects with {@link ZooKeeperError}:
 * NO_NODE, NODE_EXISTS, BAD_VERSION, NOT_EMPTY, NO_CHILDREN_FOR_EPHEMERALS and BAD_ARGUMENTS say that nothing was done;
 * CONNECTION_LOSS that nobody knows; SESSION_EXPIRED that the session is over. Data is handed over by reference and must
 * not be changed afterwards by either side.
 */
export interface ZooKeeper {
  readonly sessionId: bigint
  readonly state: SessionState
  /** Calls `listener` on each change of {@link state}; returns what takes it back. */
  onState(listener: (state: SessionState) => void): () => void

  /** Makes a znode; its parent must exist and not be ephemeral. */
  create(
    path: string,
    data: Uint8Array | null,
    options: { readonly mode: CreateMode; readonly acl?: readonly Acl[] },
  ): Promise<{ readonly path: string; readonly stat: Stat }>
  /** Removes a znode without children. */
  delete(path: string, version?: number): Promise<void>
  /** The stat, or undefined when there is no such node; the watcher also hears of its creation. */
  exists(path: string, watcher?: Watcher): Promise<Stat | undefined>
  getData(path: string, watcher?: Watcher): Promise<{ readonly data: Uint8Array | null; readonly stat: Stat }>
  setData(path: string, data: Uint8Array | null, version?: number): Promise<Stat>
  /** Names (not paths) of the children, in no order. */
  getChildren(path: string, watcher?: Watcher): Promise<{ readonly children: readonly string[]; readonly stat: Stat }>
  /** All operations as one transaction, or none: the error's `operation` says which refused. At most 1 MiB together. */
  multi(operations: readonly ZooKeeperOperation[]): Promise<readonly OperationResult[]>
  /** Resolves when every write acknowledged anywhere before this call is seen by this session's reads. */
  sync(path: string): Promise<void>
  /** Ends the session and removes its ephemerals. Idempotent. */
  close(): Promise<void>
}
