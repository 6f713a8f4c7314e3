/**
 * What clients of groups do, right and wrong, in every version of every API: a script that two brokers are put through
 * to see whether they answer the same.
 */
import {
  DeleteGroupsRequest,
  DeleteGroupsResponse,
  DescribeGroupsRequest,
  DescribeGroupsResponse,
  HeartbeatRequest,
  HeartbeatResponse,
  JoinGroupRequest,
  JoinGroupResponse,
  LeaveGroupRequest,
  LeaveGroupResponse,
  ListGroupsRequest,
  ListGroupsResponse,
  type MessageInput,
  type MessageOf,
  OffsetCommitRequest,
  OffsetCommitResponse,
  OffsetDeleteRequest,
  OffsetDeleteResponse,
  OffsetFetchRequest,
  OffsetFetchResponse,
  type Schema,
  SyncGroupRequest,
  SyncGroupResponse,
} from '../../src/protocol/everything.ts'
import { until } from './process.ts'
import type { ProtocolClient } from './protocol-client.ts'

const JOIN = [JoinGroupRequest, JoinGroupResponse] as const
const SYNC = [SyncGroupRequest, SyncGroupResponse] as const
const HEARTBEAT = [HeartbeatRequest, HeartbeatResponse] as const
const LEAVE = [LeaveGroupRequest, LeaveGroupResponse] as const
const COMMIT = [OffsetCommitRequest, OffsetCommitResponse] as const
const FETCH = [OffsetFetchRequest, OffsetFetchResponse] as const
const DELETE_OFFSETS = [OffsetDeleteRequest, OffsetDeleteResponse] as const
const LIST = [ListGroupsRequest, ListGroupsResponse] as const
const DESCRIBE = [DescribeGroupsRequest, DescribeGroupsResponse] as const
const DELETE = [DeleteGroupsRequest, DeleteGroupsResponse] as const

/** The topic of the script; it has {@link PARTITIONS} partitions. */
export const TOPIC = 'topic'
export const PARTITIONS = 4
const MEMBER_ID_REQUIRED = 79

/** An answer and what it is the answer to. */
export type Answer = readonly [step: string, answer: unknown]

/** Puts a broker through the script on three connections; gives what it answered, in order. */
export class GroupScript {
  readonly answers: Answer[] = []
  readonly #first: ProtocolClient
  readonly #second: ProtocolClient
  readonly #third: ProtocolClient

  constructor(first: ProtocolClient, second: ProtocolClient, third: ProtocolClient) {
    this.#first = first
    this.#second = second
    this.#third = third
  }

  async run(): Promise<void> {
    for (let version = 0; version <= 9; version++) await this.#dynamicMember(version)
    await this.#refusals()
    await this.#simpleConsumers()
    for (const version of [3, 5, 9]) await this.#twoMembers(version)
    for (const version of [5, 8, 9]) await this.#staticMember(version)
    await this.#administration()
  }

