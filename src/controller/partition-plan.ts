import type { ClusterImage, TopicImage } from '../metadata/index.ts'
import { encodeTopic, ZnodePath } from '../metadata/index.ts'
import type { Random } from '../platform/index.ts'
import { KafkaError } from '../protocol/index.ts'
import type { CreatePartitionsRequest } from '../protocol/messages/37-create-partitions.ts'
import type { ChangeGroup } from './fenced-writer.ts'
import { placeReplicas } from './replica-placement.ts'
import { checkBrokersKnown, MAX_PARTITIONS_PER_REQUEST, newPartition, partitionCreation } from './topic-plan.ts'

/** A topic as it shall grow. */
export type RequestedGrowth = CreatePartitionsRequest['topics'][number]

/** What a topic will be with its new partitions, or the {@link KafkaError} that refuses them (`ZkAdminManager`). */
export function planGrowth(
  requested: RequestedGrowth,
  { image, random }: { readonly image: ClusterImage; readonly random: Random },
): TopicImage {
  const { name, count } = requested
  const topic = image.topic(name)
  if (!topic) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `The topic '${name}' does not exist.`)
  const { partitions } = topic
  if (partitions.some(({ addingReplicas, removingReplicas }) => addingReplicas.length + removingReplicas.length > 0)) {
    throw new KafkaError('REASSIGNMENT_IN_PROGRESS', `A partition reassignment is in progress for the topic '${name}'.`)
  }
  const increment = count - partitions.length
  if (increment < 0) {
    throw new KafkaError(
      'INVALID_PARTITIONS',
      `Topic currently has ${partitions.length} partitions, which is higher than the requested ${count}.`,
    )
  }
  if (increment === 0) {
    throw new KafkaError('INVALID_PARTITIONS', `Topic already has ${partitions.length} partitions.`)
  }
  if (increment > MAX_PARTITIONS_PER_REQUEST) {
    throw new KafkaError('POLICY_VIOLATION', 'Excessively large number of partitions per request.')
  }
  const assignments = requested.assignments
    ? givenAssignment(requested.assignments, { topic, increment, image })
    : chosenAssignment({ topic, increment, image, random })
  const { controllerEpoch } = image
  const added = assignments.map(replicas => newPartition(replicas, { image, controllerEpoch }))
  return { ...topic, partitions: [...partitions, ...added] }
}

/** The znodes of the new partitions; the assignment must still be as it was planned from. */
export function growth(before: TopicImage, after: TopicImage): ChangeGroup {
  const first = before.partitions.length
  return [
    { type: 'setData', path: ZnodePath.topic(after.name), data: encodeTopic(after) },
    ...after.partitions
      .slice(first)
      .flatMap((partition, index) => partitionCreation(after.name, first + index, partition)),
  ]
}

function givenAssignment(
  given: NonNullable<RequestedGrowth['assignments']>,
  { topic, increment, image }: { readonly topic: TopicImage; readonly increment: number; readonly image: ClusterImage },
): readonly (readonly number[])[] {
  const refuse = (reason: string): never => {
    throw new KafkaError('INVALID_REPLICA_ASSIGNMENT', reason)
  }
  const assignments = given.map(({ brokerIds }) => brokerIds)
  checkBrokersKnown(assignments, image)
  if (assignments.length !== increment) {
    refuse(`Increasing the number of partitions by ${increment} but ${assignments.length} assignments provided.`)
  }
  const first = topic.partitions.length
  const wanted = topic.partitions[0]?.replicas.length ?? 0
  for (const [index, replicas] of assignments.entries()) {
    const partition = first + index
    if (replicas.length === 0) refuse(`Cannot have replication factor of 0 for partition id ${partition}.`)
    if (new Set(replicas).size < replicas.length) {
      refuse(
        `Duplicate brokers not allowed in replica assignment: ${replicas.join(', ')} for partition id ${partition}.`,
      )
    }
  }
  const others = [...assignments.entries()].filter(([, replicas]) => replicas.length !== wanted)
  if (others.length > 0) {
    const numbers = others.map(([index]) => first + index).join(', ')
    const factors = others.map(([, { length }]) => length).join(', ')
    refuse(
      `Inconsistent replication factor between partitions, partition 0 has ${wanted} while partitions [${numbers}] have replication factors [${factors}], respectively.`,
    )
  }
  return assignments
}

/** Goes on round the brokers where the topic's first partition began. */
function chosenAssignment(options: {
  readonly topic: TopicImage
  readonly increment: number
  readonly image: ClusterImage
  readonly random: Random
}): readonly (readonly number[])[] {
  const { topic, increment, image, random } = options
  const brokers = [...image.brokers.values()].sort((a, b) => a.brokerId - b.brokerId)
  const replicas = topic.partitions[0]?.replicas ?? []
  const leader = replicas[0] ?? -1
  return placeReplicas({
    brokers,
    partitions: increment,
    replicationFactor: replicas.length,
    start: Math.max(
      0,
      brokers.findIndex(({ brokerId }) => brokerId >= leader),
    ),
    firstPartition: topic.partitions.length,
    random,
  })
}
