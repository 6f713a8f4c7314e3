import { ZERO_UUID } from '../protocol/index.ts'
import type { BrokerRegistration } from './broker-registration.ts'
import { type FinalizedFeatures, NO_FEATURES } from './features.ts'
import { PersistentMap } from './persistent-map.ts'
import type { LeaderAndIsr } from './znodes/partition-state-znode.ts'
import type { ReplicaAssignment } from './znodes/topic-znode.ts'
import { type ConfigEntityType, configEntity } from './znodes/znode-paths.ts'

/** Everything the cluster knows of one partition. */
export interface PartitionImage extends ReplicaAssignment, LeaderAndIsr {
  /** Grows with each change of leader or in-sync set: the version of the partition's state znode. */
  readonly partitionEpoch: number
}

/** A topic. */
export interface TopicImage {
  readonly name: string
  /** {@link ZERO_UUID} for a topic of a Kafka before 2.8. */
  readonly topicId: string
  /** By partition number, without a gap. */
  readonly partitions: readonly PartitionImage[]
}

/** A topic before and after a change. A different `topicId` means another topic of the same name. */
export interface TopicChange {
  readonly name: string
  /** Undefined: created. */
  readonly before: TopicImage | undefined
  /** Undefined: deleted. */
  readonly after: TopicImage | undefined
}

/** What differs between two images. */
export interface ClusterDelta {
  readonly topics: readonly TopicChange[]
  /** Brokers that came, went or registered anew. */
  readonly brokers: ReadonlySet<number>
  /** Entities whose settings changed: `topics/t`, `brokers/0`, `brokers/<default>`, `users/u`. */
  readonly configs: ReadonlySet<string>
  /** There is another controller, or none, or one again. */
  readonly controllerChanged: boolean
}

/** The parts of an image that a builder replaces. */
interface Parts {
  readonly clusterId: string
  readonly controllerId: number
  readonly controllerEpoch: number
  readonly brokers: ReadonlyMap<number, BrokerRegistration>
  readonly features: FinalizedFeatures
  readonly topics: PersistentMap<TopicImage>
  readonly topicNames: PersistentMap<string>
  readonly configs: PersistentMap<ReadonlyMap<string, string>>
}

const NO_SETTINGS: ReadonlyMap<string, string> = new Map()

/**
 * The cluster at one moment, immutable: brokers, topics, partitions, settings. Whoever reads it twice in one request
 * reads the same. A change makes a new image that shares what stayed (see {@link ImageBuilder}).
 */
