import { ErrorCode, type ErrorName, KafkaError, ZERO_UUID } from '../protocol/index.ts'
import { HostedTopic } from './hosted-topic.ts'
import type { Partition } from './partition.ts'

/** Whether the cluster has a partition, wherever it is hosted. */
export type IsKnown = (topic: string, partition: number) => boolean

/** The partitions that this broker hosts, by name and by topic id. A look-up builds no key: it is on every path. */
export class HostedPartitions {
  readonly #byName = new Map<string, HostedTopic>()
  readonly #byId = new Map<string, HostedTopic>()
  readonly #isKnown: IsKnown

  constructor(isKnown: IsKnown) {
    this.#isKnown = isKnown
  }

  topics(): IterableIterator<HostedTopic> {
    return this.#byName.values()
  }

  topic(name: string): HostedTopic | undefined {
    return this.#byName.get(name)
  }

  topicById(topicId: string): HostedTopic | undefined {
    return this.#byId.get(topicId)
  }

  find(topic: string, partition: number): Partition | undefined {
    return this.#byName.get(topic)?.partitions[partition]
  }

  /** @throws KafkaError as {@link missing} says, KAFKA_STORAGE_ERROR. */
  get(topic: string, partition: number): Partition {
    const found = this.find(topic, partition)
    if (!found) throw new KafkaError(this.missing(topic, partition))
    if (found.isOffline) throw new KafkaError('KAFKA_STORAGE_ERROR')
    return found
  }

  /**
   * The partition that a fetch means, or the code why there is none: a topic is meant by its id where one is given, so
   * that a topic deleted and made again under the same name is not mistaken for the old one (KIP-516).
   */
  resolve(request: {
    readonly topic: string | undefined
    readonly topicId: string
    readonly partition: number
  }): Partition | number {
    const { topic, topicId, partition } = request
    const hosted = topicId === ZERO_UUID ? this.#byName.get(topic ?? '') : this.#byId.get(topicId)
    const found = hosted?.partitions[partition]
    if (found) return found
    if (topic === undefined) return ErrorCode.UNKNOWN_TOPIC_ID
    if (!hosted && topicId !== ZERO_UUID && this.#byName.get(topic)?.partitions[partition]) {
      return ErrorCode.INCONSISTENT_TOPIC_ID
    }
    return ErrorCode[this.missing(topic, partition)]
  }

  /** Why a partition is not hosted: another broker has it, or nobody. */
  missing(topic: string, partition: number): ErrorName {
    return this.#isKnown(topic, partition) ? 'NOT_LEADER_OR_FOLLOWER' : 'UNKNOWN_TOPIC_OR_PARTITION'
  }

  add(partition: Partition): void {
    const { topic, partition: index } = partition.topicPartition
    let hosted = this.#byName.get(topic)
    if (!hosted || hosted.topicId !== partition.topicId) {
      hosted = new HostedTopic(topic, partition.topicId)
      this.#byName.set(topic, hosted)
      if (partition.topicId !== ZERO_UUID) this.#byId.set(partition.topicId, hosted)
    }
    if (!hosted.partitions[index]) hosted.partitionCount++
    hosted.partitions[index] = partition
  }

  remove(partition: Partition): void {
    const { topic, partition: index } = partition.topicPartition
    const hosted = this.#byName.get(topic)
    if (hosted?.partitions[index] !== partition) return
    hosted.partitions[index] = undefined
    hosted.partitionCount--
    if (hosted.partitionCount > 0) return
    this.#byName.delete(topic)
    this.#byId.delete(hosted.topicId)
  }

  *all(): IterableIterator<Partition> {
    for (const topic of this.#byName.values()) {
      for (const partition of topic.partitions) if (partition) yield partition
    }
  }
}
