import { describeTopic } from '../config/broker.ts'
import { type ClusterImage, configEntity, type TopicImage, ZnodePath } from '../metadata/index.ts'
import { inTurns } from '../platform/index.ts'
import { ErrorCode, type ErrorName, KafkaError, ZERO_UUID } from '../protocol/index.ts'
import type { CreateTopicsResponse } from '../protocol/messages/19-create-topics.ts'
import type { DeleteTopicsRequest, DeleteTopicsResponse } from '../protocol/messages/20-delete-topics.ts'
import type { CreatePartitionsRequest, CreatePartitionsResponse } from '../protocol/messages/37-create-partitions.ts'
import { isZooKeeperError, listSubtree, ZooKeeperError } from '../zookeeper/index.ts'
import type { ControllerState } from './controller-state.ts'
import type { ChangeGroup, FencedWriter } from './fenced-writer.ts'
import { growth, planGrowth } from './partition-plan.ts'
import {
  createNode,
  deleteNode,
  MAX_PARTITIONS_PER_REQUEST,
  planTopic,
  type RequestedTopic,
  type TopicPlan,
  topicCreation,
} from './topic-plan.ts'

export type CreatedTopic = CreateTopicsResponse['topics'][number]
export type DeletedTopic = DeleteTopicsResponse['responses'][number]
export type GrownTopic = CreatePartitionsResponse['results'][number]
type TopicToDelete = DeleteTopicsRequest['topics'][number]

/** Topics that are looked at, planned or got ready to be written before the event loop gets its turn: some milliseconds. */
const TOPICS_IN_A_TURN = 250
/** Partitions that are published before the event loop gets its turn; a topic comes and goes as a whole. */
const PARTITIONS_IN_A_TURN = 100

/** A plan that came out well, and what was written for it. */
interface Planned<P> {
  readonly plan: P
  readonly group: ChangeGroup
}

/** Creates, deletes and grows topics. Every entry of a request succeeds or fails by itself. */
export class TopicAdmin {
  readonly #state: ControllerState

  constructor(state: ControllerState) {
    this.#state = state
  }

