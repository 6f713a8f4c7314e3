import { committedOffset } from './group-offsets.ts'
import { ignoreUnavailable } from './plain-producer.ts'
import { readOnce } from './reading.ts'
import { TOPIC, TRANSACTION_TIMEOUT_MS } from './settings.ts'
import { Abandoned, TransactionalSession } from './transactional-session.ts'
import type { World } from './world.ts'

/** Makes transactions, and leaves some of them to their timeout; a second process takes the id now and then. */
export class TransactionalProducer {
  readonly #world: World
  readonly #id: string
  #processes = 0
  #running = 0

  constructor(world: World, id: string) {
    this.#world = world
    this.#id = id
  }

  async run(): Promise<void> {
    const world = this.#world
    const processes: Promise<void>[] = []
    while (!world.isEnding) {
      // Whoever is still there is a zombie from now on.
      if (this.#running === 0 || world.chance(12)) processes.push(this.#process())
      await world.sleep(200 + world.random.below(500))
    }
    await Promise.all(processes)
  }

  async #process(): Promise<void> {
    const world = this.#world
    this.#processes += 1
    this.#running += 1
    const name = `${this.#id}.${this.#processes}`
    const session = new TransactionalSession(world, this.#id, name)
    let sent = 0
    try {
      await session.init()
      while (!world.isEnding) {
        for (let batches = 1 + world.random.below(4); batches > 0; batches--) {
          const values = Array.from({ length: 1 + world.random.below(2) }, () => `${name}.${sent++}`)
          const more = session.hasOwnEpoch && world.chance(2) ? [[`${name}.${sent++}`], [`${name}.${sent++}`]] : []
          await session.send(TOPIC.transactional, world.random.below(2), values, ...more)
          await world.sleep(world.random.below(200))
        }
        if (world.chance(8)) await world.sleep(world.random.below(2 * TRANSACTION_TIMEOUT_MS))
        if (world.chance(12)) throw new Abandoned('dies')
        const givesUp = session.hasOwnEpoch && world.chance(3)
        if (givesUp) session.giveUp(TOPIC.transactional, world.random.below(2), [`${name}.${sent++}`])
        await session.end(!givesUp && !world.chance(4))
        await world.sleep(world.random.below(300))
      }
    } catch (error) {
      if (!(error instanceof Abandoned)) throw error
    } finally {
      this.#running -= 1
      session.close()
    }
  }
}

/** The group whose offsets {@link Transformer} commits. */
export const TRANSFORMER_GROUP = 'transformer'

/** Its input. */
export const TRANSFORMED = { topic: TOPIC.plain, partition: 0, isTransactional: true } as const

/** Consumes, transforms and produces: each record of the input has to be in the output once, whatever happens. */
export class Transformer {
  readonly #world: World
  #processes = 0

  constructor(world: World) {
    this.#world = world
  }

  async run(): Promise<void> {
    const late: Promise<void>[] = []
    while (!this.#world.isEnding) {
      // The next one may begin while this one has not ended its last transaction.
      await new Promise<void>((resolve, reject) => {
        const process = this.#process(resolve)
        late.push(process)
        process.then(resolve, reject)
      })
      await this.#world.sleep(100)
    }
    await Promise.all(late)
  }

  async #process(letGo: () => void): Promise<void> {
    this.#processes += 1
    // With another id it does not end what the process before it has left, and has to wait for it.
    const id = this.#world.oneOf(['transformer-a', 'transformer-b'])
    const session = new TransactionalSession(this.#world, id, `${id}.${this.#processes}`)
    try {
      await session.init()
      while (!this.#world.isEnding) await this.#step(session, letGo)
    } catch (error) {
      if (!(error instanceof Abandoned)) throw error
    } finally {
      session.close()
    }
  }

  async #step(session: TransactionalSession, letGo: () => void): Promise<void> {
    const world = this.#world
    const committed = await committedOffset(world, session.peer, TRANSFORMER_GROUP, TRANSFORMED)
    if (committed === undefined) throw new Abandoned('no offset')
    const { topic, partition } = TRANSFORMED
    const place = { topic, partition, isolation: 'committed', offset: Math.max(committed, 0), maxBytes: 300 } as const
    const reading = await readOnce(world, session.peer, place).catch(ignoreUnavailable)
    if (reading?.errorCode !== 0 || reading.records.length === 0) {
      await world.sleep(300)
      return
    }
    const values = reading.records.map(({ value, offset }) => `${value}@${offset}>${session.transaction}`)
    await session.send(TOPIC.output, 0, values)
    await session.sendOffset(TRANSFORMER_GROUP, { topic, partition, offset: reading.next })
    if (world.chance(10)) throw new Abandoned('dies')
    const isLast = world.chance(5)
    if (isLast) {
      letGo()
      await world.sleep(world.random.below(1_000))
    }
    await session.end(!world.chance(5))
    if (isLast) throw new Abandoned('has another in its place')
    await world.sleep(world.random.below(200))
  }
}
