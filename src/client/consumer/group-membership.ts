import type { Timer } from '../../platform/index.ts'
import { ErrorCode, encodeWithVersion, errorName, KafkaError, type MessageOf } from '../../protocol/index.ts'
import { JoinGroupRequest, JoinGroupResponse } from '../../protocol/messages/11-join-group.ts'
import { HeartbeatRequest, HeartbeatResponse } from '../../protocol/messages/12-heartbeat.ts'
import { LeaveGroupRequest, LeaveGroupResponse } from '../../protocol/messages/13-leave-group.ts'
import { SyncGroupRequest, SyncGroupResponse } from '../../protocol/messages/14-sync-group.ts'
import {
  ConsumerProtocolAssignment,
  ConsumerProtocolSubscription,
} from '../../protocol/messages/data/consumer-protocol.ts'
import { Backoff } from '../backoff.ts'
import { byTopic, partitionKey, type TopicPartition } from '../topic-partition.ts'
import type { GroupSubscription, RebalanceProtocol } from './assignors/assignor.ts'
import { readAssignment, readSubscriptions } from './embedded-protocol.ts'
import type { Member, Membership, MembershipSettings } from './membership.ts'
import { type Committer, outsider } from './offset-requests.ts'

const JOIN_GROUP = { request: JoinGroupRequest, response: JoinGroupResponse }
const SYNC_GROUP = { request: SyncGroupRequest, response: SyncGroupResponse }
const HEARTBEAT = { request: HeartbeatRequest, response: HeartbeatResponse }
const LEAVE_GROUP = { request: LeaveGroupRequest, response: LeaveGroupResponse }
const PROTOCOL_TYPE = 'consumer'
/** Beyond the rebalance timeout, for the answer to a join to arrive. */
const JOIN_GRACE_MS = 5_000
const LEAVE_TIMEOUT_MS = 5_000
const SUBSCRIPTION_VERSION = 3

/** Failures that end the membership: no later try would be different. */
const FATAL: ReadonlySet<string> = new Set([
  'FENCED_INSTANCE_ID',
  'GROUP_AUTHORIZATION_FAILED',
  'TOPIC_AUTHORIZATION_FAILED',
  'INVALID_TOPIC_EXCEPTION',
  'INCONSISTENT_GROUP_PROTOCOL',
  'INVALID_GROUP_ID',
  'INVALID_SESSION_TIMEOUT',
  'GROUP_MAX_SIZE_REACHED',
  'UNSUPPORTED_VERSION',
])

/** Heartbeats one after the other, from one join to the next. */
interface Heartbeats {
  timer: Timer | undefined
}

type Joined = MessageOf<typeof JoinGroupResponse>

/** What a generation's leader saw of its topics: when that changes, partitions are to be spread anew. */
type PartitionCounts = ReadonlyMap<string, number>

/**
 * A consumer's place in a classic group: joins, takes its part, keeps it by heartbeats that depend on nothing else, and joins again
 * when the group changes (Java's ConsumerCoordinator). With assignors that are all cooperative, only what goes to others is let go
 * of (KIP-429).
 */
export class GroupMembership implements Membership {
  readonly #settings: MembershipSettings
  readonly #member: Member
  readonly #protocol: RebalanceProtocol
  readonly #backoff: Backoff
  #memberId = ''
  #generationId = -1
  #committer: Committer
  #counts: PartitionCounts | undefined
  #beats: Heartbeats | undefined
  #wake: (() => void) | undefined
  #mustJoin = false
  /** From the moment that joining is due until the coordinator has heard of it. */
  #isJoining = false
  #isClosed = false
  #running: Promise<void> | undefined

  constructor(settings: MembershipSettings, member: Member) {
    this.#settings = settings
    this.#member = member
    this.#committer = outsider(settings.groupId)
    const isCooperative = settings.assignors.every(({ protocols }) => protocols.includes('cooperative'))
    this.#protocol = isCooperative ? 'cooperative' : 'eager'
    const { retryBackoffMs, retryBackoffMaxMs, random } = settings.cluster.settings
    this.#backoff = new Backoff(retryBackoffMs, retryBackoffMaxMs, random)
  }

  /** Its place in the group, as the group has last said. Once put out it commits nothing as somebody who never was a member. */
  get committer(): Committer {
    return this.#committer
  }