  async #ask<Q extends Schema, S extends Schema>(
    step: string,
    api: readonly [Q, S],
    version: number,
    body: MessageInput<Q>,
    client = this.#first,
  ): Promise<MessageOf<S>> {
    const answer = await client.ask(api, version, body)
    this.answers.push([`${step} (${api[0].name} v${version})`, answer])
    return answer
  }

  /** One member's whole life. */
  async #dynamicMember(version: number): Promise<void> {
    const groupId = `dynamic-${version}`
    let { memberId, generationId, errorCode } = await this.#ask('joins', JOIN, version, join(groupId))
    if (errorCode === MEMBER_ID_REQUIRED) {
      ;({ memberId, generationId, errorCode } = await this.#ask(
        'joins with its id',
        JOIN,
        version,
        join(groupId, { memberId }),
      ))
    }
    const member = { groupId, memberId, generationId }
    const [syncVersion, heartbeatVersion, leaveVersion] = [
      Math.min(version, 5),
      Math.min(version, 4),
      Math.min(version, 5),
    ]
    const named = syncVersion >= 5 ? { protocolType: 'consumer', protocolName: 'range' } : {}
    const assignments = [{ memberId, assignment: Buffer.from('x') }]
    await this.#ask('syncs', SYNC, syncVersion, { ...member, ...named, assignments })
    await this.#ask('lives', HEARTBEAT, heartbeatVersion, member)
    await this.#ask('is of an old generation', HEARTBEAT, heartbeatVersion, { ...member, generationId: 0 })
    const commitVersion = Math.max(1, version)
    const asMember = { groupId, memberId, generationIdOrMemberEpoch: generationId }
    const unknown = {
      name: 'unknown',
      partitions: [{ partitionIndex: 0, committedOffset: 5, committedMetadata: null }],
    }
    await this.#ask('commits', COMMIT, commitVersion, { ...asMember, topics: [...offsets(5, 0, 9), unknown] })
    await this.#ask('commits for another generation', COMMIT, commitVersion, {
      ...asMember,
      generationIdOrMemberEpoch: 7,
      topics: offsets(6, 0),
    })
    await this.#ask('commits as nobody', COMMIT, commitVersion, { groupId, topics: offsets(6, 0) })
    const topics = [{ name: TOPIC, partitionIndexes: [0, 1] }]
    const others = { groupId: 'nobody', topics }
    await this.#ask(
      'fetches',
      FETCH,
      commitVersion,
      version >= 8 ? { groups: [{ groupId, topics }, others] } : { groupId, topics },
    )
    if (version >= 2) {
      const all =
        version >= 8
          ? {
              groups: [
                { groupId, topics: null },
                { ...others, topics: null },
              ],
            }
          : { groupId, topics: null }
      await this.#ask('fetches all', FETCH, version, all)
    }
    const described = { groups: [groupId, 'nobody', ''], includeAuthorizedOperations: version >= 3 }
    await this.#ask('is described', DESCRIBE, Math.min(version, 5), described)
    const strangers = [{ memberId: 'stranger' }, { memberId: '' }, { memberId: '', groupInstanceId: 'i' }]
    await this.#ask(
      'strangers leave',
      LEAVE,
      leaveVersion,
      version >= 3 ? { groupId, members: strangers } : { groupId, memberId: 'stranger' },
    )
    await this.#ask(
      'leaves',
      LEAVE,
      leaveVersion,
      version >= 3 ? { groupId, members: [{ memberId }] } : { groupId, memberId },
    )
    await this.#ask('has left', DESCRIBE, Math.min(version, 5), { groups: [groupId] })
    await this.#ask('lives no more', HEARTBEAT, heartbeatVersion, member)
    await this.#ask('syncs no more', SYNC, syncVersion, { ...member, ...named })
    await this.#ask('commits no more', COMMIT, commitVersion, { ...asMember, topics: offsets(6, 0) })
  }

  async #refusals(): Promise<void> {
    for (const version of [0, 4, 5, 7, 9]) {
      const groupId = `refusing-${version}`
      await this.#ask('no group id', JOIN, version, join(''))
      await this.#ask('a short session', JOIN, version, join(groupId, { sessionTimeoutMs: 1 }))
      await this.#ask('a long session', JOIN, version, join(groupId, { sessionTimeoutMs: 1_800_001 }))
      await this.#ask('a stranger', JOIN, version, join(groupId, { memberId: 'stranger' }))
      await this.#ask('no protocols', JOIN, version, join(groupId, { protocols: [] }))
      await this.#ask('no protocol type', JOIN, version, join(groupId, { protocolType: '' }))
    }
    const member = { memberId: 'stranger', generationId: 1 }
    for (const version of [0, 3, 5]) {
      const named = version >= 5 ? { protocolType: 'consumer', protocolName: 'range' } : {}
      await this.#ask('no group id', SYNC, version, { groupId: '', ...member, ...named })
      await this.#ask('no group', SYNC, version, { groupId: 'nobody', ...member, ...named })
      await this.#ask('no protocol', SYNC, version, { groupId: 'nobody', ...member })
    }
    await this.#ask('no group id', HEARTBEAT, 4, { groupId: '', ...member })
    await this.#ask('no group', HEARTBEAT, 4, { groupId: 'nobody', ...member })
    await this.#ask('no group id', LEAVE, 5, { groupId: '', members: [{ memberId: 'stranger' }] })
    await this.#ask('no group id', LEAVE, 1, { groupId: '', memberId: 'stranger' })
    await this.#ask('no group', LEAVE, 5, { groupId: 'nobody', members: [{ memberId: 'stranger' }] })
    await this.#ask('no group', LEAVE, 0, { groupId: 'nobody', memberId: 'stranger' })
    await this.#ask('nobody leaves', LEAVE, 5, { groupId: 'dynamic-9', members: [] })
  }

  async #simpleConsumers(): Promise<void> {
    const groupId = 'simple'
    const [{ partitions }] = offsets(1, 0, 2)
    const noted = partitions.map((offset, index) => ({
      ...offset,
      committedMetadata: index > 0 ? 'x'.repeat(4097) : null,
    }))
    await this.#ask('a long note', COMMIT, 9, { groupId, topics: [{ name: TOPIC, partitions: noted }] })
    await this.#ask('no group id', COMMIT, 9, { groupId: '', topics: offsets(1, 0) })
    await this.#ask('a stranger', COMMIT, 9, {
      groupId: 'other',
      memberId: 'm',
      generationIdOrMemberEpoch: 3,
      topics: offsets(1, 0),
    })
    await this.#ask('a retention', COMMIT, 3, { groupId, retentionTimeMs: 100_000, topics: offsets(1, 1) })
    await this.#ask('nothing', COMMIT, 9, { groupId, topics: [] })
    const topics = [{ name: TOPIC, partitionIndexes: [0, 1, 2, 3] }]
    await this.#ask('only stable', FETCH, 9, { groups: [{ groupId, topics }], requireStable: true })
    await this.#ask('no group id', FETCH, 9, { groups: [{ groupId: '', topics }] })
    await this.#ask('a simple group', DESCRIBE, 5, { groups: [groupId] })
    await this.#ask('of a simple group', DELETE_OFFSETS, 0, { groupId, ...partitionsOf(0, 3, 9) })
    await this.#ask('no group', DELETE_OFFSETS, 0, { groupId: 'nobody', ...partitionsOf(0) })
    await this.#ask('no group id', DELETE_OFFSETS, 0, { groupId: '', ...partitionsOf(0) })
  }

  /** A rebalance of two, with everything that can be asked in the middle of it; then one does not come back. */
  async #twoMembers(version: number): Promise<void> {
    const groupId = `two-${version}`
    const [second, third] = [this.#second, this.#third]
    const leader = await this.#ask('the first joins', JOIN, 3, join(groupId))
    const joining = second.ask(JOIN, 3, join(groupId))
    await this.#rebalances(groupId)
    const asLeader = { groupId, memberId: leader.memberId }
    const commit = (generation: number) => ({
      ...asLeader,
      generationIdOrMemberEpoch: generation,
      topics: offsets(1, 0),
    })
    await this.#ask('while joining', HEARTBEAT, 4, { ...asLeader, generationId: 1 }, third)
    await this.#ask('while joining', SYNC, 3, { ...asLeader, generationId: 1 }, third)
    await this.#ask('while joining', COMMIT, 7, commit(1), third)
    await this.#ask('the first joins again', JOIN, 3, join(groupId, { memberId: leader.memberId }))
    const follower = await joining
    this.answers.push(['the second joined', follower])
    const asFollower = { groupId, memberId: follower.memberId }
    await this.#ask('while syncing', COMMIT, 7, commit(2), third)
    await this.#ask('while syncing', HEARTBEAT, 4, { ...asLeader, generationId: 2 }, third)
    await this.#ask('the second joins again', JOIN, 3, join(groupId, { memberId: follower.memberId }), second)
    const syncing = second.ask(SYNC, 3, { ...asFollower, generationId: 2 })
    const assignments = [{ memberId: follower.memberId, assignment: Buffer.from('all') }]
    await this.#ask('the leader syncs', SYNC, 3, { ...asLeader, generationId: 2, assignments })
    this.answers.push(['the follower synced', await syncing])
    await this.#ask('the follower joins when stable', JOIN, 3, join(groupId, { memberId: follower.memberId }), second)
    await this.#ask(
      'other protocols',
      JOIN,
      version,
      join(groupId, { protocols: [{ name: 'other', metadata: Buffer.from('z') }] }),
      third,
    )
    await this.#ask('another type', JOIN, version, join(groupId, { protocolType: 'connect' }), third)
    await this.#ask('of a topic in use', DELETE_OFFSETS, 0, { groupId, ...partitionsOf(0) }, third)
    await this.#ask('of a group in use', DELETE, 2, { groupsNames: [groupId, 'nobody', ''] }, third)
    const pending = await this.#ask('a third asks for an id', JOIN, 9, join(groupId), third)
    const asPending = { groupId, memberId: pending.memberId }
    await this.#ask('with an id only', HEARTBEAT, 4, { ...asPending, generationId: 2 }, third)
    await this.#ask('with an id only', LEAVE, 4, { groupId, members: [{ memberId: pending.memberId }] }, third)
    await this.#ask('the leader joins alone', JOIN, 3, join(groupId, { memberId: leader.memberId }))
    await this.#ask('put out', HEARTBEAT, 4, { ...asFollower, generationId: 2 }, second)
    await this.#ask('put out', JOIN, 3, join(groupId, { memberId: follower.memberId }), second)
    await this.#ask('the last leaves', LEAVE, 4, { groupId, members: [{ memberId: leader.memberId }] }, third)
    await this.#ask('is empty', DESCRIBE, 5, { groups: [groupId] })
    await this.#ask('is deleted', DELETE, 2, { groupsNames: [groupId, groupId] })
    await this.#ask('is deleted', DESCRIBE, 5, { groups: [groupId] })
  }

  /** Waits, without a word in the answers, until the group waits for its members to join again. */
  #rebalances(groupId: string): Promise<void> {
    return until(`${groupId} rebalances`, async () => {
      const { groups } = await this.#third.ask(DESCRIBE, 5, { groups: [groupId] })
      return groups[0]?.groupState === 'PreparingRebalance'
    })
  }

  /** A static member, restarted, changed, fenced, and taken out by its instance id. */
  async #staticMember(version: number): Promise<void> {
    const groupId = `static-${version}`
    const groupInstanceId = 'instance'
    const named = { groupId, groupInstanceId, protocolType: 'consumer', protocolName: 'range' }
    const { memberId } = await this.#ask('joins', JOIN, version, join(groupId, { groupInstanceId }))
    const old = { groupId, memberId, groupInstanceId, generationId: 1 }
    const assignments = [{ memberId, assignment: Buffer.from('mine') }]
    await this.#ask('syncs', SYNC, 5, { ...old, ...named, assignments })
    await this.#ask('another type', SYNC, 5, { ...old, ...named, protocolType: 'other' })
    const restarted = await this.#ask('restarts', JOIN, version, join(groupId, { groupInstanceId }))
    const { memberId: newId, generationId } = restarted
    await this.#ask('syncs again', SYNC, 5, { ...named, memberId: newId, generationId })
    await this.#ask('fenced', HEARTBEAT, 4, old)
    await this.#ask('fenced, but does not say', HEARTBEAT, 4, { ...old, groupInstanceId: null })
    const commit = { groupId, memberId, groupInstanceId, generationIdOrMemberEpoch: 1, topics: offsets(1, 0) }
    await this.#ask('fenced', COMMIT, 8, commit)
    await this.#ask('fenced', JOIN, version, join(groupId, { groupInstanceId, memberId }))
    await this.#ask('another name', JOIN, version, join(groupId, { groupInstanceId: 'other', memberId: newId }))
    await this.#ask('is described', DESCRIBE, 5, { groups: [groupId] })
    const protocols = [...PROTOCOLS].reverse()
    await this.#ask('restarts and prefers another', JOIN, version, join(groupId, { groupInstanceId, protocols }))
    await this.#ask('fenced', LEAVE, 5, { groupId, members: [{ memberId, groupInstanceId }] })
    const byInstance = { memberId: '', groupInstanceId }
    await this.#ask('by its name', LEAVE, 5, { groupId, members: [byInstance, byInstance] })
    await this.#ask('is empty', DESCRIBE, 5, { groups: [groupId] })
  }

  async #administration(): Promise<void> {
    for (const version of [0, 3, 4, 5]) await this.#ask('all', LIST, version, {})
    for (const version of [4, 5]) await this.#ask('by state', LIST, version, { statesFilter: ['empty', 'bogus'] })
    await this.#ask('by type', LIST, 5, { typesFilter: ['CLASSIC'] })
    await this.#ask('by other types', LIST, 5, { typesFilter: ['consumer', 'nonsense'] })
    await this.#ask('several', DELETE, 2, { groupsNames: ['dynamic-0', 'dynamic-9', 'simple', 'static-5'] })
    await this.#ask('of a deleted group', FETCH, 7, {
      groupId: 'dynamic-9',
      topics: [{ name: TOPIC, partitionIndexes: [0] }],
    })
  }
}

