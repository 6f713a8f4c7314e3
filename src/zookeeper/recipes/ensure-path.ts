import { parentOf } from '../znode-path.ts'
import type { ZooKeeper } from '../zookeeper.ts'
import { isZooKeeperError } from '../zookeeper-error.ts'

/** Makes a persistent znode without data, and its parents, where they are missing. */
export async function ensurePath(zooKeeper: ZooKeeper, path: string): Promise<void> {
  try {
    await zooKeeper.create(path, null, { mode: 'persistent' })
  } catch (error) {
    if (isZooKeeperError(error, 'NODE_EXISTS')) return
    if (!isZooKeeperError(error, 'NO_NODE') || parentOf(path) === '/') throw error
    await ensurePath(zooKeeper, parentOf(path))
    await ensurePath(zooKeeper, path)
  }
}
