import type { ZooKeeper } from '../zookeeper.ts'
import { isZooKeeperError } from '../zookeeper-error.ts'

/** Paths of a znode and of everything below it, children before their parents; empty when it is not there. */
export async function listSubtree(zooKeeper: ZooKeeper, path: string): Promise<readonly string[]> {
  try {
    const { children } = await zooKeeper.getChildren(path)
    const below = await Promise.all(children.map(name => listSubtree(zooKeeper, `${path}/${name}`)))
    return [...below.flat(), path]
  } catch (error) {
    if (isZooKeeperError(error, 'NO_NODE')) return []
    throw error
  }
}
