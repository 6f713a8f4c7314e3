import * as p from '../../../src/protocol/everything.ts'
import type { Isolation, Session } from '../../../src/testing/history/index.ts'
import { OFFSET_COMMIT, REFUSED } from './apis.ts'
import { committedOffset } from './group-offsets.ts'
import { type GroupSettings, Membership } from './membership.ts'
import { Peer } from './peer.ts'
import { ignoreUnavailable } from './plain-producer.ts'
import { listOffset, readOnce } from './reading.ts'
import { SESSION_TIMEOUT_MS } from './settings.ts'
import { Abandoned, TransactionalSession } from './transactional-session.ts'
import type { World } from './world.ts'

/** How a member reads a partition that it owns. */
interface Owned {
  readonly partition: number
  position: number
  committed: number
  /** Its next read does not go on where the one before ended. */
  seeks: boolean
}

/** Who commits: a member as it is, or as it was. */
interface Committer {
  readonly generation: number
  readonly memberId: string
}

/**
 * A consumer of a group: joins, reads what it is given, commits, leaves, or is silent for too long. Where the group is
 * cooperative it keeps what it has through a rebalance, and lets go of what is not given to it again.
 */
export class GroupMember {
  readonly #world: World
  readonly #peer: Peer
  readonly #settings: GroupSettings
  readonly #isolation: Isolation
  readonly #place: Membership
  #lastGeneration = -1
  #owned: Owned[] = []

  constructor(world: World, name: string, settings: GroupSettings & { readonly isolation: Isolation }) {
    this.#world = world
    this.#peer = new Peer(world, name)
    this.#settings = settings
    this.#isolation = settings.isolation
    this.#place = new Membership(this.#peer, settings)
  }

  async run(): Promise<void> {
    await this.live(() => false)
    this.close()
  }

