import {
  type BrokerRegistration,
  type ClusterImage,
  configEntity,
  DEFAULT_ENTITY,
  decodeProducerIdBlock,
  encodeProducerIdBlock,
  type MetadataPublisher,
  ZnodePath,
} from '../metadata/index.ts'
import type { DeleteTopicsRequest } from '../protocol/messages/20-delete-topics.ts'
import type { DescribeConfigsRequest } from '../protocol/messages/32-describe-configs.ts'
import type { AlterConfigsRequest } from '../protocol/messages/33-alter-configs.ts'
import type { CreatePartitionsRequest } from '../protocol/messages/37-create-partitions.ts'
import type { ElectLeadersRequest } from '../protocol/messages/43-elect-leaders.ts'
import type { IncrementalAlterConfigsRequest } from '../protocol/messages/44-incremental-alter-configs.ts'
import type { DescribeClientQuotasRequest } from '../protocol/messages/48-describe-client-quotas.ts'
import type { AlterClientQuotasRequest } from '../protocol/messages/49-alter-client-quotas.ts'
import type { UpdateFeaturesResponse } from '../protocol/messages/57-update-features.ts'
import { isZooKeeperError } from '../zookeeper/index.ts'
import { clusterIdOf, ensureClusterPaths, registerBroker } from './cluster-setup.ts'
import { type AlteredResource, ConfigAdmin, type DescribedResource } from './config-admin.ts'
import { ConfigStore } from './config-store.ts'
import { elect } from './controller-election.ts'
import { type ControllerOptions, ControllerState } from './controller-state.ts'
import { FeatureAdmin, type FeatureUpdate } from './feature-admin.ts'
import { FencedWriter } from './fenced-writer.ts'
import { type LoadedCluster, loadCluster, putLoaded } from './image-loader.ts'
import { type ElectionResults, LeaderAdmin } from './leader-admin.ts'
import { type AlteredQuotas, type DescribedQuotas, QuotaAdmin } from './quota-admin.ts'
import { type CreatedTopic, type DeletedTopic, type GrownTopic, TopicAdmin } from './topic-admin.ts'
import type { RequestedTopic } from './topic-plan.ts'

/** Ids that a broker gets at once (`ProducerIdsBlock.PRODUCER_ID_BLOCK_SIZE`). */
const PRODUCER_IDS_IN_BLOCK = 1_000

/** How a broker joins. */
export interface JoinOptions extends Pick<BrokerRegistration, 'endpoints' | 'rack'> {
  /** Default -1: none. */
  readonly jmxPort?: number
  /**
   * The broker's logs may have lost what they had not synced. Its partitions then get a new leader epoch, by which
   * clients notice that what they have seen at the end of a log may be gone.
   */
  readonly uncleanStart?: boolean
}

/**
 * A broker's part in its cluster: it registers, stands for controller, and as the controller makes every change of topics,
 * settings and leaders. It alone writes these znodes; every change is one transaction that checks the controller epoch,
 * is then published as the next image, and only then answered.
 *
 * All of its methods that change something reject with NOT_CONTROLLER while another broker is the controller.
 */
export class Controller {
  readonly clusterId: string
  readonly #state: ControllerState
  readonly #topics: TopicAdmin
  readonly #configs: ConfigAdmin
  readonly #configStore: ConfigStore
  readonly #quotas: QuotaAdmin
  readonly #leaders: LeaderAdmin
  readonly #features: FeatureAdmin
  readonly #unsubscribe: () => void
  #closed = false

  private constructor(options: ControllerOptions, clusterId: string) {
    this.clusterId = clusterId
    this.#state = new ControllerState(options)
    this.#topics = new TopicAdmin(this.#state)
    this.#configStore = new ConfigStore(this.#state)
    this.#configs = new ConfigAdmin(this.#state, this.#configStore)
    this.#quotas = new QuotaAdmin(this.#state, this.#configStore)
    this.#leaders = new LeaderAdmin(this.#state)
    this.#features = new FeatureAdmin(this.#state)
    this.#unsubscribe = options.metadata.subscribe(dynamicSettings(options))
  }

