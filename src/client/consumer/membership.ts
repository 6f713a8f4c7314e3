import type { Logger } from '../../platform/index.ts'
import type { KafkaError } from '../../protocol/index.ts'
import type { Cluster } from '../cluster.ts'
import type { TopicPartition } from '../topic-partition.ts'
import type { PartitionAssignor } from './assignors/assignor.ts'
import type { Committer } from './offset-requests.ts'

/** A consumer's place in its group, whatever protocol the group speaks. */
export interface Membership {
  /** Who commits for this member. */
  readonly committer: Committer
  /** Joins and stays until {@link leave}. */
  start(): void
  /** What the member wants has changed. */
  rejoin(): void
  /** The cluster was looked at. */
  metadataChanged(): void
  /** Leaves the group. What is owned must be let go of before. A static member keeps its place for `session.timeout.ms`. */
  leave(): Promise<void>
}

export interface MembershipSettings {
  readonly cluster: Cluster
  readonly logger: Logger
  readonly groupId: string
  readonly groupInstanceId: string | null
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  readonly maxPollIntervalMs: number
  readonly rack: string
  /** In order of preference; of the classic protocol. */
  readonly assignors: readonly PartitionAssignor[]
  /** The broker's assignor, or null for what it prefers; of the consumer protocol. */
  readonly remoteAssignor: string | null
}

/** The consumer, as its membership sees it. */
export interface Member {
  /** Topics that it wants now. */
  topics(): Promise<readonly string[]>
  /** A pattern that the broker is to follow instead; undefined for none. */
  pattern(): string | undefined
  /** What it reads. */
  owned(): readonly TopicPartition[]
  /** Lets go of partitions: when the program is done with what it has of them, and their offsets are committed. */
  revoke(partitions: readonly TopicPartition[]): Promise<void>
  /** Partitions are another's already: nothing of them can be committed. */
  lost(partitions: readonly TopicPartition[]): void
  /** Begins to read partitions. */
  assign(partitions: readonly TopicPartition[]): void
  /** The membership has ended, for good. */
  failed(error: KafkaError): void
}
