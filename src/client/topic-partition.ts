import { grouped } from './grouped.ts'

/** One partition of a topic. */
export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** A key for maps, unique to the partition: no topic's name has a colon. */
export function partitionKey({ topic, partition }: TopicPartition): string {
  return `${topic}:${partition}`
}

/** For sorting: by topic, then by number. */
export function comparePartitions(one: TopicPartition, other: TopicPartition): number {
  if (one.topic !== other.topic) return one.topic < other.topic ? -1 : 1
  return one.partition - other.partition
}

/** Partitions as most requests have them: by topic, each in the shape that the request wants. */
export function byTopic<P extends TopicPartition, T>(
  partitions: readonly P[],
  shape: (partition: P) => T,
): { name: string; partitions: T[] }[] {
  const topics = grouped(partitions, ({ topic }) => topic)
  return Array.from(topics, ([name, ofTopic]) => ({ name, partitions: ofTopic.map(shape) }))
}
