import { readAssignment } from '../../../src/client/consumer/embedded-protocol.ts'
import { ErrorCode } from '../../../src/protocol/everything.ts'
import type { World } from '../one-broker/world.ts'

interface Committing {
  readonly groupId: string
  readonly memberId: string
  readonly generationId?: number
  readonly generationIdOrMemberEpoch?: number
  readonly topics: readonly {
    readonly name: string
    readonly partitions: readonly { readonly partitionIndex: number; readonly committedOffset: number }[]
  }[]
}

interface Committed {
  readonly topics: readonly {
    readonly name: string
    readonly partitions: readonly { readonly partitionIndex: number; readonly errorCode: number }[]
  }[]
}

interface Syncing {
  readonly groupId: string
  readonly generationId: number
  readonly memberId: string
}

interface Synced {
  readonly errorCode: number
  readonly assignment: Uint8Array
}

/**
 * Looks at the commits that a coordinator takes: of a partition that is another's in his generation nobody commits anything, and what a
 * member commits goes back only where he did.
 */
export class CommitWatch {
  readonly #world: World
  /** By group, generation and partition: the member that it was given to. */
  readonly #given = new Map<string, string>()
  /** By client and partition: what it committed last. */
  readonly #reached = new Map<string, number>()
  /** The same: how often it went back without having committed that. */
  readonly #goneBack = new Map<string, number>()

  constructor(world: World) {
    this.#world = world
  }

  /** A request has arrived, not later than those that were sent after it. To be called with the broker's answer. */
  asked(api: string, request: object, clientId: string): (answer: object) => void {
    // With the state of its coordinator a group loses the count of its generations, and with its end a log what was read of it.
    if (this.#world.settings.durability === 'lossy') return () => undefined
    if (api === 'SyncGroup') return answer => this.#synced(request as Syncing, answer as Synced)
    if (api === 'OffsetCommit' || api === 'TxnOffsetCommit')
      return answer => this.#committed(request as Committing, answer as Committed, clientId)
    return () => undefined
  }

  /** A member is given a partition: it begins where its group is. */
  assigned(clientId: string, partition: string): void {
    this.#reached.delete(`${clientId} ${partition}`)
    this.#goneBack.delete(`${clientId} ${partition}`)
  }

  /** A member's program goes elsewhere; a commit of before may be on its way. */
  seeks(clientId: string, partition: string): void {
    const place = `${clientId} ${partition}`
    this.#goneBack.set(place, (this.#goneBack.get(place) ?? 0) + 1)
  }

  #synced({ groupId, generationId, memberId }: Syncing, { errorCode, assignment }: Synced): void {
    if (errorCode !== ErrorCode.NONE) return
    for (const { topic, partition } of readAssignment(assignment) ?? [])
      this.#given.set(`${groupId} ${generationId} ${topic}-${partition}`, memberId)
  }

  #committed(request: Committing, answer: Committed, clientId: string): void {
    const taken = answer.topics.flatMap(({ name, partitions }) =>
      partitions.filter(one => one.errorCode === ErrorCode.NONE).map(one => `${name}-${one.partitionIndex}`),
    )
    for (const { name, partitions } of request.topics) {
      for (const { partitionIndex, committedOffset } of partitions) {
        const partition = `${name}-${partitionIndex}`
        if (!taken.includes(partition)) continue
        this.#world.count('commit taken')
        this.#owns(request, partition, clientId)
        // A transaction may be taken back, and what was read for it read again.
        if (request.generationIdOrMemberEpoch !== undefined) this.#goesOn(clientId, partition, committedOffset)
      }
    }
  }

  #owns(request: Committing, partition: string, clientId: string): void {
    const { groupId, memberId, generationIdOrMemberEpoch, generationId = generationIdOrMemberEpoch } = request
    const owner = this.#given.get(`${groupId} ${generationId} ${partition}`) ?? memberId
    if (owner !== memberId)
      this.#world.fail(`zombie: ${clientId} commits ${partition}, which is ${owner}'s in ${groupId} ${generationId}`)
  }

  #goesOn(clientId: string, partition: string, offset: number): void {
    const place = `${clientId} ${partition}`
    const before = this.#reached.get(place) ?? 0
    const goneBack = this.#goneBack.get(place) ?? 0
    if (offset < before) {
      if (goneBack === 0) this.#world.fail(`${clientId} commits ${offset} of ${partition} after ${before}`)
      this.#goneBack.set(place, goneBack - 1)
    }
    this.#reached.set(place, offset)
  }
}
