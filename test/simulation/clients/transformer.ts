import { Consumer, type ConsumerBatch, type ConsumerRecord, Producer } from '../../../src/client/index.ts'
import { KafkaError } from '../../../src/protocol/everything.ts'
import type { ClientWorld } from './client-world.ts'
import { type GroupSettings, readerOptions } from './group-reader.ts'
import { producerOptions } from './record-writer.ts'
import { TOPIC, TRANSACTION_TIMEOUT_MS } from './settings.ts'
import { visit } from './visitor.ts'

/** The group of transformers. */
export const TRANSFORMERS = 'transformers'

export const transformersBy = (assignors: string): GroupSettings => ({
  group: TRANSFORMERS,
  topics: [TOPIC.transactional],
  isolation: 'committed',
  assignors,
  isStatic: false,
})

type Input = Pick<ConsumerRecord<string, string>, 'value' | 'topic' | 'partition' | 'offset'>

/** What an input record becomes: its value, and where it was. */
export const outputOf = ({ value, topic, partition, offset }: Input): string =>
  `${value}@${topic}-${partition}:${offset}`

/** What is written of it: two that transform the same record, one after the other, do not write the same. */
const writtenBy = (transaction: string, input: Input): string => `${outputOf(input)} by ${transaction}`

/** Which input record became what was read. */
export const inputOf = (written: string): string => written.slice(0, written.lastIndexOf(' by '))

/** What a transformer throws that has thought better of it. */
class Regret extends Error {}

/**
 * Consumes, writes what it makes of each batch, and commits how far it came in the same transaction. Now and then takes a transaction
 * back and goes back to where it began; begins anew after a failure.
 */
export class Transformer {
  readonly #world: ClientWorld
  readonly #name: string
  readonly #group: GroupSettings
  readonly #isOver: () => boolean
  /** Those who came into the group while this one worked. */
  readonly #visits = new Set<Promise<void>>()
  #lives = 0
  #transactions = 0

  constructor(world: ClientWorld, name: string, group: GroupSettings, isOver = () => world.isRead) {
    this.#world = world
    this.#name = name
    this.#group = group
    this.#isOver = isOver
  }

  async run(): Promise<void> {
    while (!this.#isOver()) await this.#live()
  }

  async #live(): Promise<void> {
    const world = this.#world
    const clientId = `${this.#name}.${++this.#lives}`
    const consumer = new Consumer<string, string>({
      ...world.client().options,
      ...readerOptions(world, this.#group),
      clientId,
      enableAutoCommit: false,
    })
    const producer = new Producer(
      producerOptions(world, clientId, {
        transactionalId: this.#name,
        transactionTimeoutMs: TRANSACTION_TIMEOUT_MS,
        maxBlockMs: world.oneOf([1_000, 20_000]),
      }),
    )
    const endMs = world.clock.monotonicMs() + 500 + world.random.below(3_000)
    // Batches end with the consumer alone.
    const watch = (): void => {
      const isOld = !world.isEnding && world.clock.monotonicMs() >= endMs
      if (isOld || this.#isOver()) void consumer.close()
      else timer = world.clock.schedule(50, watch)
    }
    let timer = world.clock.schedule(50, watch)
    try {
      await producer.initTransactions()
      consumer.subscribe([...this.#group.topics])
      for await (const batch of consumer.batches()) {
        try {
          await this.#transform(producer, consumer, batch)
          world.count('transformed')
        } catch (error) {
          if (!(error instanceof Regret)) throw error
          goBack(consumer, batch)
          world.count('transformed in vain')
        }
      }
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      world.line(`${clientId} begins anew: ${error.code} ${error.message}`)
      world.count('transformer ended')
      await world.sleep(world.random.below(200))
    }
    timer.cancel()
    await Promise.all([consumer.close(), producer.close({ timeoutMs: 5_000 }), ...this.#visits])
  }

  async #transform(
    producer: Producer,
    consumer: Consumer<string, string>,
    { topic, partition, records }: ConsumerBatch<string, string>,
  ): Promise<void> {
    const { isEnding, history, ledger } = this.#world
    const regrets = !isEnding && this.#world.chance(6)
    const dawdles = !isEnding && this.#world.chance(6) ? this.#world.oneOf(['before', 'within', 'always']) : 'never'
    if (dawdles === 'before' || dawdles === 'always') {
      if (this.#world.chance(2)) this.#letVisit()
      await this.#dawdle()
    }
    const transaction = `${this.#name}/${++this.#transactions}`
    const end = history.invoke({ kind: 'end', transaction, isCommit: !regrets })
    await producer.transaction(async () => {
      const sends = records.map(record => this.#send(producer, transaction, record))
      await Promise.all(sends)
      if (dawdles === 'within' || dawdles === 'always') await this.#dawdle()
      // Done with when the transaction is: whoever is told of a commit has to have worked on it.
      for (const { value } of records) ledger.call(this.#world, this.#group.group).done(value!)
      await producer.sendOffsets([{ topic, partition, offset: records.at(-1)!.offset + 1 }], consumer.groupMetadata)
      if (regrets) throw new Regret(transaction)
    })
    history.ok(end)
  }

  /** Somebody comes and goes, who may be given what this one works on. */
  #letVisit(): void {
    const visiting = visit(this.#world, this.#group).finally(() => this.#visits.delete(visiting))
    this.#visits.add(visiting)
  }

  /** Works on it, perhaps for longer than a member or a transaction may. */
  #dawdle(): Promise<void> {
    return this.#world.sleep(this.#world.random.below(2_500))
  }

  async #send(producer: Producer, transaction: string, record: ConsumerRecord<string, string>): Promise<void> {
    const { history } = this.#world
    const { partition } = record
    const value = writtenBy(transaction, record)
    const id = history.invoke({
      kind: 'produce',
      producer: transaction,
      partition: `${TOPIC.output}-${partition}`,
      records: [{ value }],
      transaction,
      isIdempotent: true,
      survives: true,
    })
    const { offset } = await producer.send(TOPIC.output, { partition, value })
    history.ok(id, offset < 0 ? {} : { offset })
  }
}

/** Reads a batch again, unless its partition went meanwhile. */
function goBack(
  consumer: Consumer<string, string>,
  { topic, partition, records }: ConsumerBatch<string, string>,
): void {
  const isAssigned = consumer.assignment.some(one => one.topic === topic && one.partition === partition)
  if (isAssigned) consumer.seek({ topic, partition }, records[0]!.offset)
}
