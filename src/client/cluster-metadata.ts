import { ErrorCode, KafkaError, type MessageOf } from '../protocol/index.ts'
import type { MetadataResponse } from '../protocol/messages/03-metadata.ts'
import type { Endpoint } from './broker-node.ts'

/** A broker as the cluster names it. */
export interface BrokerInfo extends Endpoint {
  readonly id: number
  readonly rack: string | null
}

export interface PartitionInfo {
  readonly partition: number
  /** Id of the leader; -1 while there is none. */
  readonly leader: number
  /** -1 where the broker does not tell. */
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  readonly offlineReplicas: readonly number[]
}

export interface TopicInfo {
  readonly name: string
  /** All zeros where the broker knows of no topic ids. */
  readonly id: string
  readonly isInternal: boolean
  /** In the order of their numbers, which are their indexes. */
  readonly partitions: readonly PartitionInfo[]
}

/** A picture of the cluster: brokers, and the topics that were asked for. Immutable. */
export class ClusterMetadata {
  static readonly EMPTY = new ClusterMetadata({ brokers: [], topics: new Map(), failures: new Map() })

  readonly clusterId: string | null
  /** -1 while there is none. */
  readonly controllerId: number
  readonly brokers: ReadonlyMap<number, BrokerInfo>
  readonly #topics: ReadonlyMap<string, TopicInfo>
  readonly #failures: ReadonlyMap<string, KafkaError>

  constructor(parts: {
    readonly clusterId?: string | null
    readonly controllerId?: number
    readonly brokers: Iterable<BrokerInfo>
    readonly topics: ReadonlyMap<string, TopicInfo>
    readonly failures: ReadonlyMap<string, KafkaError>
  }) {
    this.clusterId = parts.clusterId ?? null
    this.controllerId = parts.controllerId ?? -1
    this.brokers = new Map(Array.from(parts.brokers, broker => [broker.id, broker]))
    this.#topics = parts.topics
    this.#failures = parts.failures
  }

  get topics(): Iterable<TopicInfo> {
    return this.#topics.values()
  }

  topic(name: string): TopicInfo | undefined {
    return this.#topics.get(name)
  }

  /** Why nothing is known of a topic that was asked for. */
  failureOf(topic: string): KafkaError | undefined {
    return this.#failures.get(topic)
  }

  partition(topic: string, partition: number): PartitionInfo | undefined {
    return this.#topics.get(topic)?.partitions[partition]
  }

  /**
   * The picture after an answer: it replaces what is said of the topics that were asked for, all of them where `asked` is null. A
   * partition whose leader epoch went back keeps what was known: the answer came from a broker that lags (KIP-320).
   */
  updated(answer: MessageOf<typeof MetadataResponse>, asked: readonly string[] | null): ClusterMetadata {
    const topics = new Map(asked === null ? [] : this.#topics)
    const failures = new Map(asked === null ? [] : this.#failures)
    for (const name of asked ?? []) failures.delete(name)
    for (const { name, errorCode, topicId, isInternal, partitions } of answer.topics) {
      if (name === null) continue
      if (errorCode !== ErrorCode.NONE) {
        topics.delete(name)
        failures.set(name, KafkaError.fromCode(errorCode, `topic ${name}: ${KafkaError.fromCode(errorCode).message}`))
        continue
      }
      const known = this.#topics.get(name)
      const fresh = partitions.map(partitionInfo).sort((one, other) => one.partition - other.partition)
      const isSame = known?.id === topicId
      topics.set(name, {
        name,
        id: topicId,
        isInternal,
        partitions: fresh.map(partition => {
          const before = isSame ? known.partitions[partition.partition] : undefined
          return before && before.leaderEpoch > partition.leaderEpoch && partition.leaderEpoch >= 0 ? before : partition
        }),
      })
    }
    const { clusterId, controllerId } = answer
    const brokers = answer.brokers.map(({ nodeId, host, port, rack }) => ({ id: nodeId, host, port, rack }))
    return new ClusterMetadata({ clusterId, controllerId, brokers, topics, failures })
  }
}

function partitionInfo(
  answer: MessageOf<typeof MetadataResponse>['topics'][number]['partitions'][number],
): PartitionInfo {
  return {
    partition: answer.partitionIndex,
    leader: answer.leaderId,
    leaderEpoch: answer.leaderEpoch,
    replicas: answer.replicaNodes,
    isr: answer.isrNodes,
    offlineReplicas: answer.offlineReplicas,
  }
}