  /**
   * Prepares the cluster's znodes where they are missing, publishes what they hold and puts dynamic settings of this
   * broker into effect. The broker is not part of the cluster yet.
   */
  static async open(given: ControllerOptions): Promise<Controller> {
    const options = { ...given, logger: given.logger.child({ logger: 'kafka.controller.KafkaController' }) }
    const { zooKeeper, metadata, random } = options
    await ensureClusterPaths(zooKeeper)
    const clusterId = await clusterIdOf(zooKeeper, random)
    const loaded = await loadCluster(zooKeeper)
    metadata.publish(builder => putLoaded(builder.setClusterId(clusterId), metadata.image(), loaded))
    return new Controller(options, clusterId)
  }

  /** Whether this broker is the controller. */
  get isActive(): boolean {
    return this.#state.isActive
  }

  /**
   * Registers the broker and becomes controller unless there is one. When it resolves the image holds both. Rejects with
   * `BrokerIdInUseError`.
   */
  async start(join: JoinOptions): Promise<BrokerRegistration> {
    const { zooKeeper, metadata, brokerId, clock } = this.#state.options
    const { endpoints, rack, jmxPort = -1, uncleanStart = false } = join
    const registration = await registerBroker(zooKeeper, {
      brokerId,
      endpoints,
      rack,
      jmxPort,
      features: {},
      timestampMs: clock.now(),
    })
    metadata.publish(builder => builder.putBroker(registration))
    await this.#state.queue(() => this.#standForElection(uncleanStart ? brokerId : undefined))
    return registration
  }

  /** Creates topics. */
  createTopics(
    topics: readonly RequestedTopic[],
    options?: { readonly validateOnly?: boolean; readonly describe?: boolean },
  ): Promise<CreatedTopic[]> {
    return this.#topics.createTopics(topics, options)
  }

  /** Deletes topics by name or id. Throws TOPIC_DELETION_DISABLED. */
  deleteTopics(topics: DeleteTopicsRequest['topics']): Promise<DeletedTopic[]> {
    return this.#topics.deleteTopics(topics)
  }

  /** Adds partitions to topics. */
  createPartitions(
    topics: CreatePartitionsRequest['topics'],
    options?: { readonly validateOnly?: boolean },
  ): Promise<GrownTopic[]> {
    return this.#topics.createPartitions(topics, options)
  }

  /** Sets, deletes, appends to or subtracts from single settings. */
  incrementalAlterConfigs(
    request: Pick<IncrementalAlterConfigsRequest, 'resources' | 'validateOnly'>,
  ): Promise<AlteredResource[]> {
    return this.#configs.incrementalAlterConfigs(request)
  }

  /** Replaces all settings of resources. */
  alterConfigs(request: Pick<AlterConfigsRequest, 'resources' | 'validateOnly'>): Promise<AlteredResource[]> {
    return this.#configs.alterConfigs(request)
  }

  /** Settings of topics and of this broker, with where they come from. */
  describeConfigs(request: DescribeConfigsRequest): DescribedResource[] {
    return this.#configs.describeConfigs(request)
  }

  /** Quotas of the entities that match a filter. Throws INVALID_REQUEST, UNSUPPORTED_VERSION. */
  describeClientQuotas(request: DescribeClientQuotasRequest): DescribedQuotas[] {
    return this.#quotas.describe(request)
  }

  /** Sets and removes quotas of addresses. */
  alterClientQuotas(request: AlterClientQuotasRequest): Promise<AlteredQuotas[]> {
    return this.#quotas.alter(request)
  }

  /** Raises, lowers and removes finalized features. */
  updateFeatures(
    updates: readonly FeatureUpdate[],
    options?: { readonly validateOnly?: boolean },
  ): Promise<UpdateFeaturesResponse['results']> {
    return this.#features.update(updates, options)
  }

  /** Elects preferred leaders, or any where no replica in sync is alive. */
  electLeaders(request: Pick<ElectLeadersRequest, 'electionType' | 'topicPartitions'>): Promise<ElectionResults> {
    return this.#leaders.electLeaders(request)
  }