export class ClusterImage {
  /** 22 characters. */
  readonly clusterId: string
  /** Broker id; -1 when there is none. */
  readonly controllerId: number
  readonly controllerEpoch: number
  /** Live brokers by id. */
  readonly brokers: ReadonlyMap<number, BrokerRegistration>
  readonly features: FinalizedFeatures
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.clusterId = parts.clusterId
    this.controllerId = parts.controllerId
    this.controllerEpoch = parts.controllerEpoch
    this.brokers = parts.brokers
    this.features = parts.features
    this.#parts = parts
  }

  /** A cluster of which nothing is known. */
  static empty(clusterId = ''): ClusterImage {
    return new ClusterImage({
      clusterId,
      controllerId: -1,
      controllerEpoch: 0,
      brokers: new Map(),
      features: NO_FEATURES,
      topics: PersistentMap.empty(),
      topicNames: PersistentMap.empty(),
      configs: PersistentMap.empty(),
    })
  }

  get topicCount(): number {
    return this.#parts.topics.size
  }

  topic(name: string): TopicImage | undefined {
    return this.#parts.topics.get(name)
  }

  topicById(topicId: string): TopicImage | undefined {
    const name = this.#parts.topicNames.get(topicId)
    return name === undefined ? undefined : this.topic(name)
  }

  /** All topics, in no order. */
  topics(): IterableIterator<TopicImage> {
    return this.#parts.topics.values()
  }

  partition(topic: string, partition: number): PartitionImage | undefined {
    return this.topic(topic)?.partitions[partition]
  }

  /** Settings of an entity itself, without those it inherits; empty when it has none. */
  config(type: ConfigEntityType, name: string): ReadonlyMap<string, string> {
    return this.configOf(configEntity(type, name))
  }

  /** As {@link config}, by the entity as a {@link ClusterDelta} names it. */
  configOf(entity: string): ReadonlyMap<string, string> {
    return this.#parts.configs.get(entity) ?? NO_SETTINGS
  }

  /** The level that the cluster has agreed on; 0 where it has not. */
  featureLevel(feature: string): number {
    return this.features.levels.get(feature) ?? 0
  }

  /** All entities with settings. */
  configs(): IterableIterator<[string, ReadonlyMap<string, string>]> {
    return this.#parts.configs.entries()
  }

  /** Begins a change. */
  change(): ImageBuilder {
    return new ImageBuilder(this, this.#parts)
  }

  /** What somebody must be told who knows of nothing. */
  asDelta(): ClusterDelta {
    return {
      topics: [...this.topics()].map(after => ({ name: after.name, before: undefined, after })),
      brokers: new Set(this.brokers.keys()),
      configs: new Set(this.#parts.configs.keys()),
      controllerChanged: true,
    }
  }
}

/** Gathers changes and makes the next image and the delta to it. */
export class ImageBuilder {
  readonly #before: ClusterImage
  #parts: Parts
  readonly #topics = new Set<string>()
  readonly #brokers = new Set<number>()
  readonly #configs = new Set<string>()
  #controllerChanged = false

  constructor(before: ClusterImage, parts: Parts) {
    this.#before = before
    this.#parts = parts
  }

  setClusterId(clusterId: string): this {
    return this.#with({ clusterId })
  }

  setController(controllerId: number, controllerEpoch: number): this {
    this.#controllerChanged ||= controllerId !== this.#parts.controllerId
    return this.#with({ controllerId, controllerEpoch })
  }

  setFeatures(features: FinalizedFeatures): this {
    return this.#with({ features })
  }

  putBroker(broker: BrokerRegistration): this {
    this.#brokers.add(broker.brokerId)
    return this.#with({ brokers: new Map(this.#parts.brokers).set(broker.brokerId, broker) })
  }

  removeBroker(brokerId: number): this {
    this.#brokers.add(brokerId)
    const brokers = new Map(this.#parts.brokers)
    brokers.delete(brokerId)
    return this.#with({ brokers })
  }

  /** Adds or replaces a topic. */
  putTopic(topic: TopicImage): this {
    this.#topics.add(topic.name)
    const { topics, topicNames } = this.#parts
    const old = topics.get(topic.name)
    let names = topicNames
    if (old && old.topicId !== topic.topicId) names = names.with(old.topicId, undefined)
    if (topic.topicId !== ZERO_UUID && names.get(topic.topicId) === undefined) {
      names = names.with(topic.topicId, topic.name)
    }
    return this.#with({ topics: topics.with(topic.name, topic), topicNames: names })
  }

  removeTopic(name: string): this {
    const { topics, topicNames } = this.#parts
    const old = topics.get(name)
    if (!old) return this
    this.#topics.add(name)
    return this.#with({ topics: topics.with(name, undefined), topicNames: topicNames.with(old.topicId, undefined) })
  }

  /** Replaces some partitions of a topic that exists. */
  putPartitions(topic: string, partitions: ReadonlyMap<number, PartitionImage>): this {
    const old = this.#parts.topics.get(topic)
    if (!old) return this
    return this.putTopic({
      ...old,
      partitions: old.partitions.map((partition, index) => partitions.get(index) ?? partition),
    })
  }

  /** Replaces all settings of an entity. */
  putConfig(entity: string, settings: ReadonlyMap<string, string>): this {
    this.#configs.add(entity)
    const { configs } = this.#parts
    return this.#with({ configs: configs.with(entity, settings.size === 0 ? undefined : settings) })
  }

  build(): { readonly image: ClusterImage; readonly delta: ClusterDelta } {
    const image = new ClusterImage(this.#parts)
    const topics = [...this.#topics].map(name => {
      return { name, before: this.#before.topic(name), after: image.topic(name) }
    })
    return {
      image,
      delta: {
        topics: topics.filter(({ before, after }) => before !== after),
        brokers: this.#brokers,
        configs: this.#configs,
        controllerChanged: this.#controllerChanged,
      },
    }
  }

  #with(changed: Partial<Parts>): this {
    this.#parts = { ...this.#parts, ...changed }
    return this
  }
}
