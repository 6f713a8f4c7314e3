import { ErrorCode, KafkaError, type MessageOf } from '../../protocol/index.ts'
import {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from '../../protocol/messages/68-consumer-group-heartbeat.ts'
import { Backoff } from '../backoff.ts'
import { grouped } from '../grouped.ts'
import { partitionKey, type TopicPartition } from '../topic-partition.ts'
import type { Member, Membership, MembershipSettings } from './membership.ts'
import type { Committer } from './offset-requests.ts'

const HEARTBEAT = { request: ConsumerGroupHeartbeatRequest, response: ConsumerGroupHeartbeatResponse }
/** Epochs with a meaning of their own. */
const Epoch = { join: 0, leave: -1, leaveForAWhile: -2 } as const
/** From this version on the broker follows patterns. */
const FIRST_WITH_PATTERN = 1
const LEAVE_TIMEOUT_MS = 5_000

/** The group goes on without this member, which joins it anew. */
const PUT_OUT: ReadonlySet<string> = new Set(['FENCED_MEMBER_EPOCH', 'UNKNOWN_MEMBER_ID'])

/** Failures that end the membership, with the way out where the code alone does not show it. */
const FATAL: ReadonlyMap<string, string> = new Map([
  [
    'UNSUPPORTED_VERSION',
    'this cluster does not serve the consumer protocol of groups (KIP-848, Kafka 4.0 and up): set group.protocol=classic',
  ],
  [
    'UNRELEASED_INSTANCE_ID',
    'another member holds this group.instance.id: close it, or wait until its session has ended',
  ],
  ['GROUP_ID_NOT_FOUND', 'this is a group of another kind, or its members cannot go over to the consumer protocol'],
  ['UNSUPPORTED_ASSIGNOR', 'the broker has no such group.remote.assignor'],
  ['INVALID_REGULAR_EXPRESSION', ''],
  ['INVALID_REQUEST', ''],
  ['INVALID_GROUP_ID', ''],
  ['FENCED_INSTANCE_ID', ''],
  ['GROUP_MAX_SIZE_REACHED', ''],
  ['GROUP_AUTHORIZATION_FAILED', ''],
  ['TOPIC_AUTHORIZATION_FAILED', ''],
  ['INVALID_TOPIC_EXCEPTION', ''],
])

type Answer = MessageOf<typeof ConsumerGroupHeartbeatResponse>
type Target = NonNullable<Answer['assignment']>['topicPartitions']

interface OwnedPartition extends TopicPartition {
  readonly topicId: string
}

/** What the broker was last told and need not hear again. */
interface Told {
  readonly subscription: string
  readonly owned: string
}

/**
 * A consumer's place in a group of the consumer protocol (KIP-848): the broker says in answers to heartbeats what the member is to
 * read; the member lets go of the rest, commits that, takes the new, and acknowledges with the next heartbeat (Java's
 * ConsumerMembershipManager). Heartbeats go on meanwhile.
 */
export class ConsumerProtocolMembership implements Membership {
  readonly #settings: MembershipSettings
  readonly #member: Member
  readonly #backoff: Backoff
  readonly #memberId: string
  #epoch: number = Epoch.join
  /** How often this member joined: what was begun before the last time counts for nothing. */
  #joins = 0
  #topics: readonly string[] | undefined
  #owned: readonly OwnedPartition[] = []
  #target: Target | undefined
  #told: Told | undefined
  #intervalMs: number
  #isReconciling = false
  #hasAsked = false
  #isDue = false
  #wake: (() => void) | undefined
  #isClosed = false
  #running: Promise<void> | undefined

  constructor(settings: MembershipSettings, member: Member) {
    this.#settings = settings
    this.#member = member
    this.#intervalMs = settings.heartbeatIntervalMs
    const { retryBackoffMs, retryBackoffMaxMs, random } = settings.cluster.settings
    this.#backoff = new Backoff(retryBackoffMs, retryBackoffMaxMs, random)
    this.#memberId = Buffer.from(random.bytes(16)).toString('base64url')
  }

  get committer(): Committer {
    const { groupId, groupInstanceId } = this.#settings
    const joins = this.#joins
    return {
      groupId,
      generationId: this.#epoch,
      memberId: this.#memberId,
      groupInstanceId,
      renewed: () => (joins === this.#joins ? this.committer : undefined),
    }
  }

  start(): void {
    this.#running ??= this.#run()
  }

  rejoin(): void {
    this.#topics = undefined
    this.#hurry()
  }

  metadataChanged(): void {
    // The broker looks at topics by itself.
  }

  async leave(): Promise<void> {
    const { cluster, groupId, groupInstanceId, logger } = this.#settings
    this.#isClosed = true
    this.#wake?.()
    if (!this.#hasAsked) return
    const memberEpoch = groupInstanceId === null ? Epoch.leave : Epoch.leaveForAWhile
    const body = { groupId, memberId: this.#memberId, memberEpoch, instanceId: groupInstanceId }
    try {
      const broker = await cluster.coordinatorOf('group', groupId)
      await cluster.request({ broker, purpose: 'heartbeat' }, HEARTBEAT, body, { timeoutMs: LEAVE_TIMEOUT_MS })
    } catch (error) {
      // The group notices by itself after its session timeout.
      logger.debug({ err: error, groupId }, 'the group could not be told of the leave')
    }
  }

  async #run(): Promise<void> {
    for (let failures = 0; !this.#isClosed; ) {
      try {
        await this.#beat()
        failures = 0
        void this.#reconcile()
        await this.#pause(this.#intervalMs)
      } catch (error) {
        if (this.#isClosed) return
        if (!(error instanceof KafkaError) || error.fatal || FATAL.has(error.code)) {
          return this.#end(KafkaError.from(error))
        }
        // Whether the broker heard what it was told nobody knows.
        this.#told = undefined
        failures += 1
        this.#settings.logger.debug({ err: error, groupId: this.#settings.groupId }, 'heartbeat failed')
        await this.#pause(this.#backoff.delayMs(failures))
      }
    }
  }

  #end(error: KafkaError): void {
    this.#isClosed = true
    const { groupId } = this.#settings
    const message = FATAL.get(error.code) || error.message
    this.#member.failed(new KafkaError(error.code, `group ${groupId}: ${message}`, { cause: error }))
  }

  /** The next heartbeat is to be sent now. */
  #hurry(): void {
    this.#isDue = true
    this.#wake?.()
  }

  async #pause(delayMs: number): Promise<void> {
    if (!this.#isDue && !this.#isClosed) {
      await new Promise<void>(resolve => {
        const timer = this.#settings.cluster.settings.clock.schedule(delayMs, resolve)
        this.#wake = () => {
          timer.cancel()
          resolve()
        }
      })
    }
    this.#isDue = false
  }

  /** One heartbeat; joins when the member is not in the group. @throws KafkaError what the coordinator refused it with */
  async #beat(): Promise<void> {
    const { cluster, groupId } = this.#settings
    this.#topics ??= await this.#member.topics()
    const topics = this.#topics
    const pattern = this.#member.pattern()
    const owned = this.#ownedTopics()
    const telling: Told = { subscription: JSON.stringify([topics, pattern]), owned: JSON.stringify(owned) }
    const told = this.#told
    const broker = await cluster.coordinatorOf('group', groupId)
    if (this.#isClosed) return
    this.#hasAsked = true
    let answer: Answer
    try {
      answer = await cluster.request({ broker, purpose: 'heartbeat' }, HEARTBEAT, version => ({
        ...this.#identity(told === undefined),
        ...(told?.subscription === telling.subscription ? {} : subscriptionOf(version, topics, pattern)),
        ...(told?.owned === telling.owned ? {} : { topicPartitions: owned }),
      }))
    } catch (error) {
      cluster.coordinatorMoved('group', groupId)
      throw error
    }
    if (this.#isClosed) return
    this.#check(answer)
    this.#told = telling
    this.#epoch = answer.memberEpoch
    // A coordinator that names no time is not to be asked without a pause.
    if (answer.heartbeatIntervalMs > 0) this.#intervalMs = answer.heartbeatIntervalMs
    if (answer.assignment !== null) this.#target = answer.assignment.topicPartitions
  }

  #identity(isAll: boolean) {
    const { groupId, groupInstanceId, maxPollIntervalMs, rack, remoteAssignor } = this.#settings
    return {
      groupId,
      memberId: this.#memberId,
      memberEpoch: this.#epoch,
      instanceId: groupInstanceId,
      ...(isAll
        ? {
            rebalanceTimeoutMs: maxPollIntervalMs,
            rackId: rack === '' ? null : rack,
            serverAssignor: remoteAssignor,
          }
        : {}),
    }
  }

  #check({ errorCode, errorMessage }: Answer): void {
    if (errorCode === ErrorCode.NONE) return
    const error = KafkaError.fromCode(errorCode, errorMessage)
    if (PUT_OUT.has(error.code)) this.#putOut()
    else this.#settings.cluster.coordinatorMoved('group', this.#settings.groupId)
    throw error
  }

  /** What this member had is another's. */
  #putOut(): void {
    const { groupId, logger } = this.#settings
    logger.warn({ groupId, epoch: this.#epoch }, 'put out of the group; joining again')
    this.#joins += 1
    this.#epoch = Epoch.join
    this.#target = undefined
    const lost = this.#owned
    this.#owned = []
    this.#member.lost(lost)
  }

  /** Comes to own what the broker wants it to: lets go of the rest first. */
  async #reconcile(): Promise<void> {
    if (this.#isReconciling) return
    this.#isReconciling = true
    const joins = this.#joins
    try {
      for (let isDone = false; !isDone && joins === this.#joins && !this.#isClosed; ) {
        isDone = await this.#step(await this.#wanted(), joins)
      }
    } catch (error) {
      if (this.#isClosed) return
      if (!(error instanceof KafkaError && error.retriable)) {
        this.#end(KafkaError.from(error))
        this.#wake?.()
        return
      }
      // Tried again after the next heartbeat.
      this.#settings.logger.debug({ err: error }, 'names of assigned topics could not be looked up')
    } finally {
      this.#isReconciling = false
    }
  }

  /** Takes one step towards `wanted`; true when there is none left to take. */
  async #step(wanted: readonly OwnedPartition[], joins: number): Promise<boolean> {
    const has = new Set(wanted.map(keyOf))
    const had = new Set(this.#owned.map(keyOf))
    const revoked = this.#owned.filter(one => !has.has(keyOf(one)))
    const assigned = wanted.filter(one => !had.has(keyOf(one)))
    if (revoked.length === 0 && assigned.length === 0) return true
    if (revoked.length > 0) await this.#member.revoke(revoked)
    if (this.#isClosed) return true
    if (joins !== this.#joins) {
      this.#member.assign([])
      return true
    }
    this.#owned = wanted
    this.#member.assign(assigned)
    const { groupId, logger } = this.#settings
    logger.info({ groupId, epoch: this.#epoch, partitions: wanted.map(partitionKey) }, 'partitions assigned')
    this.#hurry()
    return false
  }

  /** The partitions of the target whose topics have a name by now. */
  async #wanted(): Promise<readonly OwnedPartition[]> {
    if (this.#target === undefined) return this.#owned
    const { cluster } = this.#settings
    const named = (): OwnedPartition[] => {
      // Where a topic is is for the coordinator to say: a broker that lags behind may not know it yet.
      const owned = this.#owned.map(({ topicId, topic }) => [topicId, topic] as const)
      const names = new Map([...owned, ...Array.from(cluster.metadata.topics, ({ id, name }) => [id, name] as const)])
      return (this.#target ?? []).flatMap(({ topicId, partitions }) => {
        const topic = names.get(topicId)
        return topic === undefined ? [] : partitions.map(partition => ({ topicId, topic, partition }))
      })
    }
    const count = this.#target.reduce((sum, { partitions }) => sum + partitions.length, 0)
    if (named().length < count) {
      await cluster.refresh(this.#member.pattern() === undefined ? (this.#topics ?? []) : null)
    }
    return named()
  }

  #ownedTopics(): { topicId: string; partitions: number[] }[] {
    return Array.from(
      grouped(this.#owned, ({ topicId }) => topicId),
      ([topicId, partitions]) => ({ topicId, partitions: partitions.map(({ partition }) => partition) }),
    )
  }
}

const keyOf = ({ topicId, partition }: OwnedPartition): string => `${topicId}:${partition}`

function subscriptionOf(version: number, topics: readonly string[], pattern: string | undefined) {
  if (version >= FIRST_WITH_PATTERN) return { subscribedTopicNames: [...topics], subscribedTopicRegex: pattern ?? '' }
  if (pattern === undefined) return { subscribedTopicNames: [...topics] }
  throw new KafkaError(
    'INVALID_REGULAR_EXPRESSION',
    'the broker follows no patterns (before 4.0): subscribe by a RegExp',
  )
}
