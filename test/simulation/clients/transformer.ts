import {
  Consumer,
  type ConsumerBatch,
  type ConsumerRecord,
  type GroupMetadata,
  Producer,
} from '../../../src/client/index.ts'
import { KafkaError } from '../../../src/protocol/everything.ts'
import type { ClientWorld } from './client-world.ts'
import { type GroupSettings, readerOptions } from './group-reader.ts'
import { producerOptions } from './record-writer.ts'
import { TOPIC, TRANSACTION_TIMEOUT_MS } from './settings.ts'

export const TRANSFORMERS: GroupSettings = {
  group: 'transformers',
  topics: [TOPIC.transactional],
  isolation: 'committed',
  assignors: 'range',
}

/** What an input record becomes: its value, and where it was. */
export const outputOf = ({ value, topic, partition, offset }: ConsumerRecord<string, string>): string =>
  `${value}@${topic}-${partition}:${offset}`

/** Consumes, writes what it makes of each batch, and commits how far it came in the same transaction. Begins anew after a failure. */
export class Transformer {
  readonly #world: ClientWorld
  readonly #name: string
  readonly #isOver: () => boolean
  #lives = 0
  #transactions = 0

  constructor(world: ClientWorld, name: string, isOver = () => world.isRead) {
    this.#world = world
    this.#name = name
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
      ...readerOptions(world, TRANSFORMERS),
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
    // Batches end with the consumer alone.
    const watch = (): void => {
      if (this.#isOver()) void consumer.close()
      else timer = world.clock.schedule(50, watch)
    }
    let timer = world.clock.schedule(50, watch)
    try {
      await producer.initTransactions()
      consumer.subscribe([...TRANSFORMERS.topics])
      for await (const batch of consumer.batches()) {
        await this.#transform(producer, consumer.groupMetadata, batch)
        world.count('transformed')
      }
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      world.line(`${clientId} begins anew: ${error.code} ${error.message}`)
      world.count('transformer ended')
      await world.sleep(world.random.below(200))
    }
    timer.cancel()
    await Promise.all([consumer.close(), producer.close({ timeoutMs: 5_000 })])
  }

  async #transform(
    producer: Producer,
    group: GroupMetadata,
    { topic, partition, records }: ConsumerBatch<string, string>,
  ): Promise<void> {
    const { history, ledger } = this.#world
    const transaction = `${this.#name}/${++this.#transactions}`
    const end = history.invoke({ kind: 'end', transaction, isCommit: true })
    await producer.transaction(async () => {
      const sends = records.map(record => this.#send(producer, transaction, record))
      await Promise.all(sends)
      // Done with when the transaction is: whoever is told of a commit has to have worked on it.
      for (const { value } of records) ledger.call(this.#world, TRANSFORMERS.group).done(value!)
      await producer.sendOffsets([{ topic, partition, offset: records.at(-1)!.offset + 1 }], group)
    })
    history.ok(end)
  }

  async #send(producer: Producer, transaction: string, record: ConsumerRecord<string, string>): Promise<void> {
    const { history } = this.#world
    const { partition } = record
    const value = outputOf(record)
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
