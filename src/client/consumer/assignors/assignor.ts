import { ConfigError } from '../../../config/index.ts'
import type { TopicPartition } from '../../topic-partition.ts'

/** How members give up partitions: all of them before each rebalance, or only those that go to another member (KIP-429). */
export type RebalanceProtocol = 'eager' | 'cooperative'

/** What one member of a group told its leader. */
export interface MemberSubscription {
  readonly topics: readonly string[]
  /** What the assignor's own `userData` gave. */
  readonly userData: Uint8Array | null
  /** What it owns, and in which generation it got it; empty and -1 from members that do not say. */
  readonly ownedPartitions: readonly TopicPartition[]
  readonly generationId: number
  readonly rackId: string | null
}

/** What a leader decides about. */
export interface GroupSubscription {
  /** Every member by its id. */
  readonly members: ReadonlyMap<string, MemberSubscription>
  /** How many partitions the topics have that anybody subscribes to; topics that do not exist are missing. */
  readonly partitionCounts: ReadonlyMap<string, number>
}

/** Who reads what: partitions by member id. A member without partitions may be missing. */
export type GroupAssignment = ReadonlyMap<string, readonly TopicPartition[]>

/**
 * Spreads partitions over the members of a group (Java's `ConsumerPartitionAssignor`). All members of a group have to have one in
 * common, by name; the group's leader calls it.
 */
export interface PartitionAssignor {
  /** Its name in the protocol: `range`, `cooperative-sticky`, ... */
  readonly name: string
  /** What it works with, the preferred last. A consumer uses what all of its assignors have in common. */
  readonly protocols: readonly RebalanceProtocol[]
  /** Bytes for the leader's assignor besides the subscription; none when left out. */
  userData?(owned: readonly TopicPartition[], generationId: number): Uint8Array
  /** Decides. It must give each partition to one member at most, and only to one that subscribes to its topic. */
  assign(group: GroupSubscription): GroupAssignment
}

/** The assignors of a consumer's options. @throws ConfigError for what is none, where no compiler looks */
export function checkedAssignors(given: readonly PartitionAssignor[] = []): readonly PartitionAssignor[] {
  const isOne = (one: Partial<PartitionAssignor> | null): boolean =>
    typeof one?.name === 'string' && Array.isArray(one.protocols) && typeof one.assign === 'function'
  if (Array.isArray(given) && given.every(isOne)) return given
  throw new ConfigError(
    'assignors: give a list of { name, protocols, assign() }; partition.assignment.strategy takes names',
  )
}

/** Ids of the members that subscribe to a topic, in order, so that every leader decides alike. */
export function subscribersOf(topic: string, members: ReadonlyMap<string, MemberSubscription>): string[] {
  return [...members]
    .filter(([, { topics }]) => topics.includes(topic))
    .map(([memberId]) => memberId)
    .sort()
}