  /** Joins and stays until {@link leave}. */
  start(): void {
    this.#mustJoin = true
    this.#running ??= this.#run()
  }

  /** What the member wants has changed: it joins again. */
  rejoin(): void {
    this.#mustJoin = true
    this.#wake?.()
  }

  /** The cluster was looked at: the leader has the partitions spread anew when there are others than at the last time. */
  metadataChanged(): void {
    const { metadata } = this.#settings.cluster
    if (this.#counts === undefined) return
    for (const [topic, count] of this.#counts) {
      if ((metadata.topic(topic)?.partitions.length ?? 0) !== count) this.rejoin()
    }
  }

  /** Leaves the group, unless the member is static and means to come back. What it owned must be let go of before. */
  async leave(): Promise<void> {
    this.#isClosed = true
    this.#stopHeartbeats()
    this.#wake?.()
    await this.#tellLeave(this.#memberId)
  }

  async #tellLeave(memberId: string): Promise<void> {
    const { cluster, groupId, groupInstanceId, logger } = this.#settings
    if (memberId === '' || groupInstanceId !== null) return
    try {
      const broker = await cluster.coordinatorOf('group', groupId)
      await cluster.request(
        { broker, purpose: 'heartbeat' },
        LEAVE_GROUP,
        version => (version >= 3 ? { groupId, members: [{ memberId, groupInstanceId }] } : { groupId, memberId }),
        { timeoutMs: LEAVE_TIMEOUT_MS },
      )
    } catch (error) {
      // The group notices by itself after the session timeout.
      logger.debug({ err: error, groupId }, 'the group could not be told of the leave')
    }
  }

