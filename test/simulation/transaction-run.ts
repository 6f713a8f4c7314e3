/**
 * Transactions under random schedules: producers that commit, abort, hang, are superseded and come back as zombies, on a
 * broker that is killed or loses its power at any moment. One seed decides everything.
 */
import assert from 'node:assert/strict'
import { WireClient } from '../../scripts/fuzz/wire-client.ts'
import { type MemoryDisk, type Random, SimulatedClock, seededRandom } from '../../src/platform/index.ts'
import * as p from '../../src/protocol/index.ts'
import { ProduceRequest, ProduceResponse } from '../../src/protocol/messages/00-produce.ts'
import { FetchRequest, FetchResponse } from '../../src/protocol/messages/01-fetch.ts'
import { OffsetFetchRequest, OffsetFetchResponse } from '../../src/protocol/messages/09-offset-fetch.ts'
import { FindCoordinatorRequest, FindCoordinatorResponse } from '../../src/protocol/messages/10-find-coordinator.ts'
import { InitProducerIdRequest, InitProducerIdResponse } from '../../src/protocol/messages/22-init-producer-id.ts'
import {
  AddPartitionsToTxnRequest,
  AddPartitionsToTxnResponse,
} from '../../src/protocol/messages/24-add-partitions-to-txn.ts'
import { AddOffsetsToTxnRequest, AddOffsetsToTxnResponse } from '../../src/protocol/messages/25-add-offsets-to-txn.ts'
import { EndTxnRequest, EndTxnResponse } from '../../src/protocol/messages/26-end-txn.ts'
import { TxnOffsetCommitRequest, TxnOffsetCommitResponse } from '../../src/protocol/messages/28-txn-offset-commit.ts'
import { driven, SimulatedBroker } from '../../src/testing/simulated-broker.ts'

const INIT = [InitProducerIdRequest, InitProducerIdResponse] as const
const ADD = [AddPartitionsToTxnRequest, AddPartitionsToTxnResponse] as const
const ADD_OFFSETS = [AddOffsetsToTxnRequest, AddOffsetsToTxnResponse] as const
const END = [EndTxnRequest, EndTxnResponse] as const
const PRODUCE = [ProduceRequest, ProduceResponse] as const
const COMMIT_OFFSETS = [TxnOffsetCommitRequest, TxnOffsetCommitResponse] as const
const FIND = [FindCoordinatorRequest, FindCoordinatorResponse] as const
const FETCH = [FetchRequest, FetchResponse] as const
const OFFSETS = [OffsetFetchRequest, OffsetFetchResponse] as const

const TOPIC = 'data'
const PARTITIONS = 3
const IDS = ['one', 'two', 'three']
const GROUP = 'group'
const TIMEOUT_MS = 4_000
const RETRIABLE: readonly number[] = [
  p.ErrorCode.CONCURRENT_TRANSACTIONS,
  p.ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  p.ErrorCode.COORDINATOR_NOT_AVAILABLE,
  p.ErrorCode.NOT_COORDINATOR,
  p.ErrorCode.NOT_ENOUGH_REPLICAS,
  p.ErrorCode.NOT_LEADER_OR_FOLLOWER,
]

/** A transaction as its producer knows it. */
interface Transaction {
  readonly number: number
  /** What was acknowledged in it, by partition. */
  readonly values: Map<number, string[]>
  hasOffset: boolean
  /** `unknown`: its commit was asked for and never answered. */
  outcome: 'open' | 'commit' | 'abort' | 'unknown'
}

/** A process with a transactional id. */
interface Producer {
  readonly id: string
  readonly producerId: number
  readonly producerEpoch: number
  readonly sequences: Map<number, number>
  readonly added: Set<number>
  transaction: Transaction | undefined
  isSuperseded: boolean
}

/** What a run did, so that a test can tell that there was something to do. */
export interface TransactionReport {
  committed: number
  aborted: number
  unknown: number
  crashes: number
  fenced: number
}

/** Runs one seed; throws where a promise was broken. */
export async function runTransactions(seed: number, report: TransactionReport): Promise<void> {
  const random = seededRandom(seed)
  const complaints: string[] = []
  const isPower = random.below(2) === 0
  // Only what was synced before it was acknowledged can be asked for after a power cut.
  const properties = {
    'transaction.abort.timed.out.transaction.cleanup.interval.ms': '1000',
    ...(isPower ? { 'log.flush.interval.messages': '1' } : {}),
  }
  const clock = new SimulatedClock()
  const start = (disk?: MemoryDisk): SimulatedBroker =>
    new SimulatedBroker({
      clock,
      random,
      properties,
      onError: line => complaints.push(line),
      onHalt: () => complaints.push('halt'),
      ...(disk ? { disk } : {}),
    })
  const run = new TransactionRun({ random, clock, start, report, crash: isPower ? 'power' : 'kill' })
  await run.prepare()
  for (let step = 0; step < 40; step++) await run.step()
  await run.finish()
  assert.deepEqual(complaints, [])
}

