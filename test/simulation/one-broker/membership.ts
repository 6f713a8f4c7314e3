import { ErrorCode } from '../../../src/protocol/everything.ts'
import { HEARTBEAT, JOIN_GROUP, LEAVE_GROUP, SYNC_GROUP, since } from './apis.ts'
import { assign, assigned, subscription } from './assignment.ts'
import type { Peer } from './peer.ts'
import { ignoreUnavailable } from './plain-producer.ts'
import { SESSION_TIMEOUT_MS, type Settings } from './settings.ts'

/** A group, what it reads, and who one of its members is. */
export interface GroupSettings {
  /** Members commit in transactions, too, and wait for those of others when they ask for offsets. */
  readonly isTransactional: boolean
  readonly group: string
  readonly topic: string
  readonly partitions: number
  readonly protocol: Settings['protocol']
  /** Makes it a static member (KIP-345): the number counts the processes that had the name before. */
  readonly instance?: { readonly name: string; readonly number: number }
}

/** Versions since which requests name the instance of a static member. */
const FIRST_WITH_INSTANCE = { join: 5, sync: 3, heartbeat: 3, commit: 7 } as const

/** The first version of LeaveGroup for several members at once. */
const FIRST_WITH_MEMBERS = 3

/** Somebody's place in a group: the member id and the generation that it has, or had. */
export class Membership {
  readonly #peer: Peer
  readonly #settings: GroupSettings
  memberId = ''
  /** -1 while it has no place. */
  generation = -1
  /** Another process has its instance. */
  isFenced = false

  constructor(peer: Peer, settings: GroupSettings) {
    this.#peer = peer
    this.#settings = settings
  }

  /** What says who it is, in requests of those versions that have it. */
  get identity(): { readonly memberId: string; readonly groupInstanceId: string | null } {
    return { memberId: this.memberId, groupInstanceId: this.#settings.instance?.name ?? null }
  }

  /** An API as this member has to speak it. */
  api<A extends readonly [unknown, unknown, number, number]>(api: A, of: keyof typeof FIRST_WITH_INSTANCE): A {
    const oldest = this.#settings.instance === undefined ? 0 : FIRST_WITH_INSTANCE[of]
    return since(api as never, oldest) as unknown as A
  }

  /** The error that it is answered with; undefined where it is not answered. */
  async heartbeat(): Promise<number | undefined> {
    const request = { groupId: this.#settings.group, generationId: this.generation, ...this.identity }
    return (await this.#peer.call(this.api(HEARTBEAT, 'heartbeat'), request).catch(ignoreUnavailable))?.errorCode
  }

  /** An error that tells of a place that is gone. */
  lostPlace(errorCode: number): void {
    const { FENCED_INSTANCE_ID, ILLEGAL_GENERATION, REBALANCE_IN_PROGRESS, UNKNOWN_MEMBER_ID } = ErrorCode
    if (errorCode === UNKNOWN_MEMBER_ID) this.memberId = ''
    if (errorCode === FENCED_INSTANCE_ID) this.isFenced = true
    const isOut = [FENCED_INSTANCE_ID, ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID].includes(errorCode as never)
    if (isOut || errorCode === REBALANCE_IN_PROGRESS) this.generation = -1
  }

  /**
   * Asks for a place; returns the partitions that come with it. What it `keeps` meanwhile, the leader gives to nobody else.
   * Undefined when it has to ask again.
   * @throws Unavailable
   */
  async join(keeps: readonly number[]): Promise<readonly number[] | undefined> {
    const { group, topic, protocol } = this.#settings
    const joined = await this.#peer.call(
      this.api(JOIN_GROUP, 'join'),
      {
        groupId: group,
        sessionTimeoutMs: SESSION_TIMEOUT_MS,
        rebalanceTimeoutMs: 2 * SESSION_TIMEOUT_MS,
        ...this.identity,
        protocolType: 'consumer',
        protocols: [{ name: protocol, metadata: subscription(topic, keeps) }],
      },
      3 * SESSION_TIMEOUT_MS,
    )
    if (joined.errorCode === ErrorCode.MEMBER_ID_REQUIRED) this.memberId = joined.memberId
    if (joined.errorCode !== 0) {
      this.lostPlace(joined.errorCode)
      return undefined
    }
    this.memberId = joined.memberId
    const isLeader = joined.leader === joined.memberId && !joined.skipAssignment
    const partitions = await this.#sync(joined.generationId, isLeader ? joined.members : [])
    if (partitions !== undefined) this.generation = joined.generationId
    return partitions
  }

  async #sync(
    generationId: number,
    members: readonly { readonly memberId: string; readonly metadata: Uint8Array }[],
  ): Promise<readonly number[] | undefined> {
    const { group, topic, partitions, protocol } = this.#settings
    const synced = await this.#peer.call(
      this.api(SYNC_GROUP, 'sync'),
      {
        groupId: group,
        generationId,
        ...this.identity,
        protocolType: 'consumer',
        protocolName: protocol,
        assignments: assign(topic, partitions, members),
      },
      3 * SESSION_TIMEOUT_MS,
    )
    if (synced.errorCode === 0) return assigned(synced.assignment)
    this.lostPlace(synced.errorCode)
    return undefined
  }

  /** Gives its place up. */
  async leave(): Promise<void> {
    const groupId = this.#settings.group
    const { memberId } = this
    const isOld = this.#peer.version(LEAVE_GROUP) < FIRST_WITH_MEMBERS
    const request = isOld ? { groupId, memberId } : { groupId, members: [{ memberId }] }
    await this.#peer.call(LEAVE_GROUP, request).catch(ignoreUnavailable)
    this.memberId = ''
    this.generation = -1
  }
}
