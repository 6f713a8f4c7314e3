/** A transactional producer that says each step itself, so that a fault can come between any two of them. */
import * as p from '../../src/protocol/everything.ts'
import { sleep } from '../compat/process.ts'
import { ProtocolClient } from '../compat/protocol-client.ts'
import { produce } from './idempotent-load.ts'

const FIND = [p.FindCoordinatorRequest, p.FindCoordinatorResponse] as const
const INIT = [p.InitProducerIdRequest, p.InitProducerIdResponse] as const
const ADD = [p.AddPartitionsToTxnRequest, p.AddPartitionsToTxnResponse] as const
const END = [p.EndTxnRequest, p.EndTxnResponse] as const

const RETRIABLE = [
  'COORDINATOR_NOT_AVAILABLE',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'CONCURRENT_TRANSACTIONS',
  'NOT_COORDINATOR',
]
const MAX_TRIES = 500
const PAUSE_MS = 10

export class TransactionClient {
  readonly #port: number
  readonly #id: string
  readonly #timeoutMs: number
  readonly #sequences = new Map<number, number>()
  #client: ProtocolClient | undefined
  producerId = -1
  producerEpoch = -1

  constructor(port: number, id: string, timeoutMs = 60_000) {
    this.#port = port
    this.#id = id
    this.#timeoutMs = timeoutMs
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
    const { producerId, producerEpoch } = this
    const body = {
      v3AndBelowTransactionalId: this.#id,
      v3AndBelowProducerId: producerId,
      v3AndBelowProducerEpoch: producerEpoch,
      v3AndBelowTopics: [{ name: topic, partitions: [...partitions] }],
    }
    const added = await this.#retried(async client => {
      const answer = await client.ask(ADD, 2, body)
      return answer.resultsByTopicV3AndBelow[0]!.resultsByPartition[0]!.partitionErrorCode
    })
    if (added !== 'NONE') return [added]
    const errors: string[] = []
    for (const partition of partitions) {
      const baseSequence = this.#sequences.get(partition) ?? 0
      const content = [{ value: Buffer.from(value), timestamp: Date.now() }]
      const batch = { records: content, producerId, producerEpoch, baseSequence, isTransactional: true }
      const records = p.encodeBatch(batch)
      const append = { topic, partition, records, transactionalId: this.#id }
      const { error } = await produce(await this.#connected(), append)
      if (error === 'NONE') this.#sequences.set(partition, baseSequence + 1)
      errors.push(error)
    }
    return errors
  }

  /** Commits or aborts; gives the name of the error. Rejects when the connection breaks before the answer. */
  end(committed: boolean): Promise<string> {
    const { producerId, producerEpoch } = this
    const body = { transactionalId: this.#id, producerId, producerEpoch, committed }
    return this.#retried(async client => (await client.ask(END, 2, body)).errorCode)
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
