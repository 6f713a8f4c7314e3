/** A transactional producer that says each step itself, so that a fault can come between any two of them. */
import * as p from '../../src/protocol/everything.ts'
import { sleep } from '../compat/process.ts'
import { ProtocolClient } from '../compat/protocol-client.ts'
import { produce } from './idempotent-load.ts'

const FIND = [p.FindCoordinatorRequest, p.FindCoordinatorResponse] as const
const INIT = [p.InitProducerIdRequest, p.InitProducerIdResponse] as const
const ADD = [p.AddPartitionsToTxnRequest, p.AddPartitionsToTxnResponse] as const
const ADD_OFFSETS = [p.AddOffsetsToTxnRequest, p.AddOffsetsToTxnResponse] as const
const OFFSETS = [p.TxnOffsetCommitRequest, p.TxnOffsetCommitResponse] as const
const END = [p.EndTxnRequest, p.EndTxnResponse] as const

const RETRIABLE = [
  'COORDINATOR_NOT_AVAILABLE',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'CONCURRENT_TRANSACTIONS',
  'NOT_COORDINATOR',
]
const MAX_TRIES = 500
const PAUSE_MS = 10

/** What a record holds; a null value takes the key back. */
export interface KeyedValue {
  readonly key?: string
  readonly value: string | null
}

/** `transaction.version` 2 (KIP-890): partitions are not named before, and an end brings the next epoch. */
const SECOND_PROTOCOL = 2
const [FIRST_PRODUCE, SECOND_PRODUCE] = [8, 12]

export class TransactionClient {
  #port: number
  readonly #id: string
  readonly #timeoutMs: number
  readonly #version: number
  /** The next sequence by topic and partition. */
  readonly #sequences = new Map<string, number>()
  #client: ProtocolClient | undefined
  producerId = -1
  producerEpoch = -1

  constructor(port: number, id: string, timeoutMs = 60_000, version = 0) {
    this.#port = port
    this.#id = id
    this.#timeoutMs = timeoutMs
    this.#version = version
  }

  /** Takes the transactional id over: whoever had it before is fenced. */
  async init(): Promise<void> {
    const key = { key: this.#id, keyType: 1 }
    await this.#insist(async client => (await client.ask(FIND, 1, key)).errorCode)
    await this.#insist(async client => {
      const body = { transactionalId: this.#id, transactionTimeoutMs: this.#timeoutMs }
      const answer = await client.ask(INIT, 2, body)
      this.producerId = answer.producerId
      this.producerEpoch = answer.producerEpoch
      return answer.errorCode
    })
    this.#sequences.clear()
  }

  /** Sends a record to each of these partitions of a topic, in the transaction under way; gives the errors. */
  async send(topic: string, partitions: readonly number[], value: string): Promise<string[]> {
    const added = await this.#add(topic, partitions)
    if (added !== 'NONE') return [added]
    const errors: string[] = []
    for (const partition of partitions) errors.push((await this.#append(topic, partition, [{ value }])).error)
    return errors
  }

  /** Sends one batch to a partition, in the transaction under way; gives the error and the first offset. */
  async append(
    topic: string,
    partition: number,
    records: readonly KeyedValue[],
  ): Promise<{ error: string; baseOffset: number }> {
    const error = await this.#add(topic, [partition])
    return error === 'NONE' ? this.#append(topic, partition, records) : { error, baseOffset: -1 }
  }

  async #add(topic: string, partitions: readonly number[]): Promise<string> {
    if (this.#version >= SECOND_PROTOCOL) return 'NONE'
    const body = {
      v3AndBelowTransactionalId: this.#id,
      v3AndBelowProducerId: this.producerId,
      v3AndBelowProducerEpoch: this.producerEpoch,
      v3AndBelowTopics: [{ name: topic, partitions: [...partitions] }],
    }
    return this.#retried(async client => {
      const answer = await client.ask(ADD, 2, body)
      return answer.resultsByTopicV3AndBelow[0]!.resultsByPartition[0]!.partitionErrorCode
    })
  }

  async #append(
    topic: string,
    partition: number,
    content: readonly KeyedValue[],
  ): Promise<{ error: string; baseOffset: number }> {
    const { producerId, producerEpoch } = this
    const name = `${topic}-${partition}`
    const baseSequence = this.#sequences.get(name) ?? 0
    const timestamp = Date.now()
    const bytes = (text: string | null): Buffer | null => (text === null ? null : Buffer.from(text))
    const records = p.encodeBatch({
      records: content.map(({ key = null, value }) => ({ key: bytes(key), value: bytes(value), timestamp })),
      producerId,
      producerEpoch,
      baseSequence,
      isTransactional: true,
    })
    const append = { topic, partition, records, transactionalId: this.#id }
    const version = this.#version >= SECOND_PROTOCOL ? SECOND_PRODUCE : FIRST_PRODUCE
    const answer = await produce(await this.#connected(), append, version)
    if (answer.error === 'NONE') this.#sequences.set(name, baseSequence + content.length)
    return answer
  }

  /** Commits a group's offset in the transaction under way; gives the name of the error. */
  async sendOffset(groupId: string, { topic, offset }: { topic: string; offset: number }): Promise<string> {
    const { producerId, producerEpoch } = this
    const body = { transactionalId: this.#id, producerId, producerEpoch, groupId }
    const added = await this.#retried(async client => (await client.ask(ADD_OFFSETS, 2, body)).errorCode)
    if (added !== 'NONE') return added
    const topics = [{ name: topic, partitions: [{ partitionIndex: 0, committedOffset: offset }] }]
    return this.#retried(async client => {
      const answer = await client.ask(OFFSETS, 2, { ...body, topics })
      return answer.topics[0]!.partitions[0]!.errorCode
    })
  }

  /** Commits or aborts; gives the name of the error. Rejects when the connection breaks before the answer. */
  end(committed: boolean): Promise<string> {
    const { producerId, producerEpoch } = this
    const body = { transactionalId: this.#id, producerId, producerEpoch, committed }
    if (this.#version >= SECOND_PROTOCOL) {
      return this.#retried(async client => {
        const answer = await client.ask(END, 5, body)
        if (answer.errorCode === 0) {
          this.producerId = answer.producerId
          this.producerEpoch = answer.producerEpoch
          this.#sequences.clear()
        }
        return answer.errorCode
      })
    }
    return this.#retried(async client => (await client.ask(END, 2, body)).errorCode)
  }

  /** Connects now, so that the next request is on its way at once. */
  async connect(): Promise<void> {
    await this.#connected()
  }

  /** Goes on with another broker, as the producer that it is. */
  moveTo(port: number): void {
    this.close()
    this.#port = port
  }

  close(): void {
    this.#client?.close()
    this.#client = undefined
  }

  async #connected(): Promise<ProtocolClient> {
    this.#client ??= await ProtocolClient.open(this.#port)
    return this.#client
  }

  /** Asks until the answer is none of those that pass; gives its name. */
  async #retried(ask: (client: ProtocolClient) => Promise<number>): Promise<string> {
    for (let attempt = 0; ; attempt++) {
      const error = p.errorName(await ask(await this.#connected()))
      if (!RETRIABLE.includes(error) || attempt > MAX_TRIES) return error
      await sleep(PAUSE_MS)
    }
  }

  async #insist(ask: (client: ProtocolClient) => Promise<number>): Promise<void> {
    const error = await this.#retried(ask)
    if (error !== 'NONE') throw new Error(`${this.#id}: ${error}`)
  }
}
