/** Producers that write numbered records through every fault, and the audit of what they were promised. */
import assert from 'node:assert/strict'
import * as p from '../../src/protocol/everything.ts'
import { sleep, until } from '../compat/process.ts'
import { ProtocolClient } from '../compat/protocol-client.ts'
import { readPartition } from './partition-reader.ts'

const PRODUCE = [p.ProduceRequest, p.ProduceResponse] as const
const INIT = [p.InitProducerIdRequest, p.InitProducerIdResponse] as const

/** What each append of a load holds. */
export const RECORDS_A_BATCH = 5
const RETRY_PAUSE_MS = 5

interface Acknowledged {
  readonly partition: number
  readonly baseOffset: number
  readonly first: number
}

/** What an audit counted. */
export interface Audit {
  /** Records whose append was acknowledged. */
  readonly acknowledged: number
  /** Records that are in the log. */
  readonly stored: number
}

/**
 * An idempotent producer for each partition of a topic, each with one batch under way. A batch without an answer is sent
 * again until it has one, so that the log must hold the numbers 0, 1, 2, ... without a gap or a repetition.
 */
export class IdempotentLoad {
  readonly #port: number
  readonly #topic: string
  readonly #payload: string
  readonly #acknowledged: Acknowledged[] = []
  readonly #partitions: number
  #loops: Promise<void>[] = []
  #stopping = false
  /** Names of the errors that appends were answered with, and how often. */
  readonly errors = new Map<string, number>()
  /** How often a connection broke under a request. */
  broken = 0

  constructor(port: number, topic: { name: string; partitions: number }, payloadBytes = 100) {
    this.#port = port
    this.#topic = topic.name
    this.#partitions = topic.partitions
    this.#payload = 'x'.repeat(payloadBytes)
  }

  get acknowledged(): number {
    return this.#acknowledged.length * RECORDS_A_BATCH
  }

  /** Records acknowledged in one partition. */
  acknowledgedIn(partition: number): number {
    return this.#acknowledged.filter(entry => entry.partition === partition).length * RECORDS_A_BATCH
  }

  async start(): Promise<void> {
    const client = await ProtocolClient.open(this.#port)
    for (let partition = 0; partition < this.#partitions; partition++) {
      const answer = await client.ask(INIT, 4, { transactionalId: null, transactionTimeoutMs: 60_000 })
      assert.equal(p.errorName(answer.errorCode), 'NONE')
      this.#loops.push(this.#loop(partition, answer.producerId))
    }
    client.close()
  }

  /** Waits for this many more acknowledged records; rejects when they do not come. */
  async more(records: number): Promise<void> {
    const wanted = this.acknowledged + records
    await until(
      () => `${this.acknowledged} of ${wanted} records acknowledged; ${JSON.stringify([...this.errors])}`,
      () => this.acknowledged >= wanted,
      2,
    )
  }

  /** Ends the load; what is under way may stay without an answer. */
  async stop(): Promise<void> {
    this.#stopping = true
    await Promise.all(this.#loops)
    this.#loops = []
  }

  /** Reads everything and compares: every acknowledged record at its offset, each number once, in order. */
  async audit(): Promise<Audit> {
    let stored = 0
    for (let partition = 0; partition < this.#partitions; partition++) {
      const records = await readPartition(this.#port, { topic: this.#topic, partition })
      const numbers = records.map(({ value }) => Number.parseInt(value, 10))
      const wrong = numbers.findIndex((number, index) => number !== index)
      assert.equal(wrong, -1, `${this.#topic}-${partition} has ${numbers[wrong]} in place of ${wrong}`)
      const offsets = new Map(records.map(({ offset }, index) => [offset, numbers[index]]))
      for (const { baseOffset, first } of this.#acknowledged.filter(entry => entry.partition === partition)) {
        for (let index = 0; index < RECORDS_A_BATCH; index++) {
          const found = offsets.get(baseOffset + index)
          assert.equal(found, first + index, `${this.#topic}-${partition} lost offset ${baseOffset + index}`)
        }
      }
      stored += records.length
    }
    return { acknowledged: this.acknowledged, stored }
  }

  async #loop(partition: number, producerId: number): Promise<void> {
    let client: ProtocolClient | undefined
    for (let first = 0; !this.#stopping; first += RECORDS_A_BATCH) {
      const records = this.#batch(first, producerId)
      for (;;) {
        try {
          client ??= await ProtocolClient.open(this.#port)
          const outcome = await produce(client, { topic: this.#topic, partition, records })
          if (outcome.error === 'NONE') {
            this.#acknowledged.push({ partition, baseOffset: outcome.baseOffset, first })
            break
          }
          this.errors.set(outcome.error, 1 + (this.errors.get(outcome.error) ?? 0))
        } catch {
          client?.close()
          client = undefined
          this.broken++
        }
        if (this.#stopping) break
        await sleep(RETRY_PAUSE_MS)
      }
    }
    client?.close()
  }

  #batch(first: number, producerId: number): Uint8Array {
    const records = Array.from({ length: RECORDS_A_BATCH }, (_, index) => ({
      value: Buffer.from(`${first + index} ${this.#payload}`),
      timestamp: Date.now(),
    }))
    return p.encodeBatch({ records, producerId, producerEpoch: 0, baseSequence: first })
  }
}

/** Where a batch goes. */
export interface Append {
  readonly topic: string
  readonly partition: number
  readonly records: Uint8Array
  readonly transactionalId?: string
}

/** Appends with `acks=all`; gives the name of the error and the offset. */
export async function produce(
  client: ProtocolClient,
  append: Append,
  version = 8,
): Promise<{ error: string; baseOffset: number }> {
  const { topic, partition, records, transactionalId = null } = append
  const topicData = [{ name: topic, partitionData: [{ index: partition, records }] }]
  const answer = await client.ask(PRODUCE, version, { transactionalId, acks: -1, timeoutMs: 10_000, topicData })
  const { errorCode, baseOffset } = answer.responses[0]!.partitionResponses[0]!
  return { error: p.errorName(errorCode), baseOffset }
}
