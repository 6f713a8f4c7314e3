import { SimulatedClock, seededRandom, silentLogger } from '../../platform/index.ts'
import {
  ByteReader,
  batches,
  decodeMessage,
  decodeRecords,
  encodeMessageBytes,
  type MessageInput,
  type MessageOf,
  type Schema,
} from '../../protocol/index.ts'
import { OffsetCommitRequest } from '../../protocol/messages/08-offset-commit.ts'
import { OffsetFetchRequest, type OffsetFetchResponse } from '../../protocol/messages/09-offset-fetch.ts'
import { JoinGroupRequest, type JoinGroupResponse } from '../../protocol/messages/11-join-group.ts'
import { LeaveGroupRequest, type LeaveGroupResponse } from '../../protocol/messages/13-leave-group.ts'
import { SyncGroupRequest, type SyncGroupResponse } from '../../protocol/messages/14-sync-group.ts'
import { MemoryTopic } from '../runtime/memory-topic.ts'
import type { GroupLimits } from './decision.ts'
import type { GroupConfig } from './group-config.ts'
import { GroupCoordinator } from './group-coordinator.ts'
import { decodeGroupRecord, type GroupRecord } from './group-record.ts'
import type { GroupRequestContext } from './membership.ts'

/** Kafka's defaults. */
export const DEFAULT_LIMITS: GroupLimits = {
  minSessionTimeoutMs: 6000,
  maxSessionTimeoutMs: 1_800_000,
  initialRebalanceDelayMs: 3000,
  maxSize: 2 ** 31 - 1,
  maxPendingMembers: 100,
}

export interface FixtureOptions {
  readonly limits?: Partial<GroupLimits>
  readonly config?: Partial<GroupConfig>
  readonly clock?: SimulatedClock
  readonly topic?: MemoryTopic
}

/** For tests: a group coordinator on simulated time over a topic in memory, with clients as short calls. */
export class CoordinatorFixture {
  readonly clock: SimulatedClock
  readonly topic: MemoryTopic
  readonly coordinator: GroupCoordinator
  readonly missingTopics = new Set<string>()

  constructor(options: FixtureOptions = {}) {
    this.clock = options.clock ?? new SimulatedClock()
    this.topic = options.topic ?? new MemoryTopic()
    this.coordinator = new GroupCoordinator({
      clock: this.clock,
      random: seededRandom(1),
      logger: silentLogger,
      config: {
        limits: { ...DEFAULT_LIMITS, ...options.limits },
        maxMetadataLength: 4096,
        offsetsRetentionMs: 7 * 24 * 3600 * 1000,
        retentionCheckIntervalMs: 600_000,
        compression: 'none',
        ...options.config,
      },
      partitions: 1,
      writer: this.topic,
      loader: this.topic,
      partitionExists: name => !this.missingTopics.has(name),
    })
  }

  /** A coordinator that leads its one partition. */
  static async started(options: FixtureOptions = {}): Promise<CoordinatorFixture> {
    const fixture = new CoordinatorFixture(options)
    await fixture.coordinator.onElected(0, 0)
    return fixture
  }

