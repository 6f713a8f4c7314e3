import { OFFSETS_TOPIC } from '../../metadata/index.ts'
import { type Clock, DeadlineQueue, type Logger, type Random, type Timer } from '../../platform/index.ts'
import type { ErrorName, MessageInput } from '../../protocol/index.ts'
import type { OffsetCommitRequest, OffsetCommitResponse } from '../../protocol/messages/08-offset-commit.ts'
import type { OffsetFetchRequest, OffsetFetchResponse } from '../../protocol/messages/09-offset-fetch.ts'
import type { JoinGroupRequest, JoinGroupResponse } from '../../protocol/messages/11-join-group.ts'
import type { HeartbeatRequest, HeartbeatResponse } from '../../protocol/messages/12-heartbeat.ts'
import type { LeaveGroupRequest, LeaveGroupResponse } from '../../protocol/messages/13-leave-group.ts'
import type { SyncGroupRequest, SyncGroupResponse } from '../../protocol/messages/14-sync-group.ts'
import type { DescribeGroupsRequest, DescribeGroupsResponse } from '../../protocol/messages/15-describe-groups.ts'
import type { ListGroupsRequest, ListGroupsResponse } from '../../protocol/messages/16-list-groups.ts'
import type { TxnOffsetCommitRequest, TxnOffsetCommitResponse } from '../../protocol/messages/28-txn-offset-commit.ts'
import type { DeleteGroupsRequest, DeleteGroupsResponse } from '../../protocol/messages/42-delete-groups.ts'
import type { OffsetDeleteRequest, OffsetDeleteResponse } from '../../protocol/messages/47-offset-delete.ts'
import { CoordinatorRuntime, type ProducerMarker } from '../runtime/coordinator-runtime.ts'
import type { PartitionLoader, PartitionWriter } from '../runtime/partition-storage.ts'
import type { GroupState } from './classic-group.ts'
import { GroupAdministration } from './group-administration.ts'
import type { GroupConfig } from './group-config.ts'
import { GroupLookup } from './group-lookup.ts'
import { groupMachine } from './group-machine.ts'
import { GroupShard } from './group-shard.ts'
import { memberIdGenerator } from './member-id.ts'
import { type GroupRequestContext, Membership } from './membership.ts'
import { decideExpiry, dies } from './offset-expiry.ts'
import { OffsetOperations } from './offset-operations.ts'
import { removeOffsets, write } from './offset-removal.ts'

export interface GroupCoordinatorOptions {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly config: GroupConfig
  /** Partitions of {@link OFFSETS_TOPIC}: of the topic where it exists, else `offsets.topic.num.partitions`. */
  readonly partitions: number
  readonly writer: PartitionWriter
  readonly loader: PartitionLoader
  /** Whether the cluster has the partition; offsets of others are neither stored nor deleted. */
  readonly partitionExists: (topic: string, partition: number) => boolean
}

/** How many groups and offsets there are, for metrics. */
export interface GroupCounts {
  readonly groups: number
  readonly offsets: number
  readonly byState: Readonly<Record<GroupState, number>>
}

/**
 * Coordinates the classic groups whose partition of `__consumer_offsets` is led by this broker, and keeps committed
 * offsets: `kafka.coordinator.group.GroupCoordinator`. One method per API; each takes the decoded request and gives
 * the response, its errors inside. None throws for anything that a client can do.
 */
export class GroupCoordinator {
  readonly #options: GroupCoordinatorOptions
  readonly #deadlines: DeadlineQueue
  readonly #lookup: GroupLookup
  readonly #membership: Membership
  readonly #offsets: OffsetOperations
  readonly #administration: GroupAdministration
  #expiryTimer: Timer | undefined
  #isClosed = false

