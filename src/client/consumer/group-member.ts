import type { Config } from '../../config/index.ts'
import type { KafkaError } from '../../protocol/index.ts'
import type { Cluster } from '../cluster.ts'
import { inTime } from '../deadline.ts'
import { partitionKey, type TopicPartition } from '../topic-partition.ts'
import type { AssignedPartitions } from './assigned-partitions.ts'
import type { consumerKeys } from './consumer-config.ts'
import type { Deliveries } from './deliveries.ts'
import type { Member } from './membership.ts'
import type { RebalanceListeners } from './rebalance-listeners.ts'
import { type Subscription, SubscriptionPattern, subscribedTopics } from './topic-pattern.ts'

/** What a consumer lends to its membership. */
export interface GroupMemberParts<K, V> {
  readonly config: Config<typeof consumerKeys>
  readonly cluster: Cluster
  readonly partitions: AssignedPartitions<K, V>
  readonly deliveries: Deliveries<K, V>
  readonly listeners: RebalanceListeners
  readonly subscription: () => Subscription | undefined
  /** Begins to read. */
  readonly add: (partitions: readonly TopicPartition[]) => void
  /** Commits what was worked on; does not fail. */
  readonly commit: () => Promise<void>
  readonly failed: (error: KafkaError) => void
}

/** A consumer as its membership sees it: what it wants, and how partitions come to it and go. */
export class GroupMember<K, V> implements Member {
  readonly #parts: GroupMemberParts<K, V>

  constructor(parts: GroupMemberParts<K, V>) {
    this.#parts = parts
  }

  topics(): Promise<readonly string[]> {
    const { cluster, config, subscription } = this.#parts
    return subscribedTopics(cluster, subscription() ?? [], { excludeInternal: config.get('exclude.internal.topics') })
  }

  pattern(): string | undefined {
    const subscription = this.#parts.subscription()
    return subscription instanceof SubscriptionPattern ? subscription.pattern : undefined
  }

  owned(): readonly TopicPartition[] {
    return this.#parts.partitions.places()
  }

  /** Lets the program finish what it has in hand, commits, and lets go; a program that takes too long loses its partitions. */
  async revoke(partitions: readonly TopicPartition[]): Promise<void> {
    const { cluster, config, deliveries, listeners } = this.#parts
    const { clock, logger } = cluster.settings
    const quiet = deliveries.hold()
    if (partitions.length === 0) return
    const going = partitions.flatMap(one => this.#parts.partitions.find(one) ?? [])
    const isQuiet = await inTime(quiet, clock, config.get('max.poll.interval.ms'))
    if (!isQuiet) {
      const message =
        'the program worked on a record for longer than max.poll.interval.ms; its partitions go to other members'
      logger.warn({ partitions: partitions.map(partitionKey) }, message)
    }
    await listeners.revoked(partitions)
    if (config.get('enable.auto.commit')) await this.#parts.commit()
    // The program may have left the group meanwhile, and assigned some of them by hand.
    this.#parts.partitions.drop(going.filter(({ isOurs }) => isOurs))
  }

  lost(partitions: readonly TopicPartition[]): void {
    this.#parts.partitions.drop(partitions)
    this.#parts.listeners.lost(partitions)
  }

  assign(partitions: readonly TopicPartition[]): void {
    this.#parts.add(partitions)
    this.#parts.listeners.assigned(partitions)
    this.#parts.deliveries.release()
  }

  failed(error: KafkaError): void {
    this.#parts.failed(error)
  }
}
