/** Transactions over a few keys, some of them aborted, through every fault; and the audit of what compaction left of them. */
import assert from 'node:assert/strict'
import * as p from '../../src/protocol/everything.ts'
import { sleep, until } from '../compat/process.ts'
import { ProtocolClient } from '../compat/protocol-client.ts'
import { readPartition, type StoredRecord } from './partition-reader.ts'
import { TransactionClient } from './transaction-client.ts'

const LIST_OFFSETS = [p.ListOffsetsRequest, p.ListOffsetsResponse] as const
const EARLIEST = -2
const BATCHES_A_TRANSACTION = 4
const RECORDS_A_BATCH = 4
const RETRY_PAUSE_MS = 5

/** Until its commit was asked for, a transaction can come to nothing else than an abort. */
type Outcome = 'aborted' | 'unknown' | 'committed'

interface Transaction {
  outcome: Outcome
}

interface Write {
  readonly offset: number
  readonly key: string
  readonly isTombstone: boolean
  readonly transaction: Transaction
}

/** A partition that the load writes to. */
export interface KeyedPartition {
  readonly topic: string
  readonly partition: number
  /** Segments are deleted as well: what is below the log's start offset need not be there. */
  readonly isDeleted: boolean
}

/**
 * Transactional producers, each with one transaction under way over partitions and keys that change from batch to batch. One
 * of four transactions is aborted, one of eight records is a tombstone.
 */
export class KeyedTransactions {
  readonly #port: number
  readonly #partitions: readonly KeyedPartition[]
  readonly #keys: number
  readonly #writes = new Map<KeyedPartition, Map<number, Write>>()
  #loops: Promise<void>[] = []
  #stopping = false
  #count = 0
  /** Transactions whose end was acknowledged. */
  committed = 0
  aborted = 0
  /** How often a producer had to begin anew. */
  broken = 0

  constructor(port: number, partitions: readonly KeyedPartition[], keys: number) {
    this.#port = port
    this.#partitions = partitions
    this.#keys = keys
    for (const partition of partitions) this.#writes.set(partition, new Map())
  }

  start(producers: number): void {
    for (let index = 0; index < producers; index++) this.#loops.push(this.#loop(`keyed-${index}`))
  }

  async stop(): Promise<void> {
    this.#stopping = true
    await Promise.all(this.#loops)
  }

  /** Waits for this many more transactions that were ended; rejects when they do not come. */
  async more(transactions: number): Promise<void> {
    const ended = (): number => this.committed + this.aborted
    const wanted = ended() + transactions
    await until(
      () => `${ended()} of ${wanted} transactions`,
      () => ended() >= wanted,
      2,
    )
  }

  /**
   * Reads what committed readers see, while the load may go on: each record is one that was written there, and of no aborted
   * transaction; of each key nothing is left that is older than the last acknowledged commit, which is there.
   */
  async audit(): Promise<{ records: number; written: number }> {
    let [records, written] = [0, 0]
    for (const partition of this.#partitions) {
      const lasts = this.#lastCommitted(partition)
      const { start, read } = await readFromStart(this.#port, partition)
      records += read.length
      written += this.#writes.get(partition)!.size
      const found = this.#lastRead(partition, read)
      for (const [key, last] of lasts) {
        const where = `${partition.topic}-${partition.partition}: key ${key}, committed last at offset ${last.offset}`
        const offset = found.get(key)
        if (offset !== undefined) assert.ok(offset >= last.offset, `${where}, is read from offset ${offset}`)
        else assert.ok(last.isTombstone || (partition.isDeleted && last.offset < start), `${where}, is gone`)
      }
    }
    return { records, written }
  }

  /** The last offset of each key among what was read, all of which is held against what was written. */
  #lastRead(partition: KeyedPartition, read: readonly StoredRecord[]): Map<string, number> {
    const last = new Map<string, number>()
    for (const { offset, key, value } of read) {
      const where = `${partition.topic}-${partition.partition} at offset ${offset}`
      const write = this.#writes.get(partition)!.get(offset)
      if (key === null || !key.startsWith('k')) continue
      assert.ok(write !== undefined, `${where} has ${key} ${value.slice(0, 40)}, which was not written there`)
      assert.equal(key, write.key, where)
      assert.equal(value === '', write.isTombstone, where)
      assert.notEqual(write.transaction.outcome, 'aborted', `${where} has a record of an aborted transaction`)
      assert.ok(offset > (last.get(key) ?? -1), `${where}: offsets do not rise`)
      last.set(key, offset)
    }
    return last
  }

  #lastCommitted(partition: KeyedPartition): Map<string, Write> {
    const lasts = new Map<string, Write>()
    for (const write of this.#writes.get(partition)!.values()) {
      if (write.transaction.outcome !== 'committed') continue
      if (write.offset > (lasts.get(write.key)?.offset ?? -1)) lasts.set(write.key, write)
    }
    return lasts
  }

