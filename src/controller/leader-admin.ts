import { LogConfig } from '../config/broker.ts'
import {
  type ClusterImage,
  encodePartitionState,
  type PartitionImage,
  type TopicImage,
  ZnodePath,
} from '../metadata/index.ts'
import { ErrorCode, KafkaError } from '../protocol/index.ts'
import type { ElectLeadersRequest, ElectLeadersResponse } from '../protocol/messages/43-elect-leaders.ts'
import type { ZooKeeperOperation } from '../zookeeper/index.ts'
import { ZooKeeperError } from '../zookeeper/index.ts'
import type { ControllerState } from './controller-state.ts'
import type { ChangeGroup, FencedWriter } from './fenced-writer.ts'
import { NO_STATE } from './image-loader.ts'
import { chooseAnyLeader, chooseLeaderWhenOffline, choosePreferredLeader, renewEpoch } from './leader-choice.ts'
import { createNode, newPartition, partitionCreation } from './topic-plan.ts'

/** Kinds of elections, as requests number them. */
const ElectionType = { PREFERRED: 0, UNCLEAN: 1 } as const

export type ElectionResults = ElectLeadersResponse['replicaElectionResults']
type PartitionResult = ElectionResults[number]['partitionResult'][number]

/** A partition that a request names. */
interface Asked {
  readonly topic: string
  readonly partition: number
}

/** Partitions of a topic that change. */
interface TopicStates {
  readonly topic: TopicImage
  readonly changed: ReadonlyMap<number, PartitionImage>
}

/** Chooses leaders: when a client asks, and when a controller begins. */
export class LeaderAdmin {
  readonly #state: ControllerState

  constructor(state: ControllerState) {
    this.#state = state
  }

