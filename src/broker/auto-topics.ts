import type { DynamicBrokerConfig } from '../config/broker.ts'
import { isLegalTopicName } from '../controller/index.ts'
import type { MetadataCache } from '../metadata/index.ts'
import { isInternalTopic, OFFSETS_TOPIC } from '../metadata/index.ts'
import type { Logger } from '../platform/index.ts'
import { ErrorCode, type ErrorName } from '../protocol/index.ts'
import type { CreateTopicsRequest, CreateTopicsResponse } from '../protocol/messages/19-create-topics.ts'

/** Topics that one request may make come to be. */
const MAX_TOPICS_PER_REQUEST = 1_000

type NewTopic = CreateTopicsRequest['topics'][number]

export interface AutoTopicsOptions {
  readonly config: DynamicBrokerConfig
  readonly metadata: MetadataCache
  readonly logger: Logger
  /** Creates topics: the controller's. */
  readonly createTopics: (topics: readonly NewTopic[]) => Promise<CreateTopicsResponse['topics']>
}

/**
 * Topics that come to be because somebody asked for them (Kafka's AutoTopicCreationManager). Unlike Kafka, which first
 * answers LEADER_NOT_AVAILABLE, the asker waits until the topic is there.
 */
export class AutoTopics {
  readonly #options: AutoTopicsOptions
  /** By name, so that askers of the same topic wait for one creation. */
  readonly #creating = new Map<string, Promise<number>>()

  constructor(options: AutoTopicsOptions) {
    this.#options = options
  }

  /** Creates topics that are missing, where that is allowed; gives an error code for each that is not there then. */
  async create(names: readonly string[]): Promise<Map<string, number>> {
    const allowed = names.filter(name => this.#mayCreate(name)).slice(0, MAX_TOPICS_PER_REQUEST)
    const fresh = allowed.filter(name => !this.#creating.has(name))
    if (fresh.length > 0) this.#begin(fresh)
    const errors = new Map(names.map(name => [name, this.missing(name)]))
    const outcomes = allowed.map(async name => [name, await this.#creating.get(name)] as const)
    for (const [name, errorCode] of await Promise.all(outcomes)) errors.set(name, errorCode ?? ErrorCode.NONE)
    return errors
  }

  /** The error for a topic that does not exist and is not created. */
  missing(name: string): number {
    return isLegalTopicName(name) ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.INVALID_TOPIC_EXCEPTION
  }

  #mayCreate(name: string): boolean {
    return isLegalTopicName(name) && (isInternalTopic(name) || this.#options.config.get('auto.create.topics.enable'))
  }

  #begin(names: readonly string[]): void {
    const answers = this.#options.createTopics(names.map(name => this.#newTopic(name)))
    for (const name of names) {
      const outcome = answers.then(
        topics => this.#outcome(name, topics.find(topic => topic.name === name)?.errorCode ?? ErrorCode.NONE),
        error => {
          this.#options.logger.error({ err: error }, `Could not create topic ${name}`)
          return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
        },
      )
      this.#creating.set(
        name,
        outcome.finally(() => this.#creating.delete(name)),
      )
    }
  }

  /** Somebody else may have been faster; clients understand few errors here and come again after the others. */
  #outcome(name: string, errorCode: number): number {
    if (this.#options.metadata.image().topic(name)) return ErrorCode.NONE
    const known: ErrorName[] = ['INVALID_TOPIC_EXCEPTION', 'INVALID_REPLICATION_FACTOR', 'INVALID_PARTITIONS']
    return known.some(error => ErrorCode[error] === errorCode) ? errorCode : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  }

  #newTopic(name: string): NewTopic {
    const { config } = this.#options
    if (name === OFFSETS_TOPIC) {
      return {
        name,
        numPartitions: config.get('offsets.topic.num.partitions'),
        replicationFactor: this.#replicas('offsets.topic.replication.factor', name),
        assignments: [],
        configs: [
          { name: 'cleanup.policy', value: 'compact' },
          { name: 'segment.bytes', value: String(config.get('offsets.topic.segment.bytes')) },
          { name: 'compression.type', value: 'producer' },
        ],
      }
    }
    if (isInternalTopic(name)) {
      return {
        name,
        numPartitions: config.get('transaction.state.log.num.partitions'),
        replicationFactor: this.#replicas('transaction.state.log.replication.factor', name),
        assignments: [],
        configs: [
          { name: 'cleanup.policy', value: 'compact' },
          { name: 'segment.bytes', value: String(config.get('transaction.state.log.segment.bytes')) },
          { name: 'min.insync.replicas', value: String(config.get('transaction.state.log.min.isr')) },
          { name: 'compression.type', value: 'uncompressed' },
          { name: 'unclean.leader.election.enable', value: 'false' },
        ],
      }
    }
    return { name, numPartitions: -1, replicationFactor: -1, assignments: [], configs: [] }
  }

  /**
   * How many replicas an internal topic gets. Kafka's default of 3 makes consumer groups impossible on a lone broker;
   * there the topic gets one replica and the log says so.
   */
  #replicas(
    key: 'offsets.topic.replication.factor' | 'transaction.state.log.replication.factor',
    topic: string,
  ): number {
    const wanted = this.#options.config.get(key)
    if (this.#options.metadata.image().brokers.size > 1 || wanted <= 1) return wanted
    this.#options.logger.info(
      {},
      `Creating ${topic} with one replica instead of ${key}=${wanted}: this broker is alone`,
    )
    return 1
  }
}