  /** Producer ids that nobody was given before and nobody will be. */
  allocateProducerIds(): Promise<{ readonly firstProducerId: number; readonly size: number }> {
    return this.#state.change(async writer => {
      const { zooKeeper, brokerId } = this.#state.options
      const path = ZnodePath.producerIdBlock
      const { data, stat } = await zooKeeper.getData(path)
      const first = (decodeProducerIdBlock(data)?.last ?? -1) + 1
      const block = { brokerId, first, last: first + PRODUCER_IDS_IN_BLOCK - 1 }
      await writer.write([{ type: 'setData', path, data: encodeProducerIdBlock(block), version: stat.version }])
      return { firstProducerId: first, size: PRODUCER_IDS_IN_BLOCK }
    })
  }

  /** Resolves when the changes under way, and all that follows from them, have ended. */
  idle(): Promise<void> {
    return this.#state.idle()
  }

  /** Lets changes under way end and takes no more. The session, and with it the registration, is the caller's to close. */
  async close(): Promise<void> {
    this.#closed = true
    this.#unsubscribe()
    await this.#state.idle()
    this.#state.setWriter(undefined)
  }

  async #standForElection(renewLeader?: number): Promise<void> {
    if (this.#closed) return
    const { zooKeeper, metadata, brokerId, clock, logger } = this.#state.options
    const { controllerId, controllerEpoch, epochVersion } = await elect(zooKeeper, {
      brokerId,
      nowMs: clock.now(),
      watcher: () => this.#controllerChanged(),
    })
    if (epochVersion === undefined) {
      this.#state.setWriter(undefined)
      metadata.publish(builder => builder.setController(controllerId, controllerEpoch))
      return
    }
    logger.info(
      {},
      `[Controller id=${brokerId}] ${brokerId} successfully elected as the controller. Epoch ${controllerEpoch}`,
    )
    const writer = new FencedWriter(zooKeeper, {
      epochVersion,
      onFenced: err => {
        logger.error({ err }, `[Controller id=${brokerId}] is not the controller any more`)
        this.#state.setWriter(undefined)
      },
    })
    await this.#takeOver({ controllerEpoch, writer, renewLeader })
    this.#state.setWriter(writer)
  }

  /** Reads everything anew, ends what the last controller could not, and publishes the outcome as one image. */
  async #takeOver(term: {
    readonly controllerEpoch: number
    readonly writer: FencedWriter
    readonly renewLeader: number | undefined
  }): Promise<void> {
    const { zooKeeper, metadata, brokerId } = this.#state.options
    await this.#endDeletions(term.writer)
    await this.#configStore.start()
    const loaded = await loadCluster(zooKeeper)
    const asFound = found(metadata.image(), { loaded, brokerId, controllerEpoch: term.controllerEpoch })
    const settled = await this.#leaders.settle(asFound, term)
    metadata.publish(builder => {
      putLoaded(builder, metadata.image(), loaded).setController(brokerId, term.controllerEpoch)
      for (const topic of settled) builder.putTopic(topic)
      return builder
    })
  }

  async #endDeletions(writer: FencedWriter): Promise<void> {
    const { children } = await this.#state.options.zooKeeper.getChildren(ZnodePath.deleteTopics)
    if (children.length > 0) await this.#topics.endDeletions(children, writer)
  }

  #controllerChanged(): void {
    const { zooKeeper, logger } = this.#state.options
    if (this.#closed || zooKeeper.state !== 'connected') return
    this.#state
      .queue(() => this.#standForElection())
      .catch(err => {
        if (!isZooKeeperError(err, 'CONNECTION_LOSS', 'SESSION_EXPIRED'))
          logger.error({ err }, 'Could not elect a controller')
      })
  }
}

/** An image of what was found, by which a new controller decides. */
function found(
  image: ClusterImage,
  of: { readonly loaded: LoadedCluster; readonly brokerId: number; readonly controllerEpoch: number },
): ClusterImage {
  const builder = putLoaded(image.change(), image, of.loaded)
  return builder.setController(of.brokerId, of.controllerEpoch).build().image
}

/** Puts dynamic settings of this broker into effect whenever they change. */
function dynamicSettings({ config, brokerId, logger }: ControllerOptions): MetadataPublisher {
  const scopes = [
    ['cluster', configEntity('brokers', DEFAULT_ENTITY)],
    ['broker', configEntity('brokers', String(brokerId))],
  ] as const
  return (image, { configs }) => {
    for (const [scope, entity] of scopes) {
      if (!configs.has(entity)) continue
      for (const problem of config.apply(scope, image.configOf(entity))) logger.error({}, problem)
    }
  }
}
