import { ErrorCode } from '../../../src/protocol/everything.ts'
import { INIT_PRODUCER_ID, REFUSED } from './apis.ts'
import { Peer } from './peer.ts'
import { encoded, ignoreUnavailable, produce } from './plain-producer.ts'
import { TOPIC } from './settings.ts'
import type { World } from './world.ts'

/** A batch that is not acknowledged yet. */
interface Pending {
  readonly id: number
  readonly bytes: Uint8Array
  /** It was perhaps written, only nobody said so. */
  isUnknown: boolean
}

/** Batches under way at a time, as many as a broker remembers. */
const MAX_IN_FLIGHT = 5

/** How often a window of batches is sent before its producer id is given up. */
const ATTEMPTS = 8

/**
 * Publishes with sequence numbers, several batches under way on two connections, so that they come in any order, and sends
 * again what was not acknowledged.
 */
export class IdempotentProducer {
  readonly #world: World
  readonly #peers: readonly [Peer, Peer]
  readonly #name: string
  #sent = 0
  #producerId = -1
  #producerEpoch = 0
  #sequences: number[] = []

  constructor(world: World, name: string) {
    this.#world = world
    this.#name = name
    this.#peers = [new Peer(world, `${name}.a`), new Peer(world, `${name}.b`)]
  }

  async run(): Promise<void> {
    const world = this.#world
    while (!world.isEnding) {
      if (this.#producerId < 0) await this.#init()
      else await this.#sendWindow(world.random.below(2))
      await world.sleep(world.random.below(300))
    }
    for (const peer of this.#peers) peer.close()
  }

  async #init(): Promise<void> {
    const request = { transactionalId: null, transactionTimeoutMs: 1_000 }
    const answer = await this.#peers[0].call(INIT_PRODUCER_ID, request).catch(ignoreUnavailable)
    if (answer?.errorCode !== 0) return
    this.#producerId = answer.producerId
    this.#world.producerIdGiven(answer.producerId, this.#name)
    this.#producerEpoch = answer.producerEpoch
    this.#sequences = [0, 0]
  }

  async #sendWindow(partition: number): Promise<void> {
    const world = this.#world
    const isKnown = this.#sequences[partition]! > 0
    const { life } = world
    let window: Pending[] = Array.from({ length: 1 + world.random.below(MAX_IN_FLIGHT) }, () => this.#next(partition))
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (attempt > 0) await world.sleep(50 + world.random.below(300))
      // What comes of each is written down as its answer comes: a crash may be before that of the others.
      const sending = window.map(async pending => {
        // A broker takes whatever comes first of a producer that it does not know.
        const peer = this.#peers[isKnown && world.chance(6) ? 1 : 0]
        const batch = { topic: TOPIC.plain, partition, records: pending.bytes }
        const answer = await produce(world, peer, batch).catch(ignoreUnavailable)
        return { pending, answer, isDone: this.#settle(pending, answer) }
      })
      const sent = await Promise.all(sending)
      window = sent.filter(({ isDone }) => !isDone).map(({ pending }) => pending)
      const [first] = sent
      if (first?.answer !== undefined && isLostState(first.answer.errorCode)) {
        // A stop and a crash may leave the last batch of a producer alone in memory.
        const mustKnow = isKnown && world.life === life && world.losses === 0
        if (mustKnow)
          world.fail(
            `${this.#name}: of its last ${MAX_IN_FLIGHT} batches one is refused with ${first.answer.errorCode}`,
          )
        break
      }
      if (window.length === 0) return
      world.count('sent again')
      for (const { id } of window) world.history.retry(id)
    }
    // Somewhere in between there may be a hole, which only a new producer id gets over.
    for (const { id, isUnknown } of window) {
      if (isUnknown) world.history.info(id)
      else world.history.fail(id)
    }
    this.#producerId = -1
  }

  /** Whether that was all of it. */
  #settle(pending: Pending, answer: { readonly errorCode: number; readonly offset: number } | undefined): boolean {
    const { history } = this.#world
    if (answer?.errorCode === 0 || answer?.errorCode === ErrorCode.DUPLICATE_SEQUENCE_NUMBER) {
      this.#world.count('acknowledged')
      history.ok(pending.id, answer.errorCode === 0 && answer.offset >= 0 ? { offset: answer.offset } : {})
      return true
    }
    if (answer === undefined || !REFUSED.has(answer.errorCode)) pending.isUnknown = true
    return false
  }

  #next(partition: number): Pending {
    const world = this.#world
    const records = Array.from({ length: 1 + world.random.below(3) }, () => {
      this.#sent += 1
      return { value: `${this.#name}.${this.#sent}` }
    })
    const baseSequence = this.#sequences[partition]!
    this.#sequences[partition] = baseSequence + records.length
    const producer = { producerId: this.#producerId, producerEpoch: this.#producerEpoch, baseSequence }
    const id = world.history.invoke({
      kind: 'produce',
      producer: `${this.#producerId}/${this.#producerEpoch}`,
      partition: `${TOPIC.plain}-${partition}`,
      records,
      isIdempotent: true,
      survives: world.settings.durability === 'synced',
    })
    return { id, bytes: encoded(world, records, producer), isUnknown: false }
  }
}

/** The broker knows the producer no more, or not what it wrote: with the power, it lost that. */
function isLostState(errorCode: number): boolean {
  return errorCode === ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER || errorCode === ErrorCode.UNKNOWN_PRODUCER_ID
}