  constructor(options: GroupCoordinatorOptions) {
    const { clock, config, random, writer, loader, partitions, partitionExists } = options
    const logger = options.logger.child({ logger: 'kafka.coordinator.group.GroupCoordinator' })
    this.#options = { ...options, logger }
    this.#deadlines = new DeadlineQueue(clock)
    const newMemberId = memberIdGenerator(random)
    const machine = groupMachine(
      partition =>
        new GroupShard({
          clock,
          logger,
          limits: config.limits,
          deadlines: this.#deadlines,
          newMemberId,
          append: records => this.#lookup.runtime.append(partition, records),
        }),
    )
    const runtime = new CoordinatorRuntime({
      topic: OFFSETS_TOPIC,
      compression: config.compression,
      machine,
      clock,
      logger,
      writer,
      loader,
    })
    this.#lookup = new GroupLookup(runtime, partitions)
    this.#membership = new Membership(this.#lookup)
    this.#offsets = new OffsetOperations(this.#lookup, config, partitionExists)
    this.#administration = new GroupAdministration(this.#lookup)
    this.#scheduleExpiry()
  }

  /** The partition of {@link OFFSETS_TOPIC} whose leader coordinates the group: for FindCoordinator. */
  partitionFor(groupId: string): number {
    return this.#lookup.partitionFor(groupId)
  }

  /** This broker leads the partition since `leaderEpoch`: its groups are loaded. Resolves when that is over. */
  onElected(partition: number, leaderEpoch: number): Promise<void> {
    return this.#lookup.runtime.onElected(partition, leaderEpoch)
  }

  /** This broker does not lead the partition any more; without an epoch, whatever came before. */
  onResigned(partition: number, leaderEpoch?: number): void {
    this.#lookup.runtime.onResigned(partition, leaderEpoch)
  }

  /** JoinGroup v0-9. The answer comes when the rebalance has a new generation. */
  joinGroup(request: JoinGroupRequest, context: GroupRequestContext): Promise<MessageInput<typeof JoinGroupResponse>> {
    return this.#membership.join(request, context)
  }

  /** SyncGroup v0-5. The answer comes when the leader's assignment is in the log. */
  syncGroup(request: SyncGroupRequest, context: GroupRequestContext): Promise<MessageInput<typeof SyncGroupResponse>> {
    return this.#membership.sync(request, context)
  }

  /** Heartbeat v0-4. */
  heartbeat(request: HeartbeatRequest): MessageInput<typeof HeartbeatResponse> {
    return this.#membership.heartbeat(request)
  }

  /** LeaveGroup v0-5. */
  leaveGroup(request: LeaveGroupRequest, context: GroupRequestContext): MessageInput<typeof LeaveGroupResponse> {
    return this.#membership.leave(request, context)
  }

  /** OffsetCommit v0-9, by topic names. */
  offsetCommit(request: OffsetCommitRequest): Promise<MessageInput<typeof OffsetCommitResponse>> {
    return this.#offsets.commit(request)
  }

  /** OffsetFetch v0-9, by topic names. */
  offsetFetch(request: OffsetFetchRequest, context: GroupRequestContext): MessageInput<typeof OffsetFetchResponse> {
    return this.#offsets.fetch(request, context)
  }

  /** OffsetDelete v0. */
  offsetDelete(request: OffsetDeleteRequest): Promise<MessageInput<typeof OffsetDeleteResponse>> {
    return this.#offsets.delete(request)
  }

  /** ListGroups v0-5. */
  listGroups(request: ListGroupsRequest): MessageInput<typeof ListGroupsResponse> {
    return this.#administration.list(request)
  }

  /** DescribeGroups v0-6. */
  describeGroups(
    request: DescribeGroupsRequest,
    context: GroupRequestContext,
  ): MessageInput<typeof DescribeGroupsResponse> {
    return this.#administration.describe(request, context)
  }

  /** DeleteGroups v0-2. */
  deleteGroups(request: DeleteGroupsRequest): Promise<MessageInput<typeof DeleteGroupsResponse>> {
    return this.#administration.delete(request)
  }

  /** TxnOffsetCommit v0-4; `verify` says whether the transaction knows of the group's partition (KIP-890). */
  txnOffsetCommit(
    request: TxnOffsetCommitRequest,
    verify: () => ErrorName,
  ): Promise<MessageInput<typeof TxnOffsetCommitResponse>> {
    return this.#offsets.commitInTransaction(request, verify)
  }

