import {
  type CompressionType,
  encodeBatch,
  encodeMessageSet,
  type ProduceRequest,
  type ProduceResponse,
} from '../../../src/protocol/everything.ts'
import { PRODUCE, REFUSED, since, type TransactionProtocol } from './apis.ts'
import { Peer, Unavailable } from './peer.ts'
import { TOPIC } from './settings.ts'
import type { World } from './world.ts'

/** Versions of Produce since which there are timestamps, batches, with producers that have an id, and zstd. */
const FIRST_WITH_TIMESTAMPS = 2
const FIRST_WITH_BATCHES = 3
const FIRST_WITH_ZSTD = 7

/** Produce as a producer speaks it: one that is not `plain` has batches, and all know the codecs of the run. */
export function produceApi(
  world: World,
  { isPlain, protocol }: { readonly isPlain: boolean; readonly protocol?: TransactionProtocol | undefined },
) {
  const oldest = world.settings.codecs.includes('zstd') ? FIRST_WITH_ZSTD : isPlain ? 0 : FIRST_WITH_BATCHES
  return since<typeof ProduceRequest, typeof ProduceResponse>(protocol?.produce ?? PRODUCE, oldest)
}

/** Sends a batch to one partition; returns the error, and where it went. @throws Unavailable */
export async function produce(
  world: World,
  peer: Peer,
  {
    topic,
    partition,
    records,
    acks = -1,
    transactionalId = null,
    isPlain = false,
    protocol,
  }: {
    readonly topic: string
    readonly partition: number
    readonly records: Uint8Array
    readonly acks?: number
    readonly transactionalId?: string | null
    readonly isPlain?: boolean
    /** Of the transaction that the batch belongs to. */
    readonly protocol?: TransactionProtocol
  },
): Promise<{ readonly errorCode: number; readonly offset: number }> {
  const topicData = [{ name: topic, topicId: world.topicId(topic), partitionData: [{ index: partition, records }] }]
  const { responses } = await peer.call(produceApi(world, { isPlain, protocol }), {
    transactionalId,
    acks,
    timeoutMs: 1_000,
    topicData,
  })
  const answer = responses[0]?.partitionResponses[0]
  if (answer === undefined) throw new Unavailable('the answer has no partition')
  return { errorCode: answer.errorCode, offset: answer.baseOffset }
}

/** Publishes without idempotence: with or without acknowledgement, once or until it is acknowledged. */
export class PlainProducer {
  readonly #world: World
  readonly #peer: Peer
  readonly #name: string
  #sent = 0

  constructor(world: World, name: string) {
    this.#world = world
    this.#name = name
    this.#peer = new Peer(world, name)
  }

  async run(): Promise<void> {
    const world = this.#world
    while (!world.isEnding) {
      await this.#send()
      await world.sleep(world.random.below(300))
    }
    this.#peer.close()
  }

  async #send(): Promise<void> {
    const world = this.#world
    const { topic, partition, isKeyed } = world.oneOf([
      { topic: TOPIC.plain, partition: 0, isKeyed: false },
      { topic: TOPIC.plain, partition: 1, isKeyed: false },
      { topic: TOPIC.short, partition: 0, isKeyed: false },
      { topic: TOPIC.keyed, partition: 0, isKeyed: true },
      { topic: TOPIC.keyed, partition: 0, isKeyed: true },
    ])
    const sent = Array.from({ length: 1 + world.random.below(3) }, () => {
      this.#sent += 1
      const value = `${this.#name}.${this.#sent}`
      return isKeyed ? { key: `key-${world.random.below(4)}`, value } : { value }
    })
    const acks = world.oneOf([-1, -1, 1, 0])
    const id = world.history.invoke({
      kind: 'produce',
      producer: this.#name,
      partition: `${topic}-${partition}`,
      records: sent,
      isIdempotent: false,
      survives: acks !== 0 && world.settings.durability === 'synced',
    })
    const version = this.#peer.version(produceApi(world, { isPlain: true }))
    const records = encoded(world, sent, {}, version)
    if (version < FIRST_WITH_BATCHES) world.count('old format')
    if (acks === 0) await this.#tell({ topic, partition, records }, id)
    else await this.#deliver({ topic, partition, records, acks }, id)
  }

  async #tell({ topic, partition, records }: { topic: string; partition: number; records: Uint8Array }, id: number) {
    const world = this.#world
    const topicData = [{ name: topic, topicId: world.topicId(topic), partitionData: [{ index: partition, records }] }]
    const api = produceApi(world, { isPlain: true })
    await this.#peer.tell(api, { acks: 0, timeoutMs: 1_000, topicData }).catch(ignoreUnavailable)
    world.history.info(id)
  }

  async #deliver(batch: { topic: string; partition: number; records: Uint8Array; acks: number }, id: number) {
    const { history, random } = this.#world
    const attempts = 1 + random.below(3)
    let isUnknown = false
    for (let attempt = 0; attempt < attempts; attempt++) {
      if (attempt > 0) {
        await this.#world.sleep(50 + random.below(200))
        history.retry(id)
      }
      const answer = await produce(this.#world, this.#peer, { ...batch, isPlain: true }).catch(ignoreUnavailable)
      if (answer?.errorCode === 0) {
        this.#world.count('acknowledged')
        history.ok(id, { offset: answer.offset })
        return
      }
      if (answer === undefined || !REFUSED.has(answer.errorCode)) isUnknown = true
    }
    if (isUnknown) history.info(id)
    else history.fail(id)
  }
}

/**
 * Records as a client of some version of Produce encodes them, with a codec of the run; what a producer with a state says
 * of its batch comes with `producer`.
 */
export function encoded(
  world: World,
  sent: readonly { readonly key?: string; readonly value: string }[],
  producer: {
    readonly producerId?: number
    readonly producerEpoch?: number
    readonly baseSequence?: number
    readonly isTransactional?: boolean
  } = {},
  version = FIRST_WITH_BATCHES,
): Uint8Array {
  const timestamp = world.clock.now()
  const compression = world.oneOf<CompressionType>(world.settings.codecs)
  const records = sent.map(({ key, value }) => {
    // Of a message without a timestamp its segment tells how old it is, by those that have one.
    world.sentAt(value, version < FIRST_WITH_TIMESTAMPS ? 0 : timestamp)
    return { key: key === undefined ? null : Buffer.from(key), value: Buffer.from(value), timestamp }
  })
  if (version >= FIRST_WITH_BATCHES) return encodeBatch({ records, compression, ...producer })
  const messages = records.map((record, offset) => ({ ...record, offset }))
  return encodeMessageSet({
    magic: version < FIRST_WITH_TIMESTAMPS ? 0 : 1,
    messages,
    compression: compression === 'zstd' ? 'none' : compression,
  })
}

export function ignoreUnavailable(error: unknown): undefined {
  if (!(error instanceof Unavailable)) throw error
}