  /** Lives until the world is ending, or its time is over. */
  async live(isOver: () => boolean): Promise<void> {
    const world = this.#world
    while (!world.isEnding && !isOver() && !this.#place.isFenced) {
      if (this.#place.generation < 0) await this.#join()
      else await this.#step()
      await world.sleep(50 + world.random.below(250))
      // A pause of the whole process: the others go on without it.
      if (world.chance(25)) await world.sleep(world.random.below(3 * SESSION_TIMEOUT_MS))
    }
  }

  /** Commits what it has, as if it did not know that another has taken its place, and is gone. */
  async commitLate(): Promise<void> {
    const { memberId } = this.#place
    for (const owned of this.#owned) await this.#commitFor(owned, { generation: this.#lastGeneration, memberId })
    this.close()
  }

  close(): void {
    this.#peer.close()
  }

  async #step(): Promise<void> {
    const world = this.#world
    const errorCode = world.chance(4) ? 0 : await this.#place.heartbeat()
    if (errorCode !== undefined && errorCode !== 0) {
      this.#lostPlace(errorCode)
      return
    }
    for (const owned of [...this.#owned]) {
      await this.#read(owned)
      if (world.chance(3)) await this.#commit(owned)
    }
    if (this.#settings.instance === undefined && world.chance(30)) {
      // Who comes back after that is somebody new, and what it had may be another's by then.
      this.#owned = []
      await this.#place.leave()
    }
  }

  #lostPlace(errorCode: number): void {
    this.#place.lostPlace(errorCode)
    // Who is told to rebalance has its place still.
    if (errorCode !== p.ErrorCode.REBALANCE_IN_PROGRESS && this.#place.generation < 0) this.#owned = []
  }

  async #join(): Promise<void> {
    const world = this.#world
    const { group, topic, protocol, instance } = this.#settings
    const before = { generation: this.#lastGeneration, memberId: this.#place.memberId, owned: this.#owned }
    const survives = world.settings.durability !== 'lossy'
    const names = (partitions: readonly number[]): string[] => partitions.map(partition => `${topic}-${partition}`)
    // Without a member id it comes as somebody new, who has nothing.
    const isKeeping = protocol === 'cooperative-sticky' && this.#place.memberId !== ''
    const keeps = isKeeping ? this.#owned.map(({ partition }) => partition) : []
    const who = instance?.name ?? this.#peer.name
    const id = world.history.invoke({ kind: 'take-place', of: group, who, keeps: names(keeps), survives })
    const instanceId = instance && world.history.invoke({ kind: 'take-place', of: this.#ofInstance!, who, survives })
    const partitions = await this.#place.join(keeps).catch(ignoreUnavailable)
    if (partitions === undefined) {
      world.history.info(id)
      if (instanceId !== undefined) world.history.info(instanceId)
      if (this.#place.memberId === '') this.#owned = []
      return
    }
    const { generation } = this.#place
    this.#lastGeneration = generation
    world.history.ok(id, { session: { of: group, number: generation }, partitions: names(partitions) })
    if (instanceId !== undefined) {
      world.history.ok(instanceId, { session: this.#instance! })
      world.count('joined as instance')
    }
    world.count('joined')
    // A commit of before that comes late, as when it was sent on another connection.
    for (const owned of before.owned) if (world.chance(4)) await this.#commitFor(owned, before)
    await this.#own(partitions, keeps)
  }

  /** Reads what it was given; what it kept and was not given again is free only once it has asked again. */
  async #own(partitions: readonly number[], kept: readonly number[]): Promise<void> {
    const stays = ({ partition }: Owned): boolean => kept.includes(partition) && partitions.includes(partition)
    const letsGo = kept.some(partition => !partitions.includes(partition))
    const owned = this.#owned.filter(stays)
    this.#owned = owned
    for (const partition of partitions) {
      if (owned.some(known => known.partition === partition)) continue
      const { topic, isTransactional } = this.#settings
      const place = { topic, partition, isTransactional }
      const committed = await committedOffset(this.#world, this.#peer, this.#settings.group, place)
      if (committed === undefined) this.#place.generation = -1
      else owned.push({ partition, position: Math.max(committed, 0), committed, seeks: true })
    }
    if (!letsGo) return
    this.#world.count('partition let go')
    this.#place.generation = -1
  }

  async #read(owned: Owned): Promise<void> {
    const world = this.#world
    const place = { topic: this.#settings.topic, partition: owned.partition }
    const where = {
      ...place,
      isolation: this.#isolation,
      offset: owned.position,
      maxBytes: world.oneOf([1, 300, 1 << 16]),
    }
    const reading = await readOnce(world, this.#peer, where).catch(ignoreUnavailable)
    if (reading?.errorCode === p.ErrorCode.OFFSET_OUT_OF_RANGE) {
      await this.#seek(owned)
      return
    }
    if (reading?.errorCode !== 0) return
    world.history.note(
      {
        kind: 'poll',
        consumer: this.#peer.name,
        partition: `${place.topic}-${owned.partition}`,
        isolation: this.#isolation,
        position: owned.position,
        seeks: owned.seeks,
      },
      { records: reading.records.map(({ offset, epoch, value }) => ({ offset, epoch, value })), next: reading.next },
    )
    if (reading.records.length > 0) world.count('read')
    owned.seeks = false
    owned.position = reading.next
  }

  /** Goes back into what there is. */
  async #seek(owned: Owned): Promise<void> {
    const place = { topic: this.#settings.topic, partition: owned.partition }
    const start = await listOffset(this.#peer, place, -2).catch(ignoreUnavailable)
    const end = await listOffset(this.#peer, place, -1).catch(ignoreUnavailable)
    if (start === undefined || end === undefined) return
    const isBehindEnd = owned.position > end
    if (isBehindEnd && this.#world.settings.durability !== 'lossy') {
      this.#world.fail(
        `${this.#peer.name} was at ${owned.position} of ${place.topic}-${place.partition}, which ends at ${end}`,
      )
    }
    owned.position = isBehindEnd ? end : Math.max(start, owned.position)
    owned.seeks = true
  }

  async #commit(owned: Owned): Promise<void> {
    const { generation, memberId } = this.#place
    if (owned.position <= owned.committed || generation < 0) return
    const errorCode = await this.#commitFor(owned, { generation, memberId })
    if (errorCode === 0) owned.committed = owned.position
    else if (errorCode !== undefined) this.#lostPlace(errorCode)
  }

  /** Commits as a member of a generation, now and then in a transaction. */
  async #commitFor(owned: Owned, committer: Committer): Promise<number | undefined> {
    const { generation, memberId } = committer
    const world = this.#world
    const { group, topic, isTransactional } = this.#settings
    if (isTransactional && world.chance(3)) return this.#commitInTransaction(owned, committer)
    const id = world.history.invoke({
      kind: 'commit-offset',
      group,
      partition: `${topic}-${owned.partition}`,
      offset: owned.position,
      survives: world.settings.durability !== 'lossy',
      session: { of: group, number: generation },
      ...(this.#instance ? { instance: this.#instance } : {}),
    })
    const partitions = [{ partitionIndex: owned.partition, committedOffset: owned.position, committedMetadata: '' }]
    const request = { groupId: group, generationIdOrMemberEpoch: generation, ...this.#place.identity, memberId }
    const topics = [{ name: topic, topicId: world.topicId(topic), partitions }]
    const api = this.#place.api(OFFSET_COMMIT, 'commit')
    const answer = await this.#peer.call(api, { ...request, topics }).catch(ignoreUnavailable)
    const errorCode = answer?.topics[0]?.partitions[0]?.errorCode
    if (errorCode === 0) {
      world.count('offset committed')
      world.history.ok(id)
    } else if (errorCode !== undefined && REFUSED.has(errorCode)) world.history.fail(id)
    else world.history.info(id)
    return errorCode
  }

  /** The error is undefined where it came to nothing: the member finds out what it is with its next request. */
  async #commitInTransaction({ partition, position }: Owned, { generation, memberId }: Committer) {
    const { group, topic } = this.#settings
    const name = `offsets of ${this.#peer.name}`
    const session = new TransactionalSession(this.#world, name, name)
    try {
      await session.init()
      await session.sendOffset(
        group,
        { topic, partition, offset: position },
        {
          fields: { ...this.#place.identity, generationId: generation, memberId },
          session: { of: group, number: generation },
          instance: this.#instance,
        },
      )
      await session.end(true)
      this.#world.count('offset committed in a transaction')
      return 0
    } catch (error) {
      if (!(error instanceof Abandoned)) throw error
      return undefined
    } finally {
      session.close()
    }
  }

  get #ofInstance(): string | undefined {
    const { group, instance } = this.#settings
    return instance && `${group}/${instance.name}`
  }

  /** The place of this process among those of its instance. */
  get #instance(): Session | undefined {
    const { instance } = this.#settings
    return instance && { of: this.#ofInstance!, number: instance.number }
  }
}

/** A static member (KIP-345): processes that take the same place one after the other, and some do not know that they ended. */
export class StaticMember {
  readonly #world: World
  readonly #name: string
  readonly #settings: Omit<GroupSettings, 'instance'> & { readonly isolation: Isolation }
  #processes = 0

  constructor(world: World, name: string, settings: GroupSettings & { readonly isolation: Isolation }) {
    this.#world = world
    this.#name = name
    this.#settings = settings
  }

  async run(): Promise<void> {
    const world = this.#world
    const late: Promise<void>[] = []
    while (!world.isEnding) {
      this.#processes += 1
      const instance = { name: this.#name, number: this.#processes }
      const process = new GroupMember(world, `${this.#name}.${this.#processes}`, { ...this.#settings, instance })
      const endsAt = world.clock.monotonicMs() + 200 + world.random.below(2_000)
      await process.live(() => world.clock.monotonicMs() >= endsAt)
      if (world.chance(2)) late.push(world.sleep(world.random.below(1_500)).then(() => process.commitLate()))
      else process.close()
      await world.sleep(world.random.below(300))
    }
    await Promise.all(late)
  }
}
