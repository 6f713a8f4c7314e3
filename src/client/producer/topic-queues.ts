import type { Random } from '../../platform/index.ts'
import { KafkaError, type RecordPart } from '../../protocol/index.ts'
import type { Cluster } from '../cluster.ts'
import type { ClusterMetadata } from '../cluster-metadata.ts'
import { partitionForKey } from './murmur2.ts'
import { PartitionQueue } from './partition-queue.ts'
import type { Partitioner } from './partitioner.ts'
import type { ProducerSettings } from './producer-settings.ts'
import type { ProducerRecord } from './record-input.ts'
import { type PartitionLoad, StickyPartition } from './sticky-partition.ts'

/** Queues of one topic's partitions, and the choice among them. */
export class TopicQueues {
  readonly topic: string
  readonly #cluster: Cluster
  readonly #settings: ProducerSettings
  readonly #partitioner: Partitioner | undefined
  readonly #sticky: StickyPartition
  readonly #queues: PartitionQueue[] = []
  #metadata: ClusterMetadata | undefined
  #available: number[] = []
  /** Partitions of the topic as last heard: fewer than there are queues where it was made anew with fewer. */
  #count = 0

  constructor(
    topic: string,
    parts: {
      readonly cluster: Cluster
      readonly settings: ProducerSettings
      readonly partitioner: Partitioner | undefined
      readonly random: Random
    },
  ) {
    this.topic = topic
    this.#cluster = parts.cluster
    this.#settings = parts.settings
    this.#partitioner = parts.partitioner
    const { batchBytes, isAdaptive } = parts.settings
    this.#sticky = new StickyPartition({ switchBytes: Math.max(1, batchBytes), isAdaptive, random: parts.random })
  }

  /**
   * The queue of the partition that a record names or that is chosen for it.
   * @throws KafkaError UNKNOWN_TOPIC_OR_PARTITION for a partition that the topic does not have
   */
  queueFor(record: ProducerRecord<unknown, unknown>, key: RecordPart, value: RecordPart): PartitionQueue {
    this.#follow()
    const count = this.#count
    const partition = record.partition ?? this.#choose(record, key, value)
    const queue = partition < count ? this.#queues[partition] : undefined
    if (queue === undefined) {
      const message = `topic ${this.topic} has no partition ${partition}, but 0 to ${count - 1}`
      throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', message)
    }
    return queue
  }

  /** A record of so many bytes was put into the queue that {@link queueFor} chose. */
  wrote(bytes: number): void {
    this.#sticky.wrote(bytes)
  }

  #choose(record: ProducerRecord<unknown, unknown>, key: RecordPart, value: RecordPart): number {
    const count = this.#count
    if (this.#partitioner !== undefined) {
      return this.#partitioner.partition({
        topic: this.topic,
        key: record.key,
        value: record.value,
        keyBytes: bytesOf(key),
        valueBytes: bytesOf(value),
        partitionCount: count,
        available: this.#available,
      })
    }
    if (key !== null && !this.#settings.ignoresKeys) return partitionForKey(key, count)
    return this.#sticky.next(count, () => this.#loads())
  }

  #loads(): PartitionLoad[] {
    return this.#available.map(partition => ({ partition, queued: this.#queues[partition]!.waiting.length }))
  }

  /** Takes over what has changed in the cluster: partitions that were added, leaders that came and went. */
  #follow(): void {
    const { metadata } = this.#cluster
    if (metadata === this.#metadata) return
    this.#metadata = metadata
    const partitions = metadata.topic(this.topic)?.partitions ?? []
    for (let partition = this.#queues.length; partition < partitions.length; partition++) {
      this.#queues.push(new PartitionQueue(this.topic, partition))
    }
    // While nobody knows the topic, what was known of it holds.
    if (partitions.length > 0) this.#count = partitions.length
    this.#available = partitions.filter(({ leader }) => leader >= 0).map(({ partition }) => partition)
  }
}

function bytesOf(part: RecordPart): Uint8Array | null {
  return typeof part === 'string' ? Buffer.from(part) : part
}
