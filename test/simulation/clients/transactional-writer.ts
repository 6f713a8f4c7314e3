import { Producer } from '../../../src/client/index.ts'
import { KafkaError } from '../../../src/protocol/everything.ts'
import type { ClientWorld } from './client-world.ts'
import { producerOptions } from './record-writer.ts'
import { TOPIC, TRANSACTION_TIMEOUT_MS } from './settings.ts'

/** Writes in transactions under an id that others may use too: whoever is fenced begins anew as another producer. */
export class TransactionalWriter {
  readonly #world: ClientWorld
  readonly #name: string
  readonly #transactionalId: string
  #lives = 0
  #transactions = 0
  /** That the producer of this life knows of. */
  #partitions = 0

  constructor(world: ClientWorld, name: string, transactionalId: string) {
    this.#world = world
    this.#name = name
    this.#transactionalId = transactionalId
  }

  async run(): Promise<void> {
    const world = this.#world
    while (!world.isEnding) {
      const life = `${this.#name}.${++this.#lives}`
      this.#partitions = world.partitionsOf(TOPIC.transactional)
      const producer = new Producer(
        producerOptions(world, life, {
          transactionalId: this.#transactionalId,
          transactionTimeoutMs: TRANSACTION_TIMEOUT_MS,
          maxBlockMs: world.oneOf([1_000, 20_000]),
        }),
      )
      try {
        await producer.initTransactions()
        while (!world.isEnding) {
          await this.#transact(producer, life)
          await world.sleep(world.random.below(200))
        }
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error
        world.line(`${life} ends: ${error.code} ${error.message}`)
        world.count('transactional producer ended')
        await world.sleep(world.random.below(300))
      }
      await producer.close({ timeoutMs: 5_000 })
    }
  }

  /** @throws what ends the producer */
  async #transact(producer: Producer, life: string): Promise<void> {
    const world = this.#world
    const transaction = `${life}/${++this.#transactions}`
    producer.beginTransaction()
    const sends = Array.from({ length: 1 + world.random.below(5) }, (_, index) =>
      this.#send(producer, { life, transaction, value: `${transaction}:${index}` }),
    )
    if (world.chance(2)) await world.sleep(world.random.below(200))
    if (world.chance(2)) await Promise.all(sends)
    const isCommit = !world.chance(4)
    const end = world.history.invoke({ kind: 'end', transaction, isCommit })
    try {
      if (!isCommit) await producer.abortTransaction()
      else await producer.commitTransaction()
    } catch (error) {
      const areSent = (await Promise.all(sends)).every(Boolean)
      if (!areSent) world.history.fail(end, String(error))
      else world.history.info(end, String(error))
      if (areSent || !isCommit) throw error
      // A record is missing: the commit was never asked for.
      await producer.abortTransaction()
      world.count('aborted after failure')
      return
    }
    if (isCommit && !(await Promise.all(sends)).every(Boolean))
      world.fail(`${transaction} is committed without all its records`)
    world.history.ok(end)
    world.count(isCommit ? 'committed' : 'aborted')
  }

  async #send(
    producer: Producer,
    { life, transaction, value }: { readonly life: string; readonly transaction: string; readonly value: string },
  ): Promise<boolean> {
    const world = this.#world
    const partition = world.random.below(this.#partitions)
    const id = world.history.invoke({
      kind: 'produce',
      producer: life,
      partition: `${TOPIC.transactional}-${partition}`,
      records: [{ value }],
      transaction,
      isIdempotent: true,
      survives: world.settings.durability !== 'lossy',
    })
    try {
      const { offset } = await producer.send(TOPIC.transactional, { partition, value })
      world.history.ok(id, offset < 0 ? {} : { offset })
      return true
    } catch (error) {
      world.count('given up')
      world.history.info(id, String(error))
      return false
    }
  }
}
