import { checkTopicOverrides, type DynamicBrokerConfig } from '../config/broker.ts'
import { ConfigError } from '../config/index.ts'
import {
  type ClusterImage,
  configEntity,
  encodeConfig,
  encodePartitionState,
  encodeTopic,
  type PartitionImage,
  type TopicImage,
  ZnodePath,
} from '../metadata/index.ts'
import type { Random } from '../platform/index.ts'
import { KafkaError } from '../protocol/index.ts'
import type { CreateTopicsRequest } from '../protocol/messages/19-create-topics.ts'
import type { ZooKeeperOperation } from '../zookeeper/index.ts'
import type { ChangeGroup } from './fenced-writer.ts'
import { placeReplicas } from './replica-placement.ts'
import { checkCollisions, checkTopicName } from './topic-name.ts'
import { uniqueId } from './unique-id.ts'

/** What a plan is made from; nothing of it is changed. */
export interface PlanContext {
  readonly image: ClusterImage
  readonly config: DynamicBrokerConfig
  readonly random: Random
}

/** A topic as a client asks for it. */
export type RequestedTopic = CreateTopicsRequest['topics'][number]

/** A topic that may be created. */
export interface TopicPlan {
  readonly topic: TopicImage
  readonly settings: ReadonlyMap<string, string>
}

/** Stands for the broker's default in a request. */
const BY_DEFAULT = -1
/** Partitions that one request may create. */
export const MAX_PARTITIONS_PER_REQUEST = 10_000

/**
 * What a new topic will be, or the {@link KafkaError} that refuses it, with Kafka's codes and words: `ZkAdminManager`
 * and `AdminZkClient`, in their order of checks. Unlike Kafka, which would make a topic without leaders and time out,
 * it refuses a manual assignment to brokers that are not there.
 */
export function planTopic(requested: RequestedTopic, context: PlanContext): TopicPlan {
  const { image, config, random } = context
  const { name } = requested
  if (image.topic(name)) throw new KafkaError('TOPIC_ALREADY_EXISTS', `Topic '${name}' already exists.`)
  const settings = settingsOf(requested)
  const assignment = assignmentOf(requested, context)
  checkTopicName(name)
  checkCollisions(name, topicNames(image))
  if (requested.assignments.length > 0) checkAssignment(requested, image)
  try {
    checkTopicOverrides(config.current, settings)
  } catch (error) {
    if (error instanceof ConfigError) throw new KafkaError('INVALID_CONFIG', error.message)
    throw error
  }
  const { controllerEpoch } = image
  const partitions = assignment.map(replicas => newPartition(replicas, { image, controllerEpoch }))
  return { topic: { name, topicId: uniqueId(random), partitions }, settings }
}

/** A partition that was never led: its first live replica leads, and all live ones are in sync. */
export function newPartition(
  replicas: readonly number[],
  { image, controllerEpoch }: { readonly image: ClusterImage; readonly controllerEpoch: number },
): PartitionImage {
  const live = replicas.filter(brokerId => image.brokers.has(brokerId))
  return {
    replicas,
    addingReplicas: [],
    removingReplicas: [],
    leader: live[0] ?? -1,
    leaderEpoch: 0,
    isr: live,
    controllerEpoch,
    isRecovering: false,
    partitionEpoch: 0,
  }
}

/** The znodes of a new topic: settings (which may have been left by an earlier one), assignment, partitions. */
export function topicCreation(
  { topic, settings }: TopicPlan,
  { hasSettings = false }: { readonly hasSettings?: boolean } = {},
): ChangeGroup {
  const { name } = topic
  const path = ZnodePath.config(configEntity('topics', name))
  const data = encodeConfig(settings)
  return [
    hasSettings ? { type: 'setData', path, data } : createNode(path, data),
    createNode(ZnodePath.topic(name), encodeTopic(topic)),
    createNode(ZnodePath.partitions(name), null),
    ...topic.partitions.flatMap((partition, number) => partitionCreation(name, number, partition)),
  ]
}

