import {
  type BrokerRegistration,
  decodeClusterId,
  encodeBroker,
  encodeClusterId,
  encodeFeatures,
  NO_FEATURES,
  PERSISTENT_PATHS,
  ZnodePath,
} from '../metadata/index.ts'
import type { Random } from '../platform/index.ts'
import { ensurePath, isZooKeeperError, parentOf, type ZooKeeper } from '../zookeeper/index.ts'
import { uniqueId } from './unique-id.ts'

/** Makes the paths that every broker expects; does nothing where they are. */
export async function ensureClusterPaths(zooKeeper: ZooKeeper): Promise<void> {
  await Promise.all(PERSISTENT_PATHS.map(path => ensurePath(zooKeeper, path)))
  await createIfMissing(zooKeeper, ZnodePath.feature, encodeFeatures(NO_FEATURES.levels))
}

/** The id of the cluster; a new cluster gets one. */
export async function clusterIdOf(zooKeeper: ZooKeeper, random: Random): Promise<string> {
  if (!(await zooKeeper.exists(ZnodePath.clusterId))) {
    await ensurePath(zooKeeper, parentOf(ZnodePath.clusterId))
    await createIfMissing(zooKeeper, ZnodePath.clusterId, encodeClusterId(uniqueId(random)))
  }
  const { data } = await zooKeeper.getData(ZnodePath.clusterId)
  return decodeClusterId(data)
}

/**
 * A broker id that nobody has, above `reserved.broker.max.id`: `/brokers/seqid` counts by its version. For brokers with
 * `broker.id=-1`.
 */
export async function generateBrokerId(zooKeeper: ZooKeeper, reservedMaxId: number): Promise<number> {
  const { version } = await zooKeeper.setData(ZnodePath.brokerSequence, new Uint8Array(0))
  return reservedMaxId + version
}

/** The broker id is in use by a live broker. */
export class BrokerIdInUseError extends Error {
  readonly brokerId: number

  constructor(brokerId: number) {
    super(`Broker id ${brokerId} is in use by another running broker of this cluster`)
    this.name = 'BrokerIdInUseError'
    this.brokerId = brokerId
  }
}

/**
 * Registers this broker for as long as its session lives; gives the registration with its epoch. A registration of this
 * very session is replaced. Rejects with {@link BrokerIdInUseError}.
 */
export async function registerBroker(
  zooKeeper: ZooKeeper,
  broker: Omit<BrokerRegistration, 'epoch'>,
): Promise<BrokerRegistration> {
  const path = ZnodePath.broker(broker.brokerId)
  const data = encodeBroker(broker)
  try {
    const { stat } = await zooKeeper.create(path, data, { mode: 'ephemeral' })
    return { ...broker, epoch: stat.czxid }
  } catch (error) {
    if (!isZooKeeperError(error, 'NODE_EXISTS')) throw error
  }
  const present = await zooKeeper.exists(path)
  if (!present) return registerBroker(zooKeeper, broker)
  if (present.ephemeralOwner !== zooKeeper.sessionId) throw new BrokerIdInUseError(broker.brokerId)
  await zooKeeper.setData(path, data)
  return { ...broker, epoch: present.czxid }
}

async function createIfMissing(zooKeeper: ZooKeeper, path: string, data: Uint8Array): Promise<void> {
  try {
    await zooKeeper.create(path, data, { mode: 'persistent' })
  } catch (error) {
    if (!isZooKeeperError(error, 'NODE_EXISTS')) throw error
  }
}
