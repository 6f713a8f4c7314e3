/**
 * What producers of every kind write into a compacted topic: the same batches in the same order for every broker, so
 * that two logs have the same records at the same offsets.
 */
import { type Random, seededRandom } from '../../src/platform/index.ts'
import {
  type CompressionType,
  encodeBatch,
  ProduceRequest,
  ProduceResponse,
  type RecordInput,
  WriteTxnMarkersRequest,
  WriteTxnMarkersResponse,
} from '../../src/protocol/everything.ts'
import type { ProtocolClient } from './protocol-client.ts'

const PRODUCE = [ProduceRequest, ProduceResponse] as const
const MARK = [WriteTxnMarkersRequest, WriteTxnMarkersResponse] as const
const CODECS: readonly CompressionType[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const KEYS = 40
const IDEMPOTENT = [100, 101, 102]
const TRANSACTIONAL = [200, 201, 202, 203]
const TIME = 1_700_000_000_000
const TOMBSTONES = 0.2
const PATIENCE_MS = 20_000

/** Writes into one topic. */
export class CompactionLoad {
  readonly #client: ProtocolClient
  readonly #topic: string
  readonly #random: Random
  readonly #sequences = new Map<number, number>()
  readonly #open = new Set<number>()
  readonly #counts = { tombstones: 0, aborted: 0, committed: 0 }

  /** What is written follows from `seed` alone. */
  constructor(client: ProtocolClient, topic: string, seed: number) {
    this.#client = client
    this.#topic = topic
    this.#random = seededRandom(seed)
  }

  /** What was written so far, as far as a test wants to know that it was. */
  get counts(): Readonly<Record<'tombstones' | 'aborted' | 'committed', number>> {
    return this.#counts
  }

  /** Writes so many batches, markers between them; no transaction is open in the end. */
  async write(batches: number): Promise<void> {
    for (let batch = 0; batch < batches; batch++) {
      const kind = this.#random.below(4)
      if (kind === 0) await this.#send(this.#records())
      else if (kind === 1) await this.#send(this.#records(), this.#one(IDEMPOTENT))
      else await this.#transactional()
    }
    for (const producerId of this.#open) await this.#end(producerId)
  }

  /** One batch of so many bytes that no codec makes smaller. */
  async writeLarge(bytes: number): Promise<void> {
    await this.#send([{ key: Buffer.from('large'), value: this.#random.bytes(bytes), timestamp: TIME }])
  }

  async #transactional(): Promise<void> {
    const producerId = this.#one(TRANSACTIONAL)
    if (this.#open.has(producerId) && this.#random.below(3) === 0) {
      await this.#end(producerId)
      return
    }
    this.#open.add(producerId)
    await this.#send(this.#records(), producerId, true)
  }

  async #end(producerId: number): Promise<void> {
    const commits = this.#random.below(2) === 0
    const topics = [{ name: this.#topic, partitionIndexes: [0] }]
    const marker = { producerId, producerEpoch: 0, transactionResult: commits, topics, coordinatorEpoch: 0 }
    const { markers } = await this.#client.ask(MARK, 1, { markers: [marker] })
    expectNoError(markers[0]?.topics[0]?.partitions[0]?.errorCode)
    this.#open.delete(producerId)
    this.#counts[commits ? 'committed' : 'aborted'] += 1
  }

  async #send(records: readonly RecordInput[], producerId = -1, isTransactional = false): Promise<void> {
    const baseSequence = producerId < 0 ? -1 : (this.#sequences.get(producerId) ?? 0)
    this.#sequences.set(producerId, baseSequence + records.length)
    const producerEpoch = producerId < 0 ? -1 : 0
    const compression = CODECS[this.#random.below(CODECS.length)]!
    const batch = encodeBatch({ records, compression, producerId, producerEpoch, baseSequence, isTransactional })
    const { responses } = await this.#client.ask(PRODUCE, 7, {
      transactionalId: isTransactional ? `id-${producerId}` : null,
      acks: -1,
      timeoutMs: PATIENCE_MS,
      topicData: [{ name: this.#topic, partitionData: [{ index: 0, records: batch }] }],
    })
    expectNoError(responses[0]?.partitionResponses[0]?.errorCode)
  }

  #records(): RecordInput[] {
    return Array.from({ length: 1 + this.#random.below(6) }, () => this.#record())
  }

  #record(): RecordInput {
    const key = Buffer.from(`k${this.#random.below(KEYS)}`)
    const headers = this.#random.below(4) === 0 ? [{ key: 'h', value: this.#random.bytes(5) }] : []
    const timestamp = TIME + this.#random.below(1_000)
    if (this.#random.next() < TOMBSTONES) {
      this.#counts.tombstones += 1
      return { key, value: null, headers, timestamp }
    }
    return { key, value: this.#random.bytes(this.#random.below(120)), headers, timestamp }
  }

  #one(producers: readonly number[]): number {
    return producers[this.#random.below(producers.length)]!
  }
}

function expectNoError(errorCode: number | undefined): void {
  if (errorCode !== 0) throw new Error(`the broker answers error ${errorCode}`)
}