const PROTOCOLS = [
  { name: 'range', metadata: subscription() },
  { name: 'roundrobin', metadata: subscription() },
] as const

function join(
  groupId: string,
  rest: MessageInput<typeof JoinGroupRequest> = {},
): MessageInput<typeof JoinGroupRequest> {
  const timeouts = { sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 3_000 }
  return { groupId, ...timeouts, protocolType: 'consumer', memberId: '', protocols: PROTOCOLS, ...rest }
}

/** The same offset for partitions of the topic. */
function offsets(committedOffset: number, ...partitions: readonly number[]) {
  const one = (partitionIndex: number) => ({ partitionIndex, committedOffset, committedMetadata: 'note' })
  return [{ name: TOPIC, partitions: partitions.map(one) }] as const
}

function partitionsOf(...partitions: readonly number[]) {
  return { topics: [{ name: TOPIC, partitions: partitions.map(partitionIndex => ({ partitionIndex })) }] }
}

/** A consumer's metadata: version 1, one topic, no user data, nothing owned. */
function subscription(): Uint8Array {
  const nothing = [255, 255, 255, 255, 0, 0, 0, 0]
  return Buffer.concat([Buffer.from([0, 1, 0, 0, 0, 1, 0, TOPIC.length]), Buffer.from(TOPIC), Buffer.from(nothing)])
}