  /** Elects leaders of the named partitions, or of all that need it (KIP-183, KIP-460). */
  electLeaders(request: Pick<ElectLeadersRequest, 'electionType' | 'topicPartitions'>): Promise<ElectionResults> {
    return this.#state.change(async writer => {
      const { metadata } = this.#state.options
      const image = metadata.image()
      const wanted = request.topicPartitions
      const asked = wanted
        ? wanted.flatMap(({ topic, partitions }) => partitions.map(partition => ({ topic, partition })))
        : everyPartition(image)
      const outcomes = asked.map(one => ({ ...one, outcome: this.#elect(one, request.electionType, image) }))
      const failures = await this.#write(outcomes, image, writer)
      const results = new Map<string, PartitionResult[]>()
      for (const { topic, partition, outcome } of outcomes) {
        const error = outcome instanceof KafkaError ? outcome : failures.get(topic)
        // Who asks for all wants to hear of those alone for which there was something to do.
        if (!wanted && error?.code === 'ELECTION_NOT_NEEDED') continue
        const of = results.get(topic) ?? []
        results.set(topic, of)
        of.push({
          partitionId: partition,
          errorCode: error?.errorCode ?? ErrorCode.NONE,
          errorMessage: error?.message ?? null,
        })
      }
      return [...results].map(([topic, partitionResult]) => ({ topic, partitionResult }))
    })
  }

  /**
   * What a new controller has to put right: partitions that were never led get a state, those without a live leader get
   * one where they can, and with `renewLeader` the partitions of that broker get a new leader epoch. Writes it, and
   * gives the topics as they are then.
   */
  async settle(
    image: ClusterImage,
    options: { readonly writer: FencedWriter; readonly renewLeader: number | undefined },
  ): Promise<readonly TopicImage[]> {
    const unsettled: TopicStates[] = []
    for (const topic of image.topics()) {
      const changed = this.#settled(topic, { image, renewLeader: options.renewLeader })
      if (changed.size > 0) unsettled.push({ topic, changed })
    }
    const groups: ChangeGroup[] = []
    for (const states of unsettled) groups.push(await this.#settleGroup(states))
    const outcomes = await options.writer.writeAll(groups)
    return unsettled.flatMap(({ topic, changed }, index) => {
      const outcome = outcomes[index]
      if (outcome instanceof ZooKeeperError) {
        this.#state.toKafkaError(outcome, `choosing leaders of ${topic.name}`)
        return []
      }
      return [{ ...topic, partitions: topic.partitions.map((partition, number) => changed.get(number) ?? partition) }]
    })
  }

  #elect({ topic, partition }: Asked, electionType: number, image: ClusterImage): PartitionImage | KafkaError {
    const before = image.partition(topic, partition)
    if (!before) return new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', 'The partition does not exist.')
    const choice = choiceIn(image)
    try {
      if (electionType === ElectionType.PREFERRED) return choosePreferredLeader(before, choice)
      if (electionType === ElectionType.UNCLEAN) return chooseAnyLeader(before, choice)
      return new KafkaError('INVALID_REQUEST', `Unknown election type ${electionType}`)
    } catch (error) {
      if (error instanceof KafkaError) return error
      throw error
    }
  }

  /** Writes and publishes the elected leaders; gives the topics for which that failed. */
  async #write(
    outcomes: readonly (Asked & { readonly outcome: PartitionImage | KafkaError })[],
    image: ClusterImage,
    writer: FencedWriter,
  ): Promise<ReadonlyMap<string, KafkaError>> {
    const byTopic = new Map<string, Map<number, PartitionImage>>()
    for (const { topic, partition, outcome } of outcomes) {
      if (outcome instanceof KafkaError) continue
      const changed = byTopic.get(topic) ?? new Map<number, PartitionImage>()
      byTopic.set(topic, changed.set(partition, outcome))
    }
    const groups = [...byTopic].map(([topic, changed]) => stateChanges(topic, changed, image.topic(topic)))
    const written = await writer.writeAll(groups)
    const failures = new Map<string, KafkaError>()
    for (const [index, topic] of [...byTopic.keys()].entries()) {
      const outcome = written[index]
      if (!(outcome instanceof ZooKeeperError)) continue
      failures.set(topic, this.#state.toKafkaError(outcome, `electing leaders of ${topic}`))
      byTopic.delete(topic)
    }
    if (byTopic.size > 0) {
      this.#state.options.metadata.publish(builder => {
        for (const [topic, changed] of byTopic) builder.putPartitions(topic, changed)
        return builder
      })
    }
    return failures
  }

  #settled(
    topic: TopicImage,
    { image, renewLeader }: { readonly image: ClusterImage; readonly renewLeader: number | undefined },
  ): ReadonlyMap<number, PartitionImage> {
    const choice = choiceIn(image)
    const changed = new Map<number, PartitionImage>()
    for (const [number, partition] of topic.partitions.entries()) {
      if (partition.partitionEpoch === NO_STATE) {
        changed.set(number, newPartition(partition.replicas, { image, controllerEpoch: image.controllerEpoch }))
      } else if (partition.leader === renewLeader && choice.isAlive(partition.leader)) {
        changed.set(number, renewEpoch(partition, choice))
      } else if (!choice.isAlive(partition.leader)) {
        const unclean = this.#uncleanAllowed(topic.name, image)
        const chosen = chooseLeaderWhenOffline(partition, { ...choice, unclean })
        if (chosen) changed.set(number, chosen)
      }
    }
    return changed
  }

  #uncleanAllowed(topic: string, image: ClusterImage): boolean {
    const settings = LogConfig.of(this.#state.options.config.current, image.config('topics', topic))
    return settings.get('unclean.leader.election.enable')
  }

  /** As {@link stateChanges}, and the znodes that a creation which was cut short has left out. */
  async #settleGroup({ topic, changed }: TopicStates): Promise<ChangeGroup> {
    const { zooKeeper } = this.#state.options
    const { name } = topic
    const created: ZooKeeperOperation[] = []
    for (const [number, partition] of changed) {
      if (topic.partitions[number]?.partitionEpoch !== NO_STATE) continue
      const [node, state] = partitionCreation(name, number, partition)
      const there = await zooKeeper.exists(ZnodePath.partition(name, number))
      created.push(...(there || !node ? [] : [node]), ...(state ? [state] : []))
    }
    if (created.length > 0 && !(await zooKeeper.exists(ZnodePath.partitions(name)))) {
      created.unshift(createNode(ZnodePath.partitions(name), null))
    }
    return [...created, ...stateChanges(name, changed, topic)]
  }
}

/** Writes of the states that were there before, each only over the state that it was planned from. */
function stateChanges(
  topic: string,
  changed: ReadonlyMap<number, PartitionImage>,
  before: TopicImage | undefined,
): ChangeGroup {
  return [...changed].flatMap(([number, partition]) => {
    const version = before?.partitions[number]?.partitionEpoch ?? NO_STATE
    if (version === NO_STATE) return []
    const path = ZnodePath.partitionState(topic, number)
    return [{ type: 'setData', path, data: encodePartitionState(partition), version } as const]
  })
}

function choiceIn(image: ClusterImage) {
  return {
    isAlive: (brokerId: number): boolean => image.brokers.has(brokerId),
    controllerEpoch: image.controllerEpoch,
  }
}

function everyPartition(image: ClusterImage): Asked[] {
  return [...image.topics()].flatMap(({ name, partitions }) =>
    partitions.map((_, partition) => ({ topic: name, partition })),
  )
}
