import { isDeepStrictEqual } from 'node:util'
import {
  type BrokerRegistration,
  type ClusterImage,
  CONFIG_TYPES,
  type ConfigEntityType,
  decodeBroker,
  decodeConfig,
  decodeFeatures,
  decodePartitionState,
  decodeTopic,
  type FinalizedFeatures,
  type ImageBuilder,
  NO_FEATURES,
  type PartitionImage,
  type ReplicaAssignment,
  type TopicImage,
  ZnodePath,
} from '../metadata/index.ts'
import { isZooKeeperError, type Stat, type ZooKeeper } from '../zookeeper/index.ts'

/** A partition's epoch while it has no state znode. */
export const NO_STATE = -1

/** Everything that stands in the znodes, to be put into an image. */
export interface LoadedCluster {
  readonly topics: readonly TopicImage[]
  readonly brokers: readonly BrokerRegistration[]
  readonly configs: ReadonlyMap<string, ReadonlyMap<string, string>>
  readonly features: FinalizedFeatures
}

/** Reads brokers, topics with their partitions, settings and features. What vanishes meanwhile counts as never having been. */
export async function loadCluster(zooKeeper: ZooKeeper): Promise<LoadedCluster> {
  const [topics, brokers, configs, features] = await Promise.all([
    loadTopics(zooKeeper),
    loadBrokers(zooKeeper),
    loadConfigs(zooKeeper),
    loadFeatures(zooKeeper),
  ])
  return { topics, brokers, configs, features }
}

/** Makes `builder`, which begins from `before`, hold exactly what was loaded. What is as it was is no change. */
export function putLoaded(builder: ImageBuilder, before: ClusterImage, loaded: LoadedCluster): ImageBuilder {
  const names = new Set(loaded.topics.map(({ name }) => name))
  for (const { name } of before.topics()) if (!names.has(name)) builder.removeTopic(name)
  for (const topic of loaded.topics) if (!isSameTopic(before.topic(topic.name), topic)) builder.putTopic(topic)
  const live = new Set(loaded.brokers.map(({ brokerId }) => brokerId))
  for (const brokerId of before.brokers.keys()) if (!live.has(brokerId)) builder.removeBroker(brokerId)
  for (const broker of loaded.brokers) {
    if (!isDeepStrictEqual(before.brokers.get(broker.brokerId), broker)) builder.putBroker(broker)
  }
  for (const [entity] of before.configs()) if (!loaded.configs.has(entity)) builder.putConfig(entity, new Map())
  for (const [entity, settings] of loaded.configs) {
    if (!isDeepStrictEqual(before.configOf(entity), settings)) builder.putConfig(entity, settings)
  }
  return builder.setFeatures(loaded.features)
}

/** Whether nothing of a topic has changed; by hand, since there may be thousands of partitions at a start. */
function isSameTopic(before: TopicImage | undefined, { topicId, partitions }: TopicImage): boolean {
  if (before?.topicId !== topicId || before.partitions.length !== partitions.length) return false
  return partitions.every((partition, number) => {
    const old = before.partitions[number]
    return (
      old !== undefined &&
      // The epoch stands for leader, in-sync set and their epochs.
      old.partitionEpoch === partition.partitionEpoch &&
      old.controllerEpoch === partition.controllerEpoch &&
      isSameList(old.replicas, partition.replicas) &&
      isSameList(old.addingReplicas, partition.addingReplicas) &&
      isSameList(old.removingReplicas, partition.removingReplicas)
    )
  })
}

function isSameList(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index])
}

async function loadTopics(zooKeeper: ZooKeeper): Promise<readonly TopicImage[]> {
  const names = await childrenOf(zooKeeper, ZnodePath.topics)
  const topics = await Promise.all(names.map(name => loadTopic(zooKeeper, name)))
  return topics.filter(topic => topic !== undefined)
}