  /**
   * Writes the marker that ends a transaction into a partition of {@link OFFSETS_TOPIC}: the producer's offsets count
   * from then on, or never. Rejects as an append does.
   */
  appendMarker(partition: number, marker: ProducerMarker): Promise<void> {
    return this.#lookup.runtime.appendMarker(partition, marker)
  }

  /** Topics were deleted: their offsets go. Resolves when their tombstones are written or were refused. */
  async onPartitionsDeleted(partitions: readonly { topic: string; partition: number }[]): Promise<void> {
    const topics = [...new Set(partitions.map(({ topic }) => topic))]
    const removed = await this.#sweep((shard, entry) => removeOffsets(shard, entry, partitions), {
      where: entry => topics.some(topic => entry.offsets.partitions(topic).size > 0),
    })
    if (removed > 0) this.#options.logger.info({}, `Removed ${removed} offsets associated with deleted partitions`)
  }

  /** Looks for expired offsets now, as it does by itself every `offsets.retention.check.interval.ms`. */
  async expireOffsets(): Promise<void> {
    const { clock, config, logger } = this.#options
    const started = clock.monotonicMs()
    const context = { now: clock.now(), retentionMs: config.offsetsRetentionMs }
    const removed = await this.#sweep(async (shard, entry) => {
      const records = decideExpiry(entry.group, entry.offsets, context)
      const offsets = records.filter(({ kind }) => kind === 'offsetCommit').length
      await write(shard, entry, { records, removesGroup: dies(entry.group, entry.offsets, offsets) })
      return offsets
    })
    const tookMs = Math.round(clock.monotonicMs() - started)
    if (removed > 0) logger.info({}, `Removed ${removed} expired offsets in ${tookMs} milliseconds.`)
  }

  /** Groups and offsets of the partitions led here. */
  counts(): GroupCounts {
    const byState = { Empty: 0, PreparingRebalance: 0, CompletingRebalance: 0, Stable: 0, Dead: 0 }
    let groups = 0
    let offsets = 0
    for (const shard of this.#lookup.runtime.active()) {
      for (const entry of shard.groups.values()) {
        groups += 1
        offsets += entry.offsets.size
        byState[entry.group.state] += 1
      }
    }
    return { groups, offsets, byState }
  }

  /** Sends everybody who waits away and stops all timers. */
  close(): void {
    this.#isClosed = true
    this.#expiryTimer?.cancel()
    this.#lookup.runtime.close()
    this.#deadlines.close()
  }

  #scheduleExpiry(): void {
    const { clock, config } = this.#options
    this.#expiryTimer = clock.schedule(config.retentionCheckIntervalMs, () => {
      void this.expireOffsets().finally(() => {
        if (!this.#isClosed) this.#scheduleExpiry()
      })
    })
  }

  /** Runs `remove` on every group, giving way to other work between them; sums up what it removed. */
  async #sweep(
    remove: (shard: GroupShard, entry: ShardEntry) => Promise<number>,
    only: { readonly where: (entry: ShardEntry) => boolean } = { where: () => true },
  ): Promise<number> {
    const { clock, logger } = this.#options
    let removed = 0
    for (const shard of [...this.#lookup.runtime.active()]) {
      let seen = 0
      for (const entry of [...shard.groups.values()]) {
        if (++seen % GROUPS_PER_SLICE === 0) await new Promise<void>(resolve => clock.soon(resolve))
        if (shard.get(entry.group.groupId) !== entry || entry.group.state === 'Dead' || !only.where(entry)) continue
        try {
          removed += await remove(shard, entry)
        } catch (error) {
          logger.error(
            { err: error },
            `Failed to append tombstones for expired/deleted offsets of group ${entry.group.groupId}`,
          )
        }
      }
    }
    return removed
  }
}

type ShardEntry = NonNullable<ReturnType<GroupShard['get']>>

/** Groups that a sweep looks at before others get their turn. */
const GROUPS_PER_SLICE = 200
