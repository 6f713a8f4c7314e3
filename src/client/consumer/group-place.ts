import type { Config } from '../../config/index.ts'
import { KafkaError } from '../../protocol/index.ts'
import type { Cluster } from '../cluster.ts'
import { inTime, type Patient } from '../deadline.ts'
import type { AssignedPartitions } from './assigned-partitions.ts'
import type { PartitionAssignor } from './assignors/assignor.ts'
import type { consumerKeys } from './consumer-config.ts'
import type { Deliveries } from './deliveries.ts'
import type { Member, Membership } from './membership.ts'
import { membershipOf } from './membership-settings.ts'
import { type Committer, outsider } from './offset-requests.ts'
import type { RebalanceListeners } from './rebalance-listeners.ts'
import type { Subscription } from './topic-pattern.ts'

/** What a consumer lends to its place in the group. */
export interface GroupPlaceParts<K, V> {
  readonly config: Config<typeof consumerKeys>
  readonly cluster: Cluster
  readonly assignors: readonly PartitionAssignor[]
  /** The consumer, as a membership sees it. */
  readonly member: Member
  readonly listeners: RebalanceListeners
  readonly partitions: AssignedPartitions<K, V>
  readonly deliveries: Deliveries<K, V>
  /** Commits what was worked on; does not fail. */
  readonly commit: (wait: { readonly timeoutMs: number }) => Promise<void>
}

/** Whether a consumer is in its group, for which topics, and how it comes in and goes. */
export class GroupPlace<K, V> {
  readonly #parts: GroupPlaceParts<K, V>
  #membership: Membership | undefined
  #subscription: Subscription | undefined
  /** Calls of {@link unsubscribe} under way, and what is subscribed to meanwhile: it begins after them. */
  #unsubscribing = 0
  #next: Subscription | undefined
  #left: Committer | undefined
  #leaving: Promise<void> | undefined
  #isClosed = false

  constructor(parts: GroupPlaceParts<K, V>) {
    this.#parts = parts
  }

  /** What is read of the group's topics now. */
  get subscription(): Subscription | undefined {
    return this.#subscription
  }

  /** Whether partitions are the group's to give, now or as soon as a place before is left. */
  get isWanted(): boolean {
    return (this.#subscription ?? this.#next) !== undefined
  }

  get membership(): Membership | undefined {
    return this.#membership
  }

  /** The place in the group that was left: what was read in it counts for nothing now. */
  get left(): Committer | undefined {
    return this.#left
  }

  /** Who commits. @throws KafkaError INVALID_GROUP_ID for `what`, without a group */
  committerFor(what: string): Committer {
    const groupId = this.#parts.config.get('group.id')
    if (groupId === null) throw new KafkaError('INVALID_GROUP_ID', `${what} needs a group: set group.id`)
    return this.#membership?.committer ?? outsider(groupId)
  }

  subscribe(subscription: Subscription): void {
    if (this.#unsubscribing > 0) this.#next = subscription
    else this.#join(subscription)
  }

  /** Partitions are chosen without the group: it does not matter any more what was left. */
  assigned(): void {
    this.#left = undefined
  }

  async unsubscribe(): Promise<void> {
    this.#next = undefined
    this.#unsubscribing += 1
    try {
      await this.#letGo()
    } finally {
      this.#unsubscribing -= 1
      const next = this.#next
      if (next !== undefined && this.#unsubscribing === 0 && !this.#isClosed) {
        this.#next = undefined
        this.#join(next)
      }
    }
  }

  /** Lets go of everything, for good; the program has the time of `patience` for it. */
  close(patience: Patient): Promise<void> {
    this.#isClosed = true
    return this.#letGo(patience)
  }

  #join(subscription: Subscription): void {
    this.#subscription = subscription
    if (this.#membership !== undefined) {
      this.#membership.rejoin()
      return
    }
    const { assignors, cluster, config, member } = this.#parts
    this.#membership = membershipOf(config, { cluster, groupId: config.get('group.id')!, assignors }, member)
    this.#membership.start()
  }

  async #letGo(patience?: Patient): Promise<void> {
    const { cluster, commit, config, partitions } = this.#parts
    const all = partitions.places()
    const membership = this.#membership
    try {
      if (membership !== undefined && all.length > 0) await this.#tellRevoked(all, patience)
    } finally {
      const isCommitting = config.get('enable.auto.commit')
      const committed = isCommitting ? commit({ timeoutMs: cluster.settings.requestTimeoutMs }) : undefined
      if (membership === undefined) partitions.drop(all)
      await committed
      // Who lets go of it while it is let go of has done the rest, and the program may read something else by now.
      if (membership !== undefined && this.#membership === membership) this.#leave(membership)
      await this.#leaving
    }
  }

  async #tellRevoked(partitions: Parameters<RebalanceListeners['revoked']>[0], patience?: Patient): Promise<void> {
    const told = this.#parts.listeners.revoked(partitions)
    if (patience === undefined) return told
    const { clock, logger } = this.#parts.cluster.settings
    if (await inTime(told, clock, patience.leftMs)) return
    logger.warn({ timeoutMs: patience.timeoutMs }, 'onRevoked takes longer than close() may, which goes on without it')
  }

  #leave(membership: Membership): void {
    const { deliveries, partitions } = this.#parts
    this.#left = membership.committer
    this.#membership = undefined
    this.#subscription = undefined
    this.#leaving = membership.leave()
    // With what the group gave while that was under way: nothing comes any more.
    partitions.drop(partitions.places())
    deliveries.release()
  }
}