  async #loop(id: string): Promise<void> {
    let client: TransactionClient | undefined
    while (!this.#stopping) {
      const transaction: Transaction = { outcome: 'aborted' }
      try {
        if (client === undefined) {
          client = new TransactionClient(this.#port, id)
          await client.init()
        }
        await this.#transact(client, transaction)
      } catch {
        client?.close()
        client = undefined
        this.broken++
        await sleep(RETRY_PAUSE_MS)
      }
    }
    client?.close()
  }

  async #transact(client: TransactionClient, transaction: Transaction): Promise<void> {
    const number = this.#count++
    for (let batch = 0; batch < BATCHES_A_TRANSACTION; batch++) {
      const partition = this.#partitions[(number * 3 + batch) % this.#partitions.length]!
      const records = Array.from({ length: RECORDS_A_BATCH }, (_, index) => {
        const each = (number * BATCHES_A_TRANSACTION + batch) * RECORDS_A_BATCH + index
        return { key: keyOf(each, this.#keys), value: each % 8 === 5 ? null : `${each} ${'x'.repeat(200)}` }
      })
      const { error, baseOffset } = await client.append(partition.topic, partition.partition, records)
      if (error !== 'NONE') throw new Error(error)
      for (const [index, { key, value }] of records.entries()) {
        const write = { offset: baseOffset + index, key, isTombstone: value === null, transaction }
        this.#writes.get(partition)!.set(write.offset, write)
      }
    }
    const isCommit = number % 4 !== 3
    if (isCommit) transaction.outcome = 'unknown'
    const error = await client.end(isCommit)
    if (error !== 'NONE') throw new Error(error)
    if (isCommit) transaction.outcome = 'committed'
    if (isCommit) this.committed++
    else this.aborted++
  }
}

/** Every fourth record has a key of its own, which stays where it is; the others share few keys. */
function keyOf(each: number, keys: number): string {
  return each % 4 === 0 ? `k-${each}` : `k${(each * 7) % keys}`
}

/** What a committed reader sees from the log's start on; retention may move that away under it, and then it begins again. */
async function readFromStart(
  port: number,
  { topic, partition, isDeleted }: KeyedPartition,
): Promise<{ start: number; read: StoredRecord[] }> {
  for (let attempt = 0; ; attempt++) {
    const start = await logStart(port, topic, partition)
    try {
      const read = await readPartition(port, { topic, partition, from: start, isReadCommitted: true })
      return { start: await logStart(port, topic, partition), read }
    } catch (error) {
      const hasMoved = isDeleted && (await logStart(port, topic, partition)) > start
      if (!hasMoved || attempt > 20) throw error
    }
  }
}

async function logStart(port: number, name: string, partitionIndex: number): Promise<number> {
  const client = await ProtocolClient.open(port)
  try {
    const topics = [{ name, partitions: [{ partitionIndex, timestamp: EARLIEST }] }]
    const answer = await client.ask(LIST_OFFSETS, 1, { replicaId: -1, topics })
    const { errorCode, offset } = answer.topics[0]!.partitions[0]!
    assert.equal(p.errorName(errorCode), 'NONE')
    return offset
  } finally {
    client.close()
  }
}
