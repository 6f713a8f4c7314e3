import { KafkaError } from '../protocol/index.ts'
import { checkName } from './checked-items.ts'
import type { Cluster } from './cluster.ts'
import type { PartitionInfo, TopicInfo } from './cluster-metadata.ts'
import type { Patient } from './deadline.ts'

/** Every topic that may be seen, internal ones too, by name. */
export async function allTopics(cluster: Cluster, patience: Patient): Promise<TopicInfo[]> {
  const metadata = await cluster.retrying('listing topics', patience, () => cluster.refresh(null))
  return [...metadata.topics].sort((one, other) => (one.name < other.name ? -1 : 1))
}

/**
 * The partitions of a topic, in the order of their numbers. Where asking may create it, it is asked for until it is there.
 * @throws TOPIC_AUTHORIZATION_FAILED, INVALID_TOPIC_EXCEPTION; UNKNOWN_TOPIC_OR_PARTITION, at once where asking cannot create it
 */
export async function partitionsOf(
  cluster: Cluster,
  topic: string,
  patience: Patient,
): Promise<readonly PartitionInfo[]> {
  checkName('topic', topic)
  if (cluster.settings.allowAutoTopicCreation) return (await cluster.topic(topic, patience)).partitions
  const metadata = await cluster.retrying(`partitions of ${topic}`, patience, () => cluster.refresh([topic]))
  const known = metadata.topic(topic)
  if (known !== undefined) return known.partitions
  throw metadata.failureOf(topic) ?? new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `topic ${topic} does not exist`)
}