class TransactionRun {
  readonly #random: Random
  readonly #report: TransactionReport
  readonly #crash: 'kill' | 'power'
  readonly #transactions: (Transaction & { readonly id: string })[] = []
  readonly #producers: Producer[] = []
  readonly #clock: SimulatedClock
  readonly #start: (disk?: MemoryDisk) => SimulatedBroker
  #broker: SimulatedBroker
  /** By partition: what a reader of committed records has seen so far. */
  readonly #seen: string[][] = Array.from({ length: PARTITIONS }, () => [])

  constructor(parts: {
    random: Random
    clock: SimulatedClock
    start: (disk?: MemoryDisk) => SimulatedBroker
    report: TransactionReport
    crash: 'kill' | 'power'
  }) {
    this.#random = parts.random
    this.#clock = parts.clock
    this.#start = parts.start
    this.#broker = parts.start()
    this.#report = parts.report
    this.#crash = parts.crash
  }

  async prepare(): Promise<void> {
    const server = await driven(this.#clock, this.#broker.ready)
    const topic = { name: TOPIC, numPartitions: PARTITIONS, replicationFactor: 1, assignments: [], configs: [] }
    const [created] = await driven(this.#clock, server.services.controller.createTopics([topic]))
    assert.equal(created?.errorCode, 0)
    const client = await this.#connect()
    for (const keyType of [0, 1]) {
      const found = await client.call(FIND, 1, { key: 'x', keyType })
      assert.equal(found.errorCode, 0)
    }
    client.close()
  }

  async #connect(): Promise<WireClient> {
    return new WireClient(await this.#broker.connect(), turn => this.#clock.advance(turn === 0 ? 0 : 20))
  }

  /** Some producers act at once; now and then the broker dies meanwhile. */
  async step(): Promise<void> {
    const acting = new Set<Producer>()
    const actions: Promise<void>[] = []
    const count = 1 + this.#random.below(3)
    for (let index = 0; index < count; index++) {
      const producer = this.#producers.length === 0 ? undefined : this.#oneOf(this.#producers)
      if (producer === undefined || this.#random.below(8) === 0) actions.push(this.#init(this.#oneOf(IDS)))
      else if (!acting.has(producer)) actions.push(this.#act(producer))
      if (producer) acting.add(producer)
    }
    const settled = Promise.allSettled(actions)
    if (this.#random.below(8) === 0) await this.#die(settled)
    for (const result of await settled) {
      if (result.status === 'rejected' && result.reason instanceof assert.AssertionError) throw result.reason
    }
    if (this.#random.below(10) === 0) await this.#clock.advance(this.#random.below(2 * TIMEOUT_MS))
    if (this.#random.below(4) === 0) await this.#read()
  }

  async #die(settled: Promise<unknown>): Promise<void> {
    const turns = this.#random.below(12)
    for (let turn = 0; turn < turns; turn++) await new Promise(resolve => setImmediate(resolve))
    this.#report.crashes += 1
    const disk = this.#broker.end(this.#crash)
    await settled
    await this.#clock.advance(this.#random.below(1_000))
    this.#broker = this.#start(disk)
    await driven(this.#clock, this.#broker.ready)
  }

  /** All transactions come to their ends by themselves; then each must be there as a whole, or not at all. */
  async finish(): Promise<void> {
    await this.#clock.advance(3 * TIMEOUT_MS)
    await this.#read()
    for (const { id, number, values, outcome } of this.#transactions) {
      this.#report[outcome === 'commit' ? 'committed' : outcome === 'unknown' ? 'unknown' : 'aborted'] += 1
      const expected = [...values].flatMap(([partition, list]) => list.map(value => `${partition} ${value}`))
      const found = expected.filter(line => this.#seen[Number(line[0])]!.includes(line.slice(2)))
      const isWhole = found.length === expected.length
      const what = `transaction ${number} of ${id}, ${outcome}: ${found.length} of ${expected.length} records`
      if (outcome === 'commit') assert.ok(isWhole, what)
      else if (outcome === 'unknown') assert.ok(isWhole || found.length === 0, what)
      else assert.equal(found.length, 0, what)
    }
    for (const values of this.#seen) assert.equal(new Set(values).size, values.length, 'a record is there twice')
    await this.#checkOffsets()
  }

  /** The group's offset is the last that a committed transaction has set. */
  async #checkOffsets(): Promise<void> {
    const client = await this.#connect()
    const group = { groupId: GROUP, topics: [{ name: TOPIC, partitionIndexes: IDS.map((_, index) => index) }] }
    const { groups } = await client.call(OFFSETS, 8, { groups: [group], requireStable: true })
    for (const [index, id] of IDS.entries()) {
      const partition = groups[0]?.topics[0]?.partitions.find(({ partitionIndex }) => partitionIndex === index)
      assert.equal(partition?.errorCode, 0, `the offset of ${id} is not settled`)
      const possible = this.#possibleOffsets(id)
      assert.ok(possible.includes(partition.committedOffset), `${id}: ${partition.committedOffset}, not of ${possible}`)
    }
    client.close()
  }

  #possibleOffsets(id: string): number[] {
    let possible = [-1]
    for (const { id: of, number, hasOffset, outcome, values } of this.#transactions) {
      if (of !== id || !hasOffset) continue
      if (outcome === 'commit') possible = [number]
      if (outcome !== 'unknown') continue
      const [[partition, [value]] = [0, []]] = values
      if (value === undefined) possible.push(number)
      else if (this.#seen[partition]!.includes(value)) possible = [number]
    }
    return possible
  }

  /** Reads what is committed: it only ever grows, and what is read ends at the last stable offset. */
  async #read(): Promise<void> {
    const client = await this.#connect()
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const asked = { partition, fetchOffset: 0, partitionMaxBytes: 1 << 20 }
      const { responses } = await client.call(FETCH, 11, {
        isolationLevel: 1,
        maxBytes: 1 << 20,
        topics: [{ topic: TOPIC, partitions: [asked] }],
      })
      const read = responses[0]?.partitions[0]
      assert.equal(read?.errorCode, 0)
      assert.ok(read.lastStableOffset <= read.highWatermark, 'LSO above HW')
      const values = committedValues(read)
      const before = this.#seen[partition]!
      assert.deepEqual(values.slice(0, before.length), before, 'what was read is not what it was')
      this.#seen[partition] = values
    }
    client.close()
  }

  async #init(id: string): Promise<void> {
    const client = await this.#connect()
    const request = { transactionalId: id, transactionTimeoutMs: TIMEOUT_MS }
    for (let attempt = 0; attempt < 20; attempt++) {
      const before = this.#producers.filter(producer => producer.id === id)
      const { errorCode, producerId, producerEpoch } = await client.call(INIT, 4, request)
      if (errorCode === 0) {
        for (const producer of before) producer.isSuperseded = true
        const isNew = before.every(
          producer => producer.producerId !== producerId || producer.producerEpoch < producerEpoch,
        )
        assert.ok(isNew, `${id} got ${producerId}/${producerEpoch} again`)
        const fresh = { sequences: new Map(), added: new Set<number>(), transaction: undefined, isSuperseded: false }
        this.#producers.push({ id, producerId, producerEpoch, ...fresh })
        break
      }
      assert.ok(RETRIABLE.includes(errorCode), `InitProducerId: ${p.errorName(errorCode)}`)
      await this.#clock.advance(50)
    }
    client.close()
  }

  /** One request of a producer. After any failure it is of no use any more, as with real clients. */
  async #act(producer: Producer): Promise<void> {
    const wasSuperseded = producer.isSuperseded
    const client = await this.#connect()
    let errorCode: number
    let isCommit = false
    try {
      const choice = this.#random.below(10)
      if (choice < 6) errorCode = await this.#produce(client, producer)
      else if (choice < 7) errorCode = await this.#sendOffset(client, producer)
      else {
        isCommit = choice < 9
        errorCode = await this.#end(client, producer, isCommit)
      }
    } catch (error) {
      this.#giveUp(producer, isCommit)
      throw error
    }
    if (wasSuperseded) assert.notEqual(errorCode, 0, `a zombie of ${producer.id} was let through`)
    if (errorCode !== 0 && wasSuperseded) this.#report.fenced += 1
    if (errorCode !== 0) this.#giveUp(producer, isCommit)
    client.close()
  }

  #giveUp(producer: Producer, isCommit: boolean): void {
    const { transaction } = producer
    if (transaction?.outcome === 'open') transaction.outcome = isCommit ? 'unknown' : 'abort'
    const index = this.#producers.indexOf(producer)
    // A zombie may try again for as long as it likes.
    if (!producer.isSuperseded && index >= 0) this.#producers.splice(index, 1)
    producer.transaction = undefined
  }

  #transactionOf(producer: Producer): Transaction {
    if (producer.transaction === undefined) {
      const number = this.#transactions.length
      const transaction = { id: producer.id, number, values: new Map(), hasOffset: false, outcome: 'open' as const }
      this.#transactions.push(transaction)
      producer.added.clear()
      producer.transaction = transaction
    }
    return producer.transaction
  }

  async #produce(client: WireClient, producer: Producer): Promise<number> {
    const transaction = this.#transactionOf(producer)
    const partition = this.#random.below(PARTITIONS)
    const { id, producerId, producerEpoch } = producer
    if (!producer.added.has(partition)) {
      const error = await this.#retried(async () => {
        const { resultsByTopicV3AndBelow: results } = await client.call(ADD, 3, {
          v3AndBelowTransactionalId: id,
          v3AndBelowProducerId: producerId,
          v3AndBelowProducerEpoch: producerEpoch,
          v3AndBelowTopics: [{ name: TOPIC, partitions: [partition] }],
        })
        return results[0]?.resultsByPartition[0]?.partitionErrorCode ?? -1
      })
      if (error !== 0) return error
      producer.added.add(partition)
    }
    const list = transaction.values.get(partition) ?? []
    const value = `${id} ${transaction.number} ${partition} ${list.length}`
    const baseSequence = producer.sequences.get(partition) ?? 0
    const batch = { producerId, producerEpoch, baseSequence, isTransactional: true }
    const records = p.encodeBatch({ records: [{ value: Buffer.from(value), timestamp: 1_700_000_000_000 }], ...batch })
    const error = await this.#retried(async () => {
      const { responses } = await client.call(PRODUCE, 9, {
        transactionalId: id,
        acks: -1,
        timeoutMs: 10_000,
        topicData: [{ name: TOPIC, partitionData: [{ index: partition, records }] }],
      })
      return responses[0]?.partitionResponses[0]?.errorCode ?? -1
    })
    if (error !== 0) return error
    producer.sequences.set(partition, baseSequence + 1)
    transaction.values.set(partition, [...list, value])
    return 0
  }

  async #sendOffset(client: WireClient, producer: Producer): Promise<number> {
    const transaction = this.#transactionOf(producer)
    const { id: transactionalId, producerId, producerEpoch } = producer
    const identity = { transactionalId, producerId, producerEpoch, groupId: GROUP }
    const added = await this.#retried(async () => (await client.call(ADD_OFFSETS, 3, identity)).errorCode)
    if (added !== 0) return added
    const partition = { partitionIndex: IDS.indexOf(transactionalId), committedOffset: transaction.number }
    const partitions = [{ ...partition, committedMetadata: '' }]
    const error = await this.#retried(async () => {
      const { topics } = await client.call(COMMIT_OFFSETS, 3, { ...identity, topics: [{ name: TOPIC, partitions }] })
      return topics[0]?.partitions[0]?.errorCode ?? -1
    })
    if (error === 0) transaction.hasOffset = true
    return error
  }

  async #end(client: WireClient, producer: Producer, committed: boolean): Promise<number> {
    const { transaction, id: transactionalId, producerId, producerEpoch } = producer
    // A client does not end what it did not begin.
    if (transaction === undefined && !producer.isSuperseded) return 0
    const request = { transactionalId, producerId, producerEpoch, committed }
    const error = await this.#retried(async () => (await client.call(END, 3, request)).errorCode)
    if (error === 0 && transaction !== undefined) {
      transaction.outcome = committed ? 'commit' : 'abort'
      producer.transaction = undefined
    }
    return error
  }

  async #retried(request: () => Promise<number>): Promise<number> {
    let error = await request()
    for (let attempt = 0; RETRIABLE.includes(error) && attempt < 10; attempt++) {
      await this.#clock.advance(50)
      error = await request()
    }
    return error
  }

  #oneOf<T>(items: readonly T[]): T {
    return items[this.#random.below(items.length)]!
  }
}

type FetchedPartition = FetchResponse['responses'][number]['partitions'][number]

/** The values that a client passes on which skips what the broker says was aborted. */
function committedValues({ records, abortedTransactions, lastStableOffset }: FetchedPartition): string[] {
  const bytes = records ?? new Uint8Array(0)
  const waiting = [...(abortedTransactions ?? [])].sort((left, right) => left.firstOffset - right.firstOffset)
  const aborted = new Set<number>()
  const values: string[] = []
  for (const header of p.batches(bytes)) {
    assert.ok(header.lastOffset < lastStableOffset, 'a record above the LSO')
    while (waiting[0] !== undefined && waiting[0].firstOffset <= header.lastOffset) {
      aborted.add(waiting.shift()!.producerId)
    }
    for (const record of p.decodeRecords(bytes, header, { maxBytes: 1 << 20 })) {
      if (header.isControl) aborted.delete(header.producerId)
      else if (!aborted.has(header.producerId)) values.push(Buffer.from(record.value ?? []).toString())
    }
  }
  return values
}
