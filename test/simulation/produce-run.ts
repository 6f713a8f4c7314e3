/**
 * A producer under random schedules: connections that break between request and answer, refusals before and after the append,
 * answers that take long. One seed decides everything. Each record has to be in the log once and in the order of the sends.
 */
import assert from 'node:assert/strict'
import { WireClient } from '../../scripts/fuzz/wire-client.ts'
import { handled, type KafkaServer, type RequestInterceptor } from '../../src/broker/index.ts'
import { Producer, type ProducerOptions, type RecordMetadata } from '../../src/client/index.ts'
import { type Random, SimulatedClock, seededRandom, sleep } from '../../src/platform/index.ts'
import { batches, COMPRESSION_TYPES, decodeRecords, type ErrorName, KafkaError } from '../../src/protocol/index.ts'
import { FetchRequest, FetchResponse } from '../../src/protocol/messages/01-fetch.ts'
import { driven, SimulatedBroker } from '../../src/testing/simulated-broker.ts'
import { cuttingNetwork } from './cutting-network.ts'

/** What the runs have seen, to know that they looked where it hurts. */
export interface ProduceReport {
  records: number
  cuts: number
  refusals: number
  lostAnswers: number
  retries: number
}

const PROPERTIES = {
  'num.partitions': '3',
  'message.max.bytes': '300',
}
const PARTITIONS = 3
const REFUSALS: readonly ErrorName[] = ['NOT_LEADER_OR_FOLLOWER', 'NOT_ENOUGH_REPLICAS', 'KAFKA_STORAGE_ERROR']
const LIMITS = { maxBytes: 1 << 20 }

/** One broker on simulated time, on which many seeds are run, each with a topic of its own. */
export class ProduceSimulation {
  readonly #clock = new SimulatedClock()
  readonly #report: ProduceReport
  readonly #broker = new SimulatedBroker({
    clock: this.#clock,
    random: seededRandom(1),
    properties: PROPERTIES,
    // Refusals of the interceptor are no errors of the broker.
    onError: () => {},
    onHalt: () => assert.fail('the broker halted'),
    interceptor: (handler, request, context) => this.#intercept(handler, request, context),
  })
  #server: KafkaServer | undefined
  #random: Random = seededRandom(0)
  #faultsLeft = 0

  constructor(report: ProduceReport) {
    this.#report = report
  }

  async start(): Promise<void> {
    this.#server = await driven(this.#clock, this.#broker.ready)
  }

  /** Runs one seed. */
  async run(seed: number): Promise<void> {
    const random = seededRandom(seed)
    this.#random = random
    this.#faultsLeft = random.below(12)
    const topic = `seed-${seed}`
    const producer = new Producer(this.#options(random))
    try {
      await this.#exercise(producer, topic)
    } finally {
      await driven(this.#clock, producer.close({ timeoutMs: 0 }))
    }
  }

  async #exercise(producer: Producer, topic: string): Promise<void> {
    const random = this.#random
    const sent: string[][] = Array.from({ length: PARTITIONS }, () => [])
    const promises: Promise<RecordMetadata>[] = []
    const rounds = 1 + random.below(12)
    for (let round = 0; round < rounds; round++) {
      for (let left = random.below(30); left > 0; left--) {
        const partition = random.below(PARTITIONS)
        const value = `${partition} ${sent[partition]!.length}`
        sent[partition]!.push(value)
        promises.push(producer.send(topic, { partition, value }))
      }
      await this.#clock.advance(random.below(3) === 0 ? random.below(300) : 0)
    }
    const results = await driven(this.#clock, Promise.all(promises))
    this.#report.records += results.length
    this.#report.retries += producer.metrics.retries
    this.#faultsLeft = 0
    for (let partition = 0; partition < PARTITIONS && results.length > 0; partition++) {
      const values = await this.#read(topic, partition)
      assert.deepEqual(values, sent[partition], `partition ${partition}`)
      const offsets = results.filter(result => result.partition === partition).map(({ offset }) => offset)
      for (const [index, offset] of offsets.entries()) assert.ok(offset === index || offset === -1, `offset ${offset}`)
    }
  }

  #options(random: Random): ProducerOptions {
    const bytesOf = (): number => {
      if (this.#faultsLeft === 0 || random.below(2) === 0) return Number.POSITIVE_INFINITY
      this.#faultsLeft -= 1
      return 400 + random.below(1_500)
    }
    const network = cuttingNetwork(this.#broker.network, bytesOf, () => {
      this.#report.cuts += 1
    })
    return {
      bootstrapServers: `127.0.0.1:${this.#server!.listeners[0]!.port}`,
      platform: { network, clock: this.#clock, random },
      batchSize: 100 + random.below(400),
      lingerMs: random.below(3) * 10,
      bufferMemory: 1_000 + random.below(20_000),
      maxInFlightRequestsPerConnection: 1 + random.below(5),
      compressionType: COMPRESSION_TYPES[random.below(COMPRESSION_TYPES.length)]!,
      requestTimeoutMs: 2_000,
      deliveryTimeoutMs: 1_000_000,
      maxBlockMs: 1_000_000,
    }
  }

  /** Stands before the broker: refuses, does it and says that it failed, takes its time, or is silent. */
  readonly #intercept: RequestInterceptor = (handler, request, context) => {
    if (handler.name !== 'Produce' || this.#faultsLeft === 0 || this.#random.below(3) > 0) {
      return handled(handler, request, context)
    }
    this.#faultsLeft -= 1
    return this.#faulty(
      this.#random.below(4),
      async () => handled(handler, request, context),
      () => context.connection.close(),
    )
  }

  async #faulty(
    kind: number,
    proceed: () => Promise<object | undefined>,
    disconnect: () => void,
  ): Promise<object | undefined> {
    switch (kind) {
      case 0:
        this.#report.refusals += 1
        throw new KafkaError(REFUSALS[this.#random.below(REFUSALS.length)]!)
      case 1:
        this.#report.lostAnswers += 1
        await proceed()
        throw new KafkaError('NOT_ENOUGH_REPLICAS_AFTER_APPEND')
      case 2:
        this.#report.lostAnswers += 1
        await proceed()
        disconnect()
        return undefined
      default: {
        const answer = await proceed()
        await sleep(this.#clock, this.#random.below(4_000))
        return answer
      }
    }
  }

  async #read(topic: string, partition: number): Promise<string[]> {
    const connection = await this.#broker.network.connect('127.0.0.1', this.#server!.listeners[0]!.port, 1_000)
    const client = new WireClient(connection, turn => this.#clock.advance(turn === 0 ? 0 : 20))
    const { responses } = await client.call([FetchRequest, FetchResponse] as const, 11, {
      maxBytes: 1 << 20,
      topics: [{ topic, partitions: [{ partition, fetchOffset: 0, partitionMaxBytes: 1 << 20 }] }],
    })
    client.close()
    const bytes = responses[0]?.partitions[0]?.records ?? new Uint8Array()
    const values: string[] = []
    for (const batch of batches(bytes)) {
      for (const { value } of decodeRecords(bytes, batch, LIMITS)) values.push(Buffer.from(value ?? []).toString())
    }
    return values
  }
}
