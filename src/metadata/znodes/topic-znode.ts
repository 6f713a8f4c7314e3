import { ZERO_UUID } from '../../protocol/index.ts'
import { encodeJson, ZnodeFormatError, ZnodeObject } from './znode-json.ts'
import { ZnodePath } from './znode-paths.ts'

const NO_BROKERS: readonly number[] = []

/** Replicas of one partition, and what a reassignment under way adds and removes. */
export interface ReplicaAssignment {
  /** Broker ids, the preferred leader first; with those being added in front of those being removed. */
  readonly replicas: readonly number[]
  readonly addingReplicas: readonly number[]
  readonly removingReplicas: readonly number[]
}

/** Content of `/brokers/topics/T`. */
export interface TopicAssignment {
  /** {@link ZERO_UUID} when a Kafka before 2.8 made the topic. */
  readonly topicId: string
  /** By partition number, without a gap. */
  readonly partitions: readonly ReplicaAssignment[]
}

/** `/brokers/topics/T` in the format of Kafka 2.8 and later (version 3). */
export function encodeTopic({ topicId, partitions }: TopicAssignment): Uint8Array {
  return encodeJson({
    partitions: byPartition(partitions, ({ replicas }) => replicas),
    topic_id: topicId,
    adding_replicas: byPartition(partitions, ({ addingReplicas }) => addingReplicas, true),
    removing_replicas: byPartition(partitions, ({ removingReplicas }) => removingReplicas, true),
    version: 3,
  })
}

function byPartition(
  partitions: readonly ReplicaAssignment[],
  brokers: (assignment: ReplicaAssignment) => readonly number[],
  onlyFilled = false,
): Record<string, readonly number[]> {
  const entries = partitions.map((assignment, partition) => [String(partition), brokers(assignment)] as const)
  return Object.fromEntries(entries.filter(([, ids]) => !onlyFilled || ids.length > 0))
}

/** Reads `/brokers/topics/T` of versions 1 to 3. */
export function decodeTopic(topic: string, data: Uint8Array | null): TopicAssignment {
  const json = ZnodeObject.parse(ZnodePath.topic(topic), data)
  const replicas = json.object('partitions')
  const part = (name: string, partition: string): readonly number[] => {
    const object = json.has(name) ? json.object(name) : undefined
    return object?.has(partition) ? object.ints(partition) : NO_BROKERS
  }
  const numbers = replicas.names().map(Number)
  const partitions = numbers.map((_, partition) => {
    const key = String(partition)
    if (!replicas.has(key)) throw new ZnodeFormatError(json.path, `has no partition ${partition}`)
    return {
      replicas: replicas.ints(key),
      addingReplicas: part('adding_replicas', key),
      removingReplicas: part('removing_replicas', key),
    }
  })
  return { topicId: json.stringOrNull('topic_id') ?? ZERO_UUID, partitions }
}
