import {
  decodeController,
  decodeControllerEpoch,
  encodeController,
  encodeControllerEpoch,
  ZnodePath,
} from '../metadata/index.ts'
import { isZooKeeperError, type Watcher, type ZooKeeper } from '../zookeeper/index.ts'

/** Epoch that the first controller of a cluster finds. */
const INITIAL_EPOCH = 0

/** Who is the controller. */
export interface ElectionResult {
  readonly controllerId: number
  readonly controllerEpoch: number
  /** Version of `/controller_epoch` that every write must check; undefined when another broker was elected. */
  readonly epochVersion: number | undefined
}

/**
 * Takes `/controller` for this broker unless another has it. The ephemeral node and the next `/controller_epoch` are one
 * transaction, so no two controllers ever share an epoch. `watcher` hears when the controller goes.
 */
export async function elect(
  zooKeeper: ZooKeeper,
  options: { readonly brokerId: number; readonly nowMs: number; readonly watcher: Watcher },
): Promise<ElectionResult> {
  const { brokerId, nowMs, watcher } = options
  const current = await currentController(zooKeeper)
  const { epoch, version } = await currentEpoch(zooKeeper)
  if (current && current.owner !== zooKeeper.sessionId) {
    if (await zooKeeper.exists(ZnodePath.controller, watcher)) {
      return { controllerId: current.brokerId, controllerEpoch: epoch, epochVersion: undefined }
    }
    return elect(zooKeeper, options)
  }
  if (current) return { controllerId: brokerId, controllerEpoch: epoch, epochVersion: version }
  try {
    const data = encodeController({ brokerId, timestampMs: nowMs })
    const results = await zooKeeper.multi([
      { type: 'create', path: ZnodePath.controller, data, mode: 'ephemeral' },
      { type: 'setData', path: ZnodePath.controllerEpoch, data: encodeControllerEpoch(epoch + 1), version },
    ])
    await zooKeeper.exists(ZnodePath.controller, watcher)
    return {
      controllerId: brokerId,
      controllerEpoch: epoch + 1,
      epochVersion: results[1]?.stat?.version ?? version + 1,
    }
  } catch (error) {
    // Somebody was faster: look again at who it is.
    if (isZooKeeperError(error, 'NODE_EXISTS', 'BAD_VERSION')) return elect(zooKeeper, options)
    throw error
  }
}

async function currentController(
  zooKeeper: ZooKeeper,
): Promise<{ readonly brokerId: number; readonly owner: bigint } | undefined> {
  try {
    const { data, stat } = await zooKeeper.getData(ZnodePath.controller)
    return { brokerId: decodeController(data).brokerId, owner: stat.ephemeralOwner }
  } catch (error) {
    if (isZooKeeperError(error, 'NO_NODE')) return undefined
    throw error
  }
}

async function currentEpoch(zooKeeper: ZooKeeper): Promise<{ readonly epoch: number; readonly version: number }> {
  try {
    const { data, stat } = await zooKeeper.getData(ZnodePath.controllerEpoch)
    return { epoch: decodeControllerEpoch(data), version: stat.version }
  } catch (error) {
    if (!isZooKeeperError(error, 'NO_NODE')) throw error
  }
  try {
    const data = encodeControllerEpoch(INITIAL_EPOCH)
    const { stat } = await zooKeeper.create(ZnodePath.controllerEpoch, data, { mode: 'persistent' })
    return { epoch: INITIAL_EPOCH, version: stat.version }
  } catch (error) {
    if (isZooKeeperError(error, 'NODE_EXISTS')) return currentEpoch(zooKeeper)
    throw error
  }
}
