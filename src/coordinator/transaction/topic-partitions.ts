/** A set of partitions by topic, as a value. */
export type TopicPartitions = ReadonlyMap<string, ReadonlySet<number>>

/** One of them. */
export interface PartitionName {
  readonly topic: string
  readonly partition: number
}

export const NO_PARTITIONS: TopicPartitions = new Map()

/** Both together; the arguments stay as they are. */
export function withPartitions(partitions: TopicPartitions, added: Iterable<PartitionName>): TopicPartitions {
  const next = new Map<string, Set<number>>()
  for (const [topic, indexes] of partitions) next.set(topic, new Set(indexes))
  for (const { topic, partition } of added) {
    const indexes = next.get(topic)
    if (indexes === undefined) next.set(topic, new Set([partition]))
    else indexes.add(partition)
  }
  return next
}

export function hasPartition(partitions: TopicPartitions, { topic, partition }: PartitionName): boolean {
  return partitions.get(topic)?.has(partition) ?? false
}

/** Each of them, topic by topic. */
export function* namesOf(partitions: TopicPartitions): Generator<PartitionName, void, undefined> {
  for (const [topic, indexes] of partitions) for (const partition of indexes) yield { topic, partition }
}