  /** Creates topics; `describe` adds each one's settings to its answer. */
  createTopics(
    topics: readonly RequestedTopic[],
    options: { readonly validateOnly?: boolean; readonly describe?: boolean } = {},
  ): Promise<CreatedTopic[]> {
    return this.#state.change(async writer => {
      const { metadata } = this.#state.options
      const planned = await this.#planTopics(topics, metadata.image())
      if (!options.validateOnly)
        await this.#write(planned, { writer, whenExists: 'TOPIC_ALREADY_EXISTS' }, plan => this.#creationGroup(plan))
      const created = planned.filter(isPlan)
      if (!options.validateOnly) await this.#publishCreations(created)
      const describe = options.describe ? this.#describer() : () => []
      const { validateOnly = false } = options
      return topics.map(({ name }, index) => {
        const plan = planned[index]
        return plan === undefined || plan instanceof KafkaError
          ? notCreated(name, plan)
          : createdTopic(plan, { validateOnly, configs: describe(plan.settings) })
      })
    })
  }

  /** Deletes topics, by name or by id. Rejects with TOPIC_DELETION_DISABLED where `delete.topic.enable` is off. */
  async deleteTopics(topics: readonly TopicToDelete[]): Promise<DeletedTopic[]> {
    if (!this.#state.options.config.get('delete.topic.enable')) {
      throw new KafkaError('TOPIC_DELETION_DISABLED', 'Topic deletion is disabled.')
    }
    return this.#state.change(async writer => {
      const { metadata, clock } = this.#state.options
      const image = metadata.image()
      const turn = inTurns(clock, TOPICS_IN_A_TURN)
      const resolved: (TopicImage | KafkaError)[] = []
      for (const topic of topics) {
        await turn()
        resolved.push(attempt(() => resolve(topic, image)))
      }
      // What is asked for twice is deleted once, and both entries say how that went.
      const byName = new Map(resolved.filter(isPlan).map(topic => [topic.name, topic]))
      const indexOf = new Map([...byName.keys()].map((name, index) => [name, index]))
      const planned: (TopicImage | KafkaError)[] = [...byName.values()]
      await this.#write(planned, { writer }, topic => this.#deletionGroup(topic.name))
      const deleted = planned.filter(isPlan)
      const left = await this.#publishDeletions(deleted)
      await this.#removeMarks(
        deleted.map(({ name }) => name).filter(name => !left.has(name)),
        writer,
      )
      return topics.map((asked, index) => {
        const found = resolved[index]
        const topic = found instanceof KafkaError ? undefined : found
        const outcome = topic ? planned[indexOf.get(topic.name)!] : found
        const failed = outcome instanceof KafkaError ? outcome : undefined
        return {
          name: topic?.name ?? asked.name,
          topicId: topic?.topicId ?? asked.topicId,
          errorCode: failed?.errorCode ?? ErrorCode.NONE,
          errorMessage: null,
        }
      })
    })
  }

  /** Publishes new topics, in turns: what follows from it is work for every partition. */
  async #publishCreations(created: readonly TopicPlan[]): Promise<void> {
    const turn = inTurns(this.#state.options.clock, 1)
    for (const part of inParts(created, ({ topic }) => topic)) {
      await turn()
      await this.#state.options.metadata.publishPrepared({ coming: part.map(({ topic }) => topic) }, builder => {
        for (const { topic, settings } of part) {
          builder.putTopic(topic).putConfig(configEntity('topics', topic.name), settings)
        }
        return builder
      })
    }
  }

  /**
   * Publishes that topics are gone, in turns: what follows from it is work on the disk for every partition. Resolves to
   * those of which something is left.
   */
  async #publishDeletions(deleted: readonly TopicImage[]): Promise<Set<string>> {
    const turn = inTurns(this.#state.options.clock, 1)
    const left = new Set<string>()
    for (const part of inParts(deleted, topic => topic)) {
      await turn()
      const leftOfPart = await this.#state.options.metadata.publishPrepared({ going: part }, builder => {
        for (const { name } of part) builder.removeTopic(name).putConfig(configEntity('topics', name), new Map())
        return builder
      })
      for (const name of leftOfPart) left.add(name)
    }
    return left
  }

  /** Adds partitions to topics. */
  createPartitions(
    topics: CreatePartitionsRequest['topics'],
    options: { readonly validateOnly?: boolean } = {},
  ): Promise<GrownTopic[]> {
    return this.#state.change(async writer => {
      const { metadata, random } = this.#state.options
      const image = metadata.image()
      const twice = duplicates(topics.map(({ name }) => name))
      const planned = topics.map(topic =>
        attempt(() => {
          if (twice.has(topic.name)) throw new KafkaError('INVALID_REQUEST', 'Duplicate topic in request.')
          return planGrowth(topic, { image, random })
        }),
      )
      if (!options.validateOnly) {
        await this.#write(planned, { writer }, async after => {
          const before = image.topic(after.name)
          return before ? growth(before, after) : []
        })
        const grown = planned.filter(isPlan)
        await metadata.publishPrepared({ coming: grown }, builder => {
          for (const topic of grown) builder.putTopic(topic)
          return builder
        })
      }
      return topics.map(({ name }, index) => {
        const outcome = planned[index]
        const failed = outcome instanceof KafkaError ? outcome : undefined
        return { name, errorCode: failed?.errorCode ?? ErrorCode.NONE, errorMessage: failed?.message ?? null }
      })
    })
  }

  /**
   * Ends deletions that a controller before this one has marked and could not end: removes what is left of the topics,
   * their logs and the marks. Where deletion is disabled, marks of topics that are whole go alone.
   */
  async endDeletions(marked: readonly string[], writer: FencedWriter): Promise<void> {
    const { zooKeeper, metadata, config } = this.#state.options
    const names: string[] = []
    for (const name of marked) {
      const isWhole = (await zooKeeper.exists(ZnodePath.topic(name))) !== undefined
      if (config.get('delete.topic.enable') || !isWhole) names.push(name)
    }
    for (const name of names) await writer.write(await this.#deletionGroup(name))
    const left = await metadata.publishPrepared({ cutOff: names }, builder => {
      for (const name of names) builder.removeTopic(name).putConfig(configEntity('topics', name), new Map())
      return builder
    })
    await this.#removeMarks(
      marked.filter(name => !left.has(name)),
      writer,
    )
  }

  /** The topics are gone whether the marks can be removed or not: the next controller, or a topic of that name, does it. */
  async #removeMarks(names: readonly string[], writer: FencedWriter): Promise<void> {
    const doing = 'removing the mark of a topic that is deleted'
    try {
      const outcomes = await writer.writeAll(names.map(name => [deleteNode(ZnodePath.deleteTopic(name))]))
      for (const outcome of outcomes) if (outcome instanceof ZooKeeperError) this.#state.toKafkaError(outcome, doing)
    } catch (error) {
      this.#state.toKafkaError(error, doing)
    }
  }

  /**
   * Removes all znodes of a topic. The mark in `/admin/delete_topics` comes first and stays until the logs are gone too, so
   * that a deletion that is cut off, or that an offline log directory keeps from its end, is taken up again by the next
   * controller.
   */
  async #deletionGroup(name: string): Promise<ChangeGroup> {
    const { zooKeeper } = this.#state.options
    const mark = ZnodePath.deleteTopic(name)
    const marked = await zooKeeper.exists(mark)
    const settings = ZnodePath.config(configEntity('topics', name))
    const paths = [
      ...(await listSubtree(zooKeeper, ZnodePath.topic(name))),
      ...(await listSubtree(zooKeeper, settings)),
    ]
    return [...(marked ? [] : [createNode(mark, null)]), ...paths.map(deleteNode)]
  }

  /** Plans each topic as if those before it were there. */
  async #planTopics(topics: readonly RequestedTopic[], before: ClusterImage): Promise<(TopicPlan | KafkaError)[]> {
    const { config, random, clock } = this.#state.options
    const twice = duplicates(topics.map(({ name }) => name))
    const planned: (TopicPlan | KafkaError)[] = []
    let image = before
    let partitions = 0
    const turn = inTurns(clock, TOPICS_IN_A_TURN)
    for (const topic of topics) {
      await turn()
      const plan = attempt(() => {
        if (twice.has(topic.name)) throw new KafkaError('INVALID_REQUEST', 'Found multiple entries for this topic.')
        if (topic.name === '__cluster_metadata') {
          throw new KafkaError('INVALID_REQUEST', 'Creation of internal topic __cluster_metadata is prohibited.')
        }
        const accepted = planTopic(topic, { image, config, random })
        if (partitions + accepted.topic.partitions.length > MAX_PARTITIONS_PER_REQUEST) {
          throw new KafkaError('POLICY_VIOLATION', 'Excessively large number of partitions per request.')
        }
        return accepted
      })
      planned.push(plan)
      if (plan instanceof KafkaError) continue
      partitions += plan.topic.partitions.length
      image = image.change().putTopic(plan.topic).build().image
    }
    return planned
  }

  async #creationGroup(plan: TopicPlan): Promise<ChangeGroup> {
    const settings = ZnodePath.config(configEntity('topics', plan.topic.name))
    const stat = await this.#state.options.zooKeeper.exists(settings)
    const creation = topicCreation(plan, { hasSettings: stat !== undefined })
    const mark = ZnodePath.deleteTopic(plan.topic.name)
    // A mark that could not be removed was meant for a topic before this one.
    const isMarked = (await this.#state.options.zooKeeper.exists(mark)) !== undefined
    return isMarked ? [...creation, deleteNode(mark)] : creation
  }

  /** Writes what was planned, and puts an error in the place of each plan that could not be written. */
  async #write<P>(
    planned: (P | KafkaError)[],
    { writer, whenExists }: { readonly writer: FencedWriter; readonly whenExists?: ErrorName },
    groupOf: (plan: P) => Promise<ChangeGroup>,
  ): Promise<void> {
    const accepted: (Planned<P> & { readonly index: number })[] = []
    const turn = inTurns(this.#state.options.clock, TOPICS_IN_A_TURN)
    for (const [index, plan] of planned.entries()) {
      await turn()
      if (!(plan instanceof KafkaError)) accepted.push({ index, plan, group: await groupOf(plan) })
    }
    const outcomes = await writer.writeAll(accepted.map(({ group }) => group))
    for (const [position, { index }] of accepted.entries()) {
      const outcome = outcomes[position]
      if (!(outcome instanceof ZooKeeperError)) continue
      planned[index] =
        whenExists && isZooKeeperError(outcome, 'NODE_EXISTS')
          ? new KafkaError(whenExists, undefined, { cause: outcome })
          : this.#state.toKafkaError(outcome, 'writing a change of a topic')
    }
  }

  /** Describes settings of new topics; most topics of a request have the same, and are described once. */
  #describer(): (settings: ReadonlyMap<string, string>) => CreatedTopic['configs'] {
    const known = new Map<string, CreatedTopic['configs']>()
    return settings => {
      const key = JSON.stringify([...settings])
      const described = known.get(key) ?? this.#described(settings)
      known.set(key, described)
      return described
    }
  }

  #described(settings: ReadonlyMap<string, string>): CreatedTopic['configs'] {
    return describeTopic(this.#state.options.config, settings).map(({ name, value, source, isSensitive }) => ({
      name,
      value,
      readOnly: false,
      configSource: source,
      isSensitive,
    }))
  }
}

