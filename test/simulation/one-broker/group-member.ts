import * as p from '../../../src/protocol/everything.ts'
import type { Isolation } from '../../../src/testing/history/index.ts'
import { HEARTBEAT, JOIN_GROUP, LEAVE_GROUP, OFFSET_COMMIT, REFUSED, SYNC_GROUP } from './apis.ts'
import { committedOffset } from './group-offsets.ts'
import { Peer } from './peer.ts'
import { ignoreUnavailable } from './plain-producer.ts'
import { listOffset, readOnce } from './reading.ts'
import { SESSION_TIMEOUT_MS } from './settings.ts'
import type { World } from './world.ts'

/** How a member reads a partition that it owns. */
interface Owned {
  readonly partition: number
  position: number
  committed: number
  /** Its next read does not go on where the one before ended. */
  seeks: boolean
}

/** A consumer of a group: joins, reads what it is given, commits, leaves, or is silent for too long. */
export class GroupMember {
  readonly #world: World
  readonly #peer: Peer
  readonly #group: string
  readonly #topic: string
  readonly #partitions: number
  readonly #isolation: Isolation
  #memberId = ''
  #generation = -1
  /** The last one that it was in. */
  #lastGeneration = -1
  #owned: Owned[] = []

  constructor(
    world: World,
    name: string,
    reads: { group: string; topic: string; partitions: number; isolation: Isolation },
  ) {
    this.#world = world
    this.#peer = new Peer(world, name)
    this.#group = reads.group
    this.#topic = reads.topic
    this.#partitions = reads.partitions
    this.#isolation = reads.isolation
  }

