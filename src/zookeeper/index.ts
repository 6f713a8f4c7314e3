export { EmbeddedSession } from './embedded-session.ts'
export { EmbeddedZooKeeper, type EmbeddedZooKeeperOptions } from './embedded-zookeeper.ts'
export { ensurePath } from './recipes/ensure-path.ts'
export { listSubtree } from './recipes/list-subtree.ts'
export { DataDirectoryError } from './server/recovery.ts'
export { nameOf, parentOf } from './znode-path.ts'
export {
  type Acl,
  type CreateMode,
  OPEN_ACL,
  type OperationResult,
  type SessionState,
  type Stat,
  type WatchEvent,
  type Watcher,
  type ZooKeeper,
  type ZooKeeperOperation,
} from './zookeeper.ts'
export { isZooKeeperError, ZooKeeperError, type ZooKeeperErrorCode } from './zookeeper-error.ts'