function createdTopic(
  { topic }: TopicPlan,
  { validateOnly, configs }: { readonly validateOnly: boolean; readonly configs: CreatedTopic['configs'] },
): CreatedTopic {
  return {
    name: topic.name,
    topicId: validateOnly ? ZERO_UUID : topic.topicId,
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    topicConfigErrorCode: ErrorCode.NONE,
    numPartitions: topic.partitions.length,
    replicationFactor: topic.partitions[0]?.replicas.length ?? -1,
    configs,
  }
}

function notCreated(name: string, error: KafkaError | undefined): CreatedTopic {
  return {
    name,
    topicId: ZERO_UUID,
    errorCode: error?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR,
    errorMessage: error?.message ?? null,
    topicConfigErrorCode: ErrorCode.NONE,
    numPartitions: -1,
    replicationFactor: -1,
    configs: [],
  }
}

function resolve({ name, topicId }: TopicToDelete, image: ClusterImage): TopicImage {
  if (name !== null) {
    const topic = image.topic(name)
    if (!topic) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION')
    return topic
  }
  const topic = image.topicById(topicId)
  if (!topic) throw new KafkaError('UNKNOWN_TOPIC_ID')
  return topic
}

function isPlan<T>(planned: T | KafkaError): planned is T {
  return !(planned instanceof KafkaError)
}

/** What `plan` gives, or the {@link KafkaError} it throws. */
function attempt<T>(plan: () => T): T | KafkaError {
  try {
    return plan()
  } catch (error) {
    if (error instanceof KafkaError) return error
    throw error
  }
}

/** Topics of so many partitions together as may be published in one turn. */
function* inParts<T>(topics: readonly T[], topicOf: (entry: T) => TopicImage): Generator<readonly T[]> {
  for (let from = 0, to = 0; from < topics.length; from = to) {
    for (let partitions = 0; to < topics.length && partitions < PARTITIONS_IN_A_TURN; to++) {
      partitions += topicOf(topics[to]!).partitions.length
    }
    yield topics.slice(from, to)
  }
}

/** Names that occur more than once. */
function duplicates(names: readonly string[]): ReadonlySet<string> {
  const once = new Set<string>()
  const twice = new Set<string>()
  for (const name of names) (once.has(name) ? twice : once).add(name)
  return twice
}