async function loadTopic(zooKeeper: ZooKeeper, name: string): Promise<TopicImage | undefined> {
  const read = await dataOf(zooKeeper, ZnodePath.topic(name))
  if (!read) return undefined
  const { topicId, partitions } = decodeTopic(name, read.data)
  const images = partitions.map((assignment, partition) => loadPartition(zooKeeper, { name, partition, assignment }))
  return { name, topicId, partitions: await Promise.all(images) }
}

async function loadPartition(
  zooKeeper: ZooKeeper,
  of: { readonly name: string; readonly partition: number; readonly assignment: ReplicaAssignment },
): Promise<PartitionImage> {
  const { name, partition, assignment } = of
  const read = await dataOf(zooKeeper, ZnodePath.partitionState(name, partition))
  if (!read) {
    const none = { leader: -1, leaderEpoch: 0, isr: [], controllerEpoch: 0, isRecovering: false }
    return { ...assignment, ...none, partitionEpoch: NO_STATE }
  }
  const state = decodePartitionState(name, partition, read.data)
  // Field by field: a spread behind another one gives each of these, of which there may be thousands, a hidden class of its own.
  return {
    replicas: assignment.replicas,
    addingReplicas: assignment.addingReplicas,
    removingReplicas: assignment.removingReplicas,
    leader: state.leader,
    leaderEpoch: state.leaderEpoch,
    isr: state.isr,
    controllerEpoch: state.controllerEpoch,
    isRecovering: state.isRecovering,
    partitionEpoch: read.stat.version,
  }
}

async function loadBrokers(zooKeeper: ZooKeeper): Promise<readonly BrokerRegistration[]> {
  const ids = await childrenOf(zooKeeper, ZnodePath.brokerIds)
  const brokers = ids.map(async id => {
    const read = await dataOf(zooKeeper, ZnodePath.broker(Number(id)))
    return read && decodeBroker(Number(id), read.data, { epoch: read.stat.czxid })
  })
  return (await Promise.all(brokers)).filter(broker => broker !== undefined)
}

async function loadConfigs(zooKeeper: ZooKeeper): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>> {
  const found = await Promise.all(CONFIG_TYPES.map(type => entitiesOf(zooKeeper, type)))
  const settings = await Promise.all(
    found.flat().map(async entity => {
      const read = await dataOf(zooKeeper, ZnodePath.config(entity))
      return [entity, decodeConfig(entity, read?.data ?? null)] as const
    }),
  )
  return new Map(settings.filter(([, { size }]) => size > 0))
}

async function loadFeatures(zooKeeper: ZooKeeper): Promise<FinalizedFeatures> {
  const read = await dataOf(zooKeeper, ZnodePath.feature)
  return read ? { epoch: read.stat.version, levels: decodeFeatures(read.data) } : NO_FEATURES
}

/** Entities of a kind; users may have clients below them. */
async function entitiesOf(zooKeeper: ZooKeeper, type: ConfigEntityType): Promise<readonly string[]> {
  const entities = (await childrenOf(zooKeeper, ZnodePath.config(type))).map(name => `${type}/${name}`)
  if (type !== 'users') return entities
  const clients = entities.map(async user => {
    const names = await childrenOf(zooKeeper, `${ZnodePath.config(user)}/clients`)
    return names.map(name => `${user}/clients/${name}`)
  })
  return [...entities, ...(await Promise.all(clients)).flat()]
}

async function childrenOf(zooKeeper: ZooKeeper, path: string): Promise<readonly string[]> {
  try {
    return (await zooKeeper.getChildren(path)).children
  } catch (error) {
    if (isZooKeeperError(error, 'NO_NODE')) return []
    throw error
  }
}

async function dataOf(
  zooKeeper: ZooKeeper,
  path: string,
): Promise<{ readonly data: Uint8Array | null; readonly stat: Stat } | undefined> {
  try {
    return await zooKeeper.getData(path)
  } catch (error) {
    if (isZooKeeperError(error, 'NO_NODE')) return undefined
    throw error
  }
}