/** The znodes of a new partition. */
export function partitionCreation(topic: string, number: number, partition: PartitionImage): ChangeGroup {
  return [
    createNode(ZnodePath.partition(topic, number), null),
    createNode(ZnodePath.partitionState(topic, number), encodePartitionState(partition)),
  ]
}

export function createNode(path: string, data: Uint8Array | null): ZooKeeperOperation {
  return { type: 'create', path, data, mode: 'persistent' }
}

export function deleteNode(path: string): ZooKeeperOperation {
  return { type: 'delete', path }
}

function settingsOf({ configs }: RequestedTopic): ReadonlyMap<string, string> {
  const nulls = configs.filter(({ value }) => value === null).map(({ name }) => name)
  if (nulls.length > 0) {
    throw new KafkaError('INVALID_CONFIG', `Null value not supported for topic configs: ${nulls.join(',')}`)
  }
  return new Map(configs.map(({ name, value }) => [name, value ?? '']))
}

function assignmentOf(requested: RequestedTopic, context: PlanContext): readonly (readonly number[])[] {
  const { numPartitions, replicationFactor, assignments } = requested
  const { image, config, random } = context
  if (assignments.length > 0) {
    if (numPartitions !== BY_DEFAULT || replicationFactor !== BY_DEFAULT) {
      throw new KafkaError(
        'INVALID_REQUEST',
        'Both numPartitions or replicationFactor and replicasAssignments were set. Both cannot be used at the same time.',
      )
    }
    return assignments.toSorted((a, b) => a.partitionIndex - b.partitionIndex).map(({ brokerIds }) => brokerIds)
  }
  const partitions = numPartitions === BY_DEFAULT ? config.get('num.partitions') : numPartitions
  if (partitions > MAX_PARTITIONS_PER_REQUEST) {
    throw new KafkaError('POLICY_VIOLATION', 'Excessively large number of partitions per request.')
  }
  return placeReplicas({
    brokers: [...image.brokers.values()],
    partitions,
    replicationFactor: replicationFactor === BY_DEFAULT ? config.get('default.replication.factor') : replicationFactor,
    random,
  })
}

function checkAssignment({ assignments }: RequestedTopic, image: ClusterImage): void {
  const refuse = (reason: string): never => {
    throw new KafkaError('INVALID_REPLICA_ASSIGNMENT', reason)
  }
  if (new Set(assignments.map(({ brokerIds }) => brokerIds.length)).size !== 1) {
    refuse('All partitions should have the same number of replicas')
  }
  for (const { partitionIndex, brokerIds } of assignments) {
    if (brokerIds.length === 0) refuse(`Cannot have replication factor of 0 for partition id ${partitionIndex}.`)
    if (new Set(brokerIds).size < brokerIds.length) {
      refuse(`Duplicate replica assignment found: ${partitionIndex} -> ${brokerIds.join(', ')}`)
    }
  }
  const numbers = assignments.map(({ partitionIndex }) => partitionIndex).sort((a, b) => a - b)
  if (numbers.some((number, index) => number !== index)) {
    refuse('partitions should be a consecutive 0-based integer sequence')
  }
  checkBrokersKnown(
    assignments.map(({ brokerIds }) => brokerIds),
    image,
  )
}

/** Throws unless every broker of the assignments is alive. */
export function checkBrokersKnown(assignments: readonly (readonly number[])[], image: ClusterImage): void {
  const unknown = [...new Set(assignments.flat())].filter(brokerId => !image.brokers.has(brokerId))
  if (unknown.length > 0) {
    throw new KafkaError(
      'INVALID_REPLICA_ASSIGNMENT',
      `Unknown broker(s) in replica assignment: ${unknown.join(', ')}.`,
    )
  }
}

function* topicNames(image: ClusterImage): IterableIterator<string> {
  for (const { name } of image.topics()) yield name
}
