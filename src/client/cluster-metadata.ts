import { ErrorCode, KafkaError, type MessageOf } from '../protocol/index.ts'
import type { MetadataResponse } from '../protocol/messages/03-metadata.ts'
import type { Endpoint } from './broker-node.ts'
import type { TopicPartition } from './topic-partition.ts'

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

/** Who leads a partition now, as a broker says that does not; -1 where it does not know. */
export interface MovedLeader {
  readonly leaderId: number
  readonly leaderEpoch: number
}

/** Where that leader is. */
export interface LeaderEndpoint extends Endpoint {
  readonly nodeId: number
  readonly rack: string | null
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

  /** The same, where asking again changes nothing: no right to it, or a name that no topic can have. */
  refusalOf(topic: string): KafkaError | undefined {
    const failure = this.#failures.get(topic)
    return failure?.retriable === false ? failure : undefined
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
      const fresh = topicInfo({ topicId, isInternal, partitions }, name)
      const isSame = known?.id === topicId
      topics.set(name, {
        ...fresh,
        partitions: fresh.partitions.map(partition => {
          const before = isSame ? known.partitions[partition.partition] : undefined
          return before && before.leaderEpoch > partition.leaderEpoch && partition.leaderEpoch >= 0 ? before : partition
        }),
      })
    }
    const { clusterId, controllerId } = answer
    const brokers = answer.brokers.map(({ nodeId, host, port, rack }) => ({ id: nodeId, host, port, rack }))
    return new ClusterMetadata({ clusterId, controllerId, brokers, topics, failures })
  }

  /** The picture with a partition's leader of a later epoch (KIP-951); undefined when that is not news, or nobody says where he is. */
  withLeader(
    { topic, partition }: TopicPartition,
    { leaderId, leaderEpoch }: MovedLeader,
    endpoints: readonly LeaderEndpoint[],
  ): ClusterMetadata | undefined {
    const known = this.topic(topic)
    const before = known?.partitions[partition]
    if (known === undefined || before === undefined || leaderId < 0 || leaderEpoch <= before.leaderEpoch)
      return undefined
    const endpoint = endpoints.find(({ nodeId }) => nodeId === leaderId)
    const broker = endpoint === undefined ? this.brokers.get(leaderId) : { ...endpoint, id: leaderId }
    if (broker === undefined) return undefined
    const { id, host, port, rack } = broker
    const partitions = known.partitions.with(partition, { ...before, leader: leaderId, leaderEpoch })
    return new ClusterMetadata({
      ...this.#others,
      brokers: [...this.brokers.values(), { id, host, port, rack }],
      topics: new Map(this.#topics).set(topic, { ...known, partitions }),
    })
  }

  /** Whether another picture has the same leaders, of the same epochs, for the same partitions. */
  hasLeadersOf(other: ClusterMetadata): boolean {
    const [ours, theirs] = [[...this.topics], [...other.topics]]
    if (ours.length !== theirs.length) return false
    return ours.every(({ name, partitions }) => {
      const known = other.topic(name)?.partitions
      if (known?.length !== partitions.length) return false
      return partitions.every(
        ({ leader, leaderEpoch }, at) => leader === known[at]!.leader && leaderEpoch === known[at]!.leaderEpoch,
      )
    })
  }

  /** The picture of one who has heard of topics, and of no broker yet. */
  withoutBrokers(): ClusterMetadata {
    return new ClusterMetadata({ ...this.#others, controllerId: -1, brokers: [], topics: this.#topics })
  }

  get #others() {
    return { clusterId: this.clusterId, controllerId: this.controllerId, failures: this.#failures }
  }
}

type TopicAnswer = MessageOf<typeof MetadataResponse>['topics'][number]

/** A topic as a broker tells of it. */
export function topicInfo(
  { topicId, isInternal, partitions }: Pick<TopicAnswer, 'topicId' | 'isInternal' | 'partitions'>,
  name: string,
): TopicInfo {
  const inOrder = partitions.map(partitionInfo).sort((one, other) => one.partition - other.partition)
  return { name, id: topicId, isInternal, partitions: inOrder }
}

function partitionInfo(answer: TopicAnswer['partitions'][number]): PartitionInfo {
  return {
    partition: answer.partitionIndex,
    leader: answer.leaderId,
    leaderEpoch: answer.leaderEpoch,
    replicas: answer.replicaNodes,
    isr: answer.isrNodes,
    offlineReplicas: answer.offlineReplicas,
  }
}