  async #run(): Promise<void> {
    for (let failures = 0; !this.#isClosed; ) {
      try {
        await this.#untilJoinIsDue()
        if (this.#isClosed) return
        this.#mustJoin = false
        this.#isJoining = true
        await this.#rebalance()
        failures = 0
      } catch (error) {
        if (this.#isClosed) return
        if (!(error instanceof KafkaError) || error.fatal || FATAL.has(error.code)) {
          this.#stopHeartbeats()
          const fatal = KafkaError.from(error)
          return this.#member.failed(fatal)
        }
        this.#mustJoin = true
        this.#isJoining = false
        failures += 1
        this.#settings.logger.debug({ err: error, groupId: this.#settings.groupId }, 'joining again')
        await this.#settings.cluster.patience({ timeoutMs: 60_000 }).pause(this.#backoff.delayMs(failures))
      }
    }
  }

  async #untilJoinIsDue(): Promise<void> {
    while (!this.#mustJoin && !this.#isClosed) {
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }

  async #rebalance(): Promise<void> {
    if (this.#protocol === 'eager') await this.#member.revoke(this.#member.owned())
    if (this.#isClosed) return
    const joined = await this.#join()
    if (this.#isClosed) return
    const assigned = await this.#sync(joined)
    if (this.#isClosed) return
    this.#startHeartbeats()
    const generationId = this.#generationId
    const had = new Set(this.#member.owned().map(partitionKey))
    const has = new Set(assigned.map(partitionKey))
    const revoked = this.#member.owned().filter(one => !has.has(partitionKey(one)))
    if (revoked.length > 0) await this.#member.revoke(revoked)
    // The group may have gone on without this member meanwhile: what it gave is another's.
    if (this.#isClosed || generationId !== this.#generationId) return
    this.#settings.logger.info(
      { groupId: this.#settings.groupId, generationId: this.#generationId, partitions: assigned.map(partitionKey) },
      'partitions assigned',
    )
    this.#member.assign(assigned.filter(one => !had.has(partitionKey(one))))
    // What was let go of can be given to others now.
    if (revoked.length > 0) this.rejoin()
  }

  async #join(): Promise<Joined> {
    const { assignors, groupId, groupInstanceId, maxPollIntervalMs, rack, sessionTimeoutMs } = this.#settings
    const topics = await this.#member.topics()
    const owned = this.#member.owned()
    const protocols = assignors.map(({ name, userData }) => ({
      name,
      metadata: encodeWithVersion(ConsumerProtocolSubscription, SUBSCRIPTION_VERSION, {
        topics,
        userData: userData?.(owned, this.#generationId) ?? null,
        ownedPartitions: topicsOf(owned),
        generationId: this.#generationId,
        rackId: rack === '' ? null : rack,
      }),
    }))
    this.#stopHeartbeats()
    const memberId = this.#memberId
    const answer = await this.#ask(JOIN_GROUP, maxPollIntervalMs + JOIN_GRACE_MS, version => ({
      groupId,
      sessionTimeoutMs,
      rebalanceTimeoutMs: maxPollIntervalMs,
      memberId,
      ...(version >= 5 ? { groupInstanceId } : {}),
      protocolType: PROTOCOL_TYPE,
      protocols,
    }))
    this.#isJoining = false
    if (this.#isClosed) {
      // Who left before he had a name could not say so: he is let in by now, or is to be.
      if (memberId === '') await this.#tellLeave(answer.memberId)
      return answer
    }
    if (answer.errorCode === ErrorCode.MEMBER_ID_REQUIRED) {
      this.#memberId = answer.memberId
      return this.#join()
    }
    this.#check(answer.errorCode)
    this.#memberId = answer.memberId
    this.#generationId = answer.generationId
    this.#committer = { groupId, generationId: this.#generationId, memberId: this.#memberId, groupInstanceId }
    return answer
  }

  async #sync(joined: Joined): Promise<TopicPartition[]> {
    const { groupId, groupInstanceId, maxPollIntervalMs } = this.#settings
    const isLeader = joined.leader === joined.memberId
    const assignments = isLeader ? await this.#assignments(joined) : []
    if (!isLeader) this.#counts = undefined
    const answer = await this.#ask(SYNC_GROUP, maxPollIntervalMs + JOIN_GRACE_MS, version => ({
      groupId,
      generationId: this.#generationId,
      memberId: this.#memberId,
      ...(version >= 3 ? { groupInstanceId } : {}),
      protocolType: PROTOCOL_TYPE,
      protocolName: joined.protocolName,
      assignments,
    }))
    this.#check(answer.errorCode)
    const assigned = readAssignment(answer.assignment)
    if (assigned !== undefined) return assigned
    throw new KafkaError(
      'INCONSISTENT_GROUP_PROTOCOL',
      `group ${groupId}: what its leader ${joined.leader} gave this member cannot be read`,
    )
  }

  /** What the leader gives to everybody. */
  async #assignments(joined: Joined) {
    const { assignors, cluster } = this.#settings
    const assignor = assignors.find(({ name }) => name === joined.protocolName)
    if (assignor === undefined) {
      throw new KafkaError(
        'INCONSISTENT_GROUP_PROTOCOL',
        `the group chose ${joined.protocolName}, which is none of ours`,
      )
    }
    const members = readSubscriptions(joined.members, memberId => {
      const { groupId, logger } = this.#settings
      logger.warn({ groupId, memberId }, 'a member says what cannot be read, and gets no partitions')
    })
    const topics = [...new Set([...members.values()].flatMap(member => member.topics))]
    const metadata = await cluster.refresh(topics)
    const counts = topics.map(topic => [topic, metadata.topic(topic)?.partitions.length ?? 0] as const)
    this.#counts = new Map(counts)
    // A static leader that is back in its place finds everybody with what they had, and watches the topics from here on (KIP-814).
    if (joined.skipAssignment) return []
    const group: GroupSubscription = { members, partitionCounts: new Map(counts.filter(([, count]) => count > 0)) }
    return Array.from(assignor.assign(group), ([memberId, partitions]) => ({
      memberId,
      assignment: encodeWithVersion(ConsumerProtocolAssignment, 0, { assignedPartitions: topicsOf(partitions) }),
    }))
  }

  #ask<A extends typeof JOIN_GROUP | typeof SYNC_GROUP>(
    api: A,
    timeoutMs: number,
    body: (version: number) => object,
  ): Promise<MessageOf<A['response']>> {
    const { cluster, groupId } = this.#settings
    // The try that is under way when others would have failed for good still has its whole time.
    const patience = cluster.patience({ timeoutMs: cluster.settings.requestTimeoutMs + timeoutMs })
    return cluster.withCoordinator(
      'group',
      groupId,
      { what: `${api.request.name} of group ${groupId}`, patience },
      async broker => {
        // Who has left would come back, or be told that he is not known.
        if (this.#isClosed) throw new KafkaError('OPERATION_NOT_ATTEMPTED', `the member has left group ${groupId}`)
        const answer = await cluster.request({ broker, purpose: 'coordinator' }, api as never, body as never, {
          timeoutMs,
        })
        const { errorCode } = answer as { errorCode: number }
        const error = KafkaError.fromCode(errorCode)
        // A rebalance that goes on, or an id that was forgotten, is this class's to answer; the rest is the coordinator's trouble.
        if (errorCode !== ErrorCode.NONE && error.retriable && error.code !== 'REBALANCE_IN_PROGRESS') throw error
        return answer as MessageOf<A['response']>
      },
    )
  }

  #check(errorCode: number): void {
    const code = errorName(errorCode)
    if (errorCode === ErrorCode.NONE) return
    if (code === 'UNKNOWN_MEMBER_ID' || code === 'ILLEGAL_GENERATION') this.#forgotten()
    throw KafkaError.fromCode(errorCode, `group ${this.#settings.groupId}: ${KafkaError.fromCode(errorCode).message}`)
  }

  /** The group goes on without this member: what it had is another's. */
  #forgotten(): void {
    // Who has left may read other partitions by now.
    if (this.#isClosed) return
    this.#memberId = ''
    this.#generationId = -1
    this.#stopHeartbeats()
    try {
      this.#member.lost(this.#member.owned())
    } catch (error) {
      this.#putOut(KafkaError.from(error))
      return
    }
    this.rejoin()
  }

  #startHeartbeats(): void {
    this.#stopHeartbeats()
    const { cluster, heartbeatIntervalMs } = this.#settings
    const beats: Heartbeats = { timer: undefined }
    this.#beats = beats
    const beat = (): void => {
      beats.timer = cluster.settings.clock.schedule(heartbeatIntervalMs, () => {
        void this.#beat(beats).then(goesOn => {
          if (goesOn && this.#beats === beats) beat()
        })
      })
    }
    beat()
  }

  #stopHeartbeats(): void {
    this.#beats?.timer?.cancel()
    this.#beats = undefined
  }

  /** One heartbeat; false when there is nothing left to keep. What comes of it after the end of its row means nothing. */
  async #beat(beats: Heartbeats): Promise<boolean> {
    const { cluster, groupId, groupInstanceId, sessionTimeoutMs } = this.#settings
    const generationId = this.#generationId
    const memberId = this.#memberId
    try {
      const broker = await cluster.coordinatorOf('group', groupId)
      const { errorCode } = await cluster.request(
        { broker, purpose: 'heartbeat' },
        HEARTBEAT,
        version => ({ groupId, generationId, memberId, ...(version >= 3 ? { groupInstanceId } : {}) }),
        { timeoutMs: sessionTimeoutMs },
      )
      if (this.#beats !== beats) return false
      return this.#answered(errorName(errorCode))
    } catch (error) {
      if (this.#beats !== beats) return false
      if (!(error instanceof KafkaError) || error.fatal) return this.#putOut(KafkaError.from(error))
      cluster.coordinatorMoved('group', groupId)
      return true
    }
  }

  /** Ends the membership: nothing that is tried later would be different. */
  #putOut(error: KafkaError): false {
    this.#isClosed = true
    this.#wake?.()
    this.#member.failed(error)
    return false
  }

  #answered(code: string): boolean {
    const { cluster, groupId } = this.#settings
    if (code === 'NONE') return true
    if (code === 'REBALANCE_IN_PROGRESS') {
      // Who lets go of his partitions in order to join need not hear that he should.
      if (!this.#isJoining) this.rejoin()
      return true
    }
    if (code === 'UNKNOWN_MEMBER_ID' || code === 'ILLEGAL_GENERATION') {
      this.#forgotten()
      return false
    }
    if (FATAL.has(code)) {
      return this.#putOut(new KafkaError(code as KafkaError['code'], `group ${groupId}: the member was put out`))
    }
    cluster.coordinatorMoved('group', groupId)
    return true
  }
}

/** Partitions as the protocol of consumers has them. */
function topicsOf(partitions: readonly TopicPartition[]): { topic: string; partitions: number[] }[] {
  return byTopic(partitions, ({ partition }) => partition).map(({ name, partitions: numbers }) => ({
    topic: name,
    partitions: numbers,
  }))
}