  join(
    request: MessageInput<typeof JoinGroupRequest>,
    apiVersion = 9,
  ): Promise<MessageInput<typeof JoinGroupResponse>> {
    const full = {
      groupId: 'group',
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 60_000,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: subscription('topic') }],
      ...request,
    }
    return this.coordinator.joinGroup(sent(JoinGroupRequest, apiVersion, full), context(apiVersion))
  }

  sync(
    request: MessageInput<typeof SyncGroupRequest>,
    apiVersion = 5,
  ): Promise<MessageInput<typeof SyncGroupResponse>> {
    const full = { groupId: 'group', protocolType: 'consumer', protocolName: 'range', ...request }
    return this.coordinator.syncGroup(sent(SyncGroupRequest, apiVersion, full), context(apiVersion))
  }

  heartbeat(memberId: string, generationId: number, groupInstanceId: string | null = null): number | undefined {
    return this.coordinator.heartbeat({ groupId: 'group', memberId, generationId, groupInstanceId }).errorCode
  }

  leave(request: MessageInput<typeof LeaveGroupRequest>, apiVersion = 5): MessageInput<typeof LeaveGroupResponse> {
    const full = { groupId: 'group', ...request }
    return this.coordinator.leaveGroup(sent(LeaveGroupRequest, apiVersion, full), context(apiVersion))
  }

  /** Commits offsets of one topic by partition; gives the error of each. */
  async commit(
    offsets: Readonly<Record<number, number>>,
    request: MessageInput<typeof OffsetCommitRequest> & { readonly topic?: string } = {},
    apiVersion = 9,
  ): Promise<(number | undefined)[]> {
    const partitions = Object.entries(offsets).map(([partition, offset]) => ({
      partitionIndex: Number(partition),
      committedOffset: offset,
      committedMetadata: '',
    }))
    const { topic = 'topic', ...rest } = request
    const full = { groupId: 'group', topics: [{ name: topic, partitions }], ...rest }
    const response = await this.coordinator.offsetCommit(sent(OffsetCommitRequest, apiVersion, full))
    return (response.topics ?? []).flatMap(({ partitions = [] }) => partitions.map(({ errorCode }) => errorCode))
  }

  fetch(request: MessageInput<typeof OffsetFetchRequest>, apiVersion = 9): MessageInput<typeof OffsetFetchResponse> {
    return this.coordinator.offsetFetch(sent(OffsetFetchRequest, apiVersion, request), context(apiVersion))
  }

  /** All committed offsets of a group, as `topic-partition: offset`. */
  offsets(groupId = 'group'): Record<string, number> {
    const response = this.fetch({ groups: [{ groupId, topics: null }] })
    const all: Record<string, number> = {}
    for (const { name = '', partitions = [] } of response.groups?.[0]?.topics ?? []) {
      for (const partition of partitions) all[`${name}-${partition.partitionIndex}`] = partition.committedOffset ?? -1
    }
    return all
  }

  /** A member that joined alone, synced, and is stable. */
  async stableMember(
    request: MessageInput<typeof JoinGroupRequest> = {},
  ): Promise<{ readonly memberId: string; readonly generationId: number }> {
    const joining = this.join(request, request.groupInstanceId ? 5 : 3)
    await this.clock.advance(3000)
    const { memberId = '', generationId = -1 } = await joining
    await this.sync({
      memberId,
      generationId,
      groupInstanceId: request.groupInstanceId ?? null,
      assignments: [{ memberId, assignment: Buffer.from('mine') }],
    })
    return { memberId, generationId }
  }

  /** State of a group as DescribeGroups tells it. */
  state(groupId = 'group'): string | undefined {
    return this.describe(groupId)?.groupState
  }

  describe(groupId = 'group') {
    const request = { groups: [groupId], includeAuthorizedOperations: false }
    return this.coordinator.describeGroups(request, context(5)).groups?.[0]
  }

  /** Every record in the log, in order. */
  records(): GroupRecord[] {
    return this.topic.log(0).flatMap(bytes =>
      [...batches(bytes)].flatMap(header =>
        Array.from(decodeRecords(bytes, header, { maxBytes: 1e9 }), ({ key, value }) => {
          const record = key && decodeGroupRecord(key, value)
          if (!record) throw new Error('a record that is none')
          return record
        }),
      ),
    )
  }
}

function context(apiVersion: number): GroupRequestContext {
  return { apiVersion, clientId: 'client', clientHost: '/127.0.0.1' }
}

/** The request as it arrives: through the bytes of its version. */
export function sent<S extends Schema>(schema: S, apiVersion: number, request: MessageInput<S>): MessageOf<S> {
  return decodeMessage(schema, apiVersion, new ByteReader(encodeMessageBytes(schema, apiVersion, request)))
}

/** Metadata of a consumer that subscribes to `topics`, in version 1 of its protocol. */
export function subscription(...topics: readonly string[]): Uint8Array {
  const names = topics.flatMap(topic => [Buffer.from([0, topic.length]), Buffer.from(topic)])
  const nothing = Buffer.from([255, 255, 255, 255, 0, 0, 0, 0])
  return Buffer.concat([Buffer.from([0, 1, 0, 0, 0, topics.length]), ...names, nothing])
}
