import { encodeBatch } from '../../../src/protocol/everything.ts'
import { PRODUCE, REFUSED } from './apis.ts'
import { Peer, Unavailable } from './peer.ts'
import { TOPIC } from './settings.ts'
import type { World } from './world.ts'

/** Sends a batch to one partition; returns the error, and where it went. @throws Unavailable */
export async function produce(
  peer: Peer,
  {
    topic,
    partition,
    records,
    acks = -1,
    transactionalId = null,
  }: {
    readonly topic: string
    readonly partition: number
    readonly records: Uint8Array
    readonly acks?: number
    readonly transactionalId?: string | null
  },
): Promise<{ readonly errorCode: number; readonly offset: number }> {
  const topicData = [{ name: topic, partitionData: [{ index: partition, records }] }]
  const { responses } = await peer.call(PRODUCE, { transactionalId, acks, timeoutMs: 1_000, topicData })
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
    const records = encoded(world, sent)
    if (acks === 0) await this.#tell({ topic, partition, records }, id)
    else await this.#deliver({ topic, partition, records, acks }, id)
  }

  async #tell({ topic, partition, records }: { topic: string; partition: number; records: Uint8Array }, id: number) {
    const topicData = [{ name: topic, partitionData: [{ index: partition, records }] }]
    await this.#peer.tell(PRODUCE, { acks: 0, timeoutMs: 1_000, topicData }).catch(ignoreUnavailable)
    this.#world.history.info(id)
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
      const answer = await produce(this.#peer, batch).catch(ignoreUnavailable)
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

/** A batch as a client encodes it; what a producer with a state says of it comes with `producer`. */
export function encoded(
  world: World,
  records: readonly { readonly key?: string; readonly value: string }[],
  producer: {
    readonly producerId?: number
    readonly producerEpoch?: number
    readonly baseSequence?: number
    readonly isTransactional?: boolean
  } = {},
): Uint8Array {
  const timestamp = world.clock.now()
  return encodeBatch({
    records: records.map(({ key, value }) => ({
      key: key === undefined ? null : Buffer.from(key),
      value: Buffer.from(value),
      timestamp,
    })),
    ...producer,
  })
}

export function ignoreUnavailable(error: unknown): undefined {
  if (!(error instanceof Unavailable)) throw error
}