  async run(): Promise<void> {
    const world = this.#world
    while (!world.isEnding) {
      if (this.#generation < 0) await this.#join()
      else await this.#step()
      await world.sleep(50 + world.random.below(250))
      // A pause of the whole process: the others go on without it.
      if (world.chance(25)) await world.sleep(world.random.below(3 * SESSION_TIMEOUT_MS))
    }
    this.#peer.close()
  }

  async #step(): Promise<void> {
    const world = this.#world
    const errorCode = world.chance(4) ? 0 : await this.#heartbeat()
    if (errorCode !== undefined && errorCode !== 0) {
      this.#lostPlace(errorCode)
      return
    }
    for (const owned of [...this.#owned]) {
      await this.#read(owned)
      if (world.chance(3)) await this.#commit(owned)
    }
    if (world.chance(30)) await this.#leave()
  }

  async #heartbeat(): Promise<number | undefined> {
    const request = { groupId: this.#group, generationId: this.#generation, memberId: this.#memberId }
    return (await this.#peer.call(HEARTBEAT, request).catch(ignoreUnavailable))?.errorCode
  }

  #lostPlace(errorCode: number): void {
    if (errorCode === p.ErrorCode.UNKNOWN_MEMBER_ID) this.#memberId = ''
    const isOut = errorCode === p.ErrorCode.UNKNOWN_MEMBER_ID || errorCode === p.ErrorCode.ILLEGAL_GENERATION
    if (isOut || errorCode === p.ErrorCode.REBALANCE_IN_PROGRESS) this.#generation = -1
  }

  async #join(): Promise<void> {
    const world = this.#world
    const before = { generation: this.#lastGeneration, memberId: this.#memberId, owned: this.#owned }
    const survives = world.settings.durability !== 'lossy'
    const id = world.history.invoke({ kind: 'take-place', of: this.#group, who: this.#peer.name, survives })
    const placed = await this.#takePlace().catch(ignoreUnavailable)
    if (placed === undefined) {
      world.history.info(id)
      return
    }
    this.#generation = placed.generation
    this.#lastGeneration = placed.generation
    const partitions = placed.partitions.map(partition => `${this.#topic}-${partition}`)
    world.history.ok(id, { session: { of: this.#group, number: placed.generation }, partitions })
    world.count('joined')
    // A commit of before that comes late, as when it was sent on another connection.
    for (const owned of before.owned) if (world.chance(4)) await this.#commitFor(owned, before)
    this.#owned = []
    for (const partition of placed.partitions) {
      const place = { topic: this.#topic, partition }
      const committed = await committedOffset(world, this.#peer, this.#group, place)
      if (committed === undefined) this.#generation = -1
      else this.#owned.push({ partition, position: Math.max(committed, 0), committed, seeks: true })
    }
  }

  /** @throws Unavailable */
  async #takePlace(): Promise<{ generation: number; partitions: number[] } | undefined> {
    const joined = await this.#peer.call(
      JOIN_GROUP,
      {
        groupId: this.#group,
        sessionTimeoutMs: SESSION_TIMEOUT_MS,
        rebalanceTimeoutMs: 2 * SESSION_TIMEOUT_MS,
        memberId: this.#memberId,
        protocolType: 'consumer',
        protocols: [{ name: 'range', metadata: this.#subscription() }],
      },
      3 * SESSION_TIMEOUT_MS,
    )
    if (joined.errorCode === p.ErrorCode.MEMBER_ID_REQUIRED) this.#memberId = joined.memberId
    if (joined.errorCode !== 0) {
      this.#lostPlace(joined.errorCode)
      return undefined
    }
    this.#memberId = joined.memberId
    const isLeader = joined.leader === joined.memberId
    const synced = await this.#peer.call(
      SYNC_GROUP,
      {
        groupId: this.#group,
        generationId: joined.generationId,
        memberId: this.#memberId,
        protocolType: 'consumer',
        protocolName: 'range',
        assignments: isLeader ? this.#assign(joined.members.map(({ memberId }) => memberId)) : [],
      },
      3 * SESSION_TIMEOUT_MS,
    )
    if (synced.errorCode !== 0) {
      this.#lostPlace(synced.errorCode)
      return undefined
    }
    const reader = new p.ByteReader(synced.assignment.subarray(2))
    const { assignedPartitions } = p.decodeMessage(p.ConsumerProtocolAssignment, 0, reader)
    return { generation: joined.generationId, partitions: assignedPartitions.flatMap(({ partitions }) => partitions) }
  }

  #subscription(): Uint8Array {
    return versioned(p.encodeMessageBytes(p.ConsumerProtocolSubscription, 0, { topics: [this.#topic] }))
  }

  /** Every partition to one member, in turns. */
  #assign(memberIds: readonly string[]): { memberId: string; assignment: Uint8Array }[] {
    const all = Array.from({ length: this.#partitions }, (_, partition) => partition)
    return [...memberIds].sort().map((memberId, index) => {
      const partitions = all.filter(partition => partition % memberIds.length === index)
      const assignedPartitions = [{ topic: this.#topic, partitions }]
      return {
        memberId,
        assignment: versioned(p.encodeMessageBytes(p.ConsumerProtocolAssignment, 0, { assignedPartitions })),
      }
    })
  }

  async #read(owned: Owned): Promise<void> {
    const world = this.#world
    const place = { topic: this.#topic, partition: owned.partition }
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
        consumer: `${this.#peer.name}/${this.#generation}`,
        partition: `${this.#topic}-${owned.partition}`,
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
    const place = { topic: this.#topic, partition: owned.partition }
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
    if (owned.position <= owned.committed || this.#generation < 0) return
    const errorCode = await this.#commitFor(owned, { generation: this.#generation, memberId: this.#memberId })
    if (errorCode === 0) owned.committed = owned.position
    else if (errorCode !== undefined) this.#lostPlace(errorCode)
  }

  /** Commits as a member of a generation. */
  async #commitFor(
    owned: Owned,
    { generation, memberId }: { readonly generation: number; readonly memberId: string },
  ): Promise<number | undefined> {
    const world = this.#world
    const id = world.history.invoke({
      kind: 'commit-offset',
      group: this.#group,
      partition: `${this.#topic}-${owned.partition}`,
      offset: owned.position,
      survives: world.settings.durability !== 'lossy',
      session: { of: this.#group, number: generation },
    })
    const partitions = [{ partitionIndex: owned.partition, committedOffset: owned.position, committedMetadata: '' }]
    const request = { groupId: this.#group, generationIdOrMemberEpoch: generation, memberId }
    const topics = [{ name: this.#topic, partitions }]
    const answer = await this.#peer.call(OFFSET_COMMIT, { ...request, topics }).catch(ignoreUnavailable)
    const errorCode = answer?.topics[0]?.partitions[0]?.errorCode
    if (errorCode === 0) {
      world.count('offset committed')
      world.history.ok(id)
    } else if (errorCode !== undefined && REFUSED.has(errorCode)) world.history.fail(id)
    else world.history.info(id)
    return errorCode
  }

  async #leave(): Promise<void> {
    await this.#peer
      .call(LEAVE_GROUP, { groupId: this.#group, members: [{ memberId: this.#memberId }] })
      .catch(ignoreUnavailable)
    this.#memberId = ''
    this.#generation = -1
  }
}

/** What is embedded in group requests has its version before it. */
function versioned(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from([0, 0]), bytes])
}
