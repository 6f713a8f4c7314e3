import { ErrorCode } from '../../../src/protocol/everything.ts'
import type { World } from '../one-broker/world.ts'

type Fields = Readonly<Record<string, unknown>>

/** Requests with which a producer acts under the identity that it was given. */
const ACTS: ReadonlySet<string> = new Set(['AddPartitionsToTxn', 'AddOffsetsToTxn', 'TxnOffsetCommit', 'EndTxn'])

/** Who a transactional id belongs to, and to whom it did. */
interface Owners {
  current: string
  /** Those who had it, knew that they had, and were replaced. */
  readonly former: Set<string>
  hasActed: boolean
}

/**
 * Looks at what clients ask and are answered, where only that tells right from wrong: nobody takes back a transactional id that went to
 * another, a static member does not leave, and whoever begins to read a partition was told where.
 */
export class FrontWatch {
  readonly #world: World
  readonly #owners = new Map<string, Owners>()
  /** By client and partition: the offsets that it was told to begin with. */
  readonly #beginnings = new Map<string, number[]>()
  readonly #staying = new Set<string>()

  constructor(world: World) {
    this.#world = world
  }

  /** A request has arrived. To be called with what the broker makes of it, whether or not the client hears of that. */
  asked(api: string, request: object, clientId: string): (answer: object) => void {
    const fields = request as Fields
    if (api === 'InitProducerId') return this.#identified(fields, clientId)
    if (api === 'JoinGroup' && this.#staying.has(clientId)) return answer => this.#joined(answer as Fields, clientId)
    if (api === 'OffsetFetch') return answer => this.#toldOffsets(answer as Fields, clientId)
    if (api === 'LeaveGroup') this.#leaving(fields, clientId)
    if (ACTS.has(api)) this.#acts(fields, clientId)
    return () => undefined
  }

  /** From now on there are no faults, and nothing for which a client could lose its place in a group. */
  stays(clientId: string): void {
    this.#staying.add(clientId)
  }

  /** A client is given a partition: what it was told of it before counts no more. */
  assigned(clientId: string, partition: string): void {
    this.#beginnings.delete(`${clientId} ${partition}`)
  }

  /** A client begins to read a partition that it was given. */
  begins(clientId: string, partition: string, offset: number): void {
    const told = this.#beginnings.get(`${clientId} ${partition}`)
    if (told === undefined) this.#world.fail(`${clientId} begins at ${offset} of ${partition} without a question`)
    else if (offset < Math.min(...told))
      this.#world.fail(`${clientId} begins at ${offset} of ${partition}, where ${told} was committed`)
  }

  #joined({ errorCode }: Fields, clientId: string): void {
    // It may have left since it asked.
    if (errorCode === ErrorCode.UNKNOWN_MEMBER_ID && this.#staying.has(clientId))
      this.#world.fail(`${clientId} was put out of its group without a fault`)
  }

  #acts(request: Fields, clientId: string): void {
    const id = (request.v3AndBelowTransactionalId ?? request.transactionalId) as string
    const owners = this.#owners.get(id)
    if (owners?.current === clientId) owners.hasActed = true
  }

  #identified({ transactionalId }: Fields, clientId: string): (answer: object) => void {
    if (typeof transactionalId !== 'string') return () => undefined
    const wasReplaced = this.#owners.get(transactionalId)?.former.has(clientId)
    return answer => {
      if ((answer as Fields).errorCode !== 0) return
      const owners = this.#owners.get(transactionalId)
      if (wasReplaced) this.#world.fail(`zombie: ${clientId} takes ${transactionalId} back from ${owners?.current}`)
      if (owners === undefined) {
        this.#owners.set(transactionalId, { current: clientId, former: new Set(), hasActed: false })
      } else if (owners.current !== clientId) {
        if (owners.hasActed) owners.former.add(owners.current)
        owners.current = clientId
        owners.hasActed = false
      }
    }
  }

  #toldOffsets(answer: Fields, clientId: string): void {
    const group = ((answer.groups as readonly Fields[] | undefined)?.[0] ?? answer) as Fields
    for (const { name, partitions } of (group.topics ?? []) as readonly Fields[]) {
      for (const { partitionIndex, committedOffset, errorCode } of partitions as readonly Fields[]) {
        if (errorCode !== 0) continue
        const place = `${clientId} ${name}-${partitionIndex}`
        this.#beginnings.set(place, [...(this.#beginnings.get(place) ?? []), committedOffset as number])
      }
    }
  }

  #leaving({ members }: Fields, clientId: string): void {
    this.#staying.delete(clientId)
    for (const { groupInstanceId } of (members ?? []) as readonly Fields[])
      if (groupInstanceId != null) this.#world.fail(`${clientId} gives up the place of ${groupInstanceId}`)
  }
}
