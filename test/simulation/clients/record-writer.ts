import { Producer, type ProducerOptions } from '../../../src/client/index.ts'
import { COMPRESSION_TYPES, KafkaError } from '../../../src/protocol/everything.ts'
import type { ClientWorld } from './client-world.ts'
import { TOPIC } from './settings.ts'

/** Without faults one of so many records is written, even if connections still hang. */
const LAST_TRIES = 12
const LONGEST_LINGER_MS = 20
/** In so much time a producer with patience has delivered everything, or never will. */
const PATIENCE_MS = 600_000

/** A producer that sends records one by one and in batches, until the world is ending; then everything has to be settled. */
export class RecordWriter {
  readonly #world: ClientWorld
  readonly #name: string
  readonly #isIdempotent: boolean
  readonly #sent = new Set<Promise<void>>()
  readonly #partitions: number
  #records = 0
  #lives = 0
  #acknowledgements = 0
  /** That of this life, by its name. */
  #producer = ''

  constructor(world: ClientWorld, name: string, { isIdempotent }: { readonly isIdempotent: boolean }) {
    this.#world = world
    this.#name = name
    this.#isIdempotent = isIdempotent
    this.#partitions = world.partitionsOf(TOPIC.plain)
  }

  async run(): Promise<void> {
    while (!this.#world.isEnding) await this.#live()
  }

  async #live(): Promise<void> {
    const world = this.#world
    this.#producer = `${this.#name}.${++this.#lives}`
    const producer = new Producer(producerOptions(world, this.#producer, { enableIdempotence: this.#isIdempotent }))
    const endMs = world.clock.monotonicMs() + 200 + world.random.below(2_000)
    while (!world.isEnding && world.clock.monotonicMs() < endMs) {
      for (let left = world.random.below(4); left > 0; left--) {
        if (world.chance(3)) this.#sendBatch(producer)
        else this.#send(producer)
      }
      await world.sleep(world.random.below(250))
    }
    if (world.chance(2)) await producer.flush()
    if (world.isEnding) await this.#goOn(producer)
    await producer.close()
    await Promise.all(this.#sent)
    if (producer.metrics.bufferBytes !== 0) world.fail(`${this.#name} keeps ${producer.metrics.bufferBytes} bytes`)
  }

  /** Whatever was given up before, without faults records are written again. */
  async #goOn(producer: Producer): Promise<void> {
    await Promise.all(this.#sent)
    const before = this.#acknowledgements
    for (let tries = 0; this.#acknowledgements === before; tries++) {
      if (tries === LAST_TRIES) return this.#world.fail(`${this.#producer} writes nothing any more`)
      this.#send(producer)
      await Promise.all(this.#sent)
    }
  }

  #send(producer: Producer): void {
    const partition = this.#world.random.below(this.#partitions)
    const { id, value } = this.#invoke(partition)
    const { retries } = producer.metrics
    this.#settle(
      producer.send(TOPIC.plain, { partition, value }).then(
        ({ offset }) => this.#acknowledged(id, offset, producer.metrics.retries - retries),
        error => this.#failed(id, error, producer.metrics.retries - retries),
      ),
    )
  }

  #sendBatch(producer: Producer): void {
    const partition = this.#world.random.below(this.#partitions)
    const operations = Array.from({ length: 1 + this.#world.random.below(5) }, () => this.#invoke(partition))
    const { retries } = producer.metrics
    const records = operations.map(({ value }) => ({ partition, value }))
    this.#settle(
      producer.sendBatch(TOPIC.plain, records).then(
        runs => {
          const first = runs[0]?.offset ?? -1
          for (const [index, { id }] of operations.entries()) {
            // Several runs are acknowledged one by one, and told of together.
            const isInDoubt = runs.length > 1 && this.#world.settings.durability === 'lossy'
            const offset = runs.length === 1 && first >= 0 ? first + index : -1
            this.#acknowledged(id, isInDoubt ? undefined : offset, producer.metrics.retries - retries)
          }
        },
        error => {
          for (const { id } of operations) this.#failed(id, error, producer.metrics.retries - retries)
        },
      ),
    )
  }

  #invoke(partition: number): { readonly id: number; readonly value: string } {
    const { history, settings } = this.#world
    const value = `${this.#name}:${++this.#records}`
    const id = history.invoke({
      kind: 'produce',
      producer: this.#producer,
      partition: `${TOPIC.plain}-${partition}`,
      records: [{ value }],
      isIdempotent: this.#isIdempotent,
      survives: settings.durability !== 'lossy',
    })
    return { id, value }
  }

  /** An offset that is undefined: the record may be gone by the time that it is told of. */
  #acknowledged(id: number, offset: number | undefined, retries: number): void {
    this.#world.count('acknowledged')
    this.#acknowledgements += 1
    this.#retried(id, retries)
    if (offset === undefined) this.#world.history.info(id)
    else this.#world.history.ok(id, offset < 0 ? {} : { offset })
  }

  #failed(id: number, error: unknown, retries: number): void {
    const world = this.#world
    if (!(error instanceof KafkaError)) world.fail(`${this.#name}: ${(error as Error).stack}`)
    else if (world.settings.isPatient) world.fail(`${this.#name} gives up: ${error.stack}`)
    world.count('given up')
    this.#retried(id, retries)
    world.history.info(id, String(error))
  }

  /** A producer that promises nothing may have written each copy that it sent. */
  #retried(id: number, retries: number): void {
    for (let left = retries; left > 0; left--) this.#world.history.retry(id)
    if (retries > 0) this.#world.count('sent again')
  }

  #settle(settled: Promise<void>): void {
    this.#sent.add(settled)
    void settled.then(() => this.#sent.delete(settled))
  }
}

/** Settings of producers as a seed draws them. */
export function producerOptions(world: ClientWorld, clientId: string, own: object): ProducerOptions {
  const { options } = world.client()
  const deliveryTimeoutMs = world.settings.isPatient
    ? PATIENCE_MS
    : world.oneOf([LONGEST_LINGER_MS + options.requestTimeoutMs, 6_000])
  return {
    ...options,
    clientId,
    batchSize: world.oneOf([60, 150, 16_384]),
    lingerMs: world.oneOf([0, 0, LONGEST_LINGER_MS]),
    bufferMemory: world.oneOf([1_000, 1 << 20]),
    maxInFlightRequestsPerConnection: 1 + world.random.below(5),
    compressionType: world.oneOf(COMPRESSION_TYPES),
    deliveryTimeoutMs,
    maxBlockMs: deliveryTimeoutMs,
    ...own,
  }
}
