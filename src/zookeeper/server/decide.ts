import { parentOf, validatePath } from '../znode-path.ts'
import { OPEN_ACL, type ZooKeeperOperation } from '../zookeeper.ts'
import { ZooKeeperError } from '../zookeeper-error.ts'
import type { DataTree } from './data-tree.ts'
import type { Change } from './transaction.ts'

/** Znodes that nobody may create or remove. */
const SPECIAL_PATHS: ReadonlySet<string> = new Set(['/', '/zookeeper', '/zookeeper/quota', '/zookeeper/config'])

/** What a decision needs to know of a node. */
interface Outlook {
  readonly version: number
  readonly creations: number
  readonly ephemeral: boolean
  readonly childCount: number
}

/** The tree as it will be when the operations decided so far have been replayed: what later ones of a multi see. */
class PendingChanges {
  readonly #tree: DataTree
  readonly #changed = new Map<string, Outlook | undefined>()

  constructor(tree: DataTree) {
    this.#tree = tree
  }

  get(path: string): Outlook | undefined {
    if (this.#changed.has(path)) return this.#changed.get(path)
    const node = this.#tree.get(path)
    return (
      node && {
        version: node.version,
        creations: node.creations,
        ephemeral: node.ephemeralOwner !== 0n,
        childCount: this.#tree.children(path).size,
      }
    )
  }

  set(path: string, outlook: Outlook | undefined): void {
    this.#changed.set(path, outlook)
  }
}

/**
 * What the operations change, or a {@link ZooKeeperError} when one of them may not be: ZooKeeper's
 * `PrepRequestProcessor`. Touches nothing. Rules are checked in ZooKeeper's order, so that the same code comes back when
 * two are broken.
 */
export function decide(tree: DataTree, operations: readonly ZooKeeperOperation[]): readonly Change[] {
  const pending = new PendingChanges(tree)
  return operations.map((operation, index) => {
    try {
      return decideOne(pending, operation)
    } catch (error) {
      if (operations.length === 1 || !isZooKeeperErrorWithPath(error)) throw error
      throw new ZooKeeperError(error.code, { path: error.path, operation: index })
    }
  })
}

function isZooKeeperErrorWithPath(error: unknown): error is ZooKeeperError & { readonly path: string } {
  return error instanceof ZooKeeperError && error.path !== undefined
}

function decideOne(pending: PendingChanges, operation: ZooKeeperOperation): Change {
  switch (operation.type) {
    case 'create':
      return decideCreate(pending, operation)
    case 'delete':
      return decideDelete(pending, operation.path, operation.version ?? -1)
    case 'setData': {
      const { path, data } = operation
      validatePath(path)
      const node = existing(pending, path)
      checkVersion(node, operation.version ?? -1, path)
      const version = (node.version + 1) | 0
      pending.set(path, { ...node, version })
      return { type: 'setData', path, data, version }
    }
    case 'check': {
      const { path, version } = operation
      validatePath(path)
      checkVersion(existing(pending, path), version, path)
      return { type: 'check', path, version }
    }
  }
}

function decideCreate(pending: PendingChanges, operation: ZooKeeperOperation & { readonly type: 'create' }): Change {
  const { data, mode, acl = OPEN_ACL } = operation
  const sequential = mode.endsWith('_sequential')
  validatePath(sequential ? `${operation.path}1` : operation.path)
  const parentPath = parentOf(operation.path)
  const parent = existing(pending, parentPath, operation.path)
  const path = sequential ? operation.path + sequenceNumber(parent.creations) : operation.path
  if (pending.get(path)) throw new ZooKeeperError('NODE_EXISTS', { path })
  if (parent.ephemeral) throw new ZooKeeperError('NO_CHILDREN_FOR_EPHEMERALS', { path })
  if (acl.length === 0) throw new ZooKeeperError('INVALID_ACL', { path })
  const ephemeral = mode.startsWith('ephemeral')
  const parentCreations = (parent.creations + 1) | 0
  pending.set(parentPath, { ...parent, creations: parentCreations, childCount: parent.childCount + 1 })
  pending.set(path, { version: 0, creations: 0, ephemeral, childCount: 0 })
  return { type: 'create', path, data, acl, ephemeral, parentCreations }
}

function decideDelete(pending: PendingChanges, path: string, version: number): Change {
  validatePath(path)
  if (SPECIAL_PATHS.has(path)) throw new ZooKeeperError('BAD_ARGUMENTS', { path })
  const parentPath = parentOf(path)
  const parent = existing(pending, parentPath, path)
  const node = existing(pending, path)
  checkVersion(node, version, path)
  if (node.childCount > 0) throw new ZooKeeperError('NOT_EMPTY', { path })
  pending.set(parentPath, { ...parent, childCount: parent.childCount - 1 })
  pending.set(path, undefined)
  return { type: 'delete', path }
}

function existing(pending: PendingChanges, path: string, askedFor = path): Outlook {
  const node = pending.get(path)
  if (!node) throw new ZooKeeperError('NO_NODE', { path: askedFor })
  return node
}

function checkVersion(node: Outlook, expected: number, path: string): void {
  if (expected !== -1 && expected !== node.version) throw new ZooKeeperError('BAD_VERSION', { path })
}

/** `%010d`: ten digits, the sign among them once the count has passed 2^31. */
function sequenceNumber(creations: number): string {
  return creations < 0 ? `-${String(-creations).padStart(9, '0')}` : String(creations).padStart(10, '0')
}
