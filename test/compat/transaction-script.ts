/**
 * What producers with ids and transactions do, right and wrong: a script that two brokers are put through to see
 * whether they answer the same.
 */
import {
  AddOffsetsToTxnRequest,
  AddOffsetsToTxnResponse,
  AddPartitionsToTxnRequest,
  AddPartitionsToTxnResponse,
  batches,
  DescribeProducersRequest,
  DescribeProducersResponse,
  DescribeTransactionsRequest,
  DescribeTransactionsResponse,
  EndTxnRequest,
  EndTxnResponse,
  encodeBatch,
  FetchRequest,
  FetchResponse,
  InitProducerIdRequest,
  InitProducerIdResponse,
  ListTransactionsRequest,
  ListTransactionsResponse,
  type MessageInput,
  type MessageOf,
  OffsetFetchRequest,
  OffsetFetchResponse,
  ProduceRequest,
  ProduceResponse,
  type Schema,
  TxnOffsetCommitRequest,
  TxnOffsetCommitResponse,
  WriteTxnMarkersRequest,
  WriteTxnMarkersResponse,
} from '../../src/protocol/everything.ts'
import { PATIENCE_MS, until } from './process.ts'
import type { ProtocolClient } from './protocol-client.ts'

const INIT = [InitProducerIdRequest, InitProducerIdResponse] as const
const ADD = [AddPartitionsToTxnRequest, AddPartitionsToTxnResponse] as const
const ADD_OFFSETS = [AddOffsetsToTxnRequest, AddOffsetsToTxnResponse] as const
const COMMIT_OFFSETS = [TxnOffsetCommitRequest, TxnOffsetCommitResponse] as const
const END = [EndTxnRequest, EndTxnResponse] as const
const MARK = [WriteTxnMarkersRequest, WriteTxnMarkersResponse] as const
const DESCRIBE = [DescribeTransactionsRequest, DescribeTransactionsResponse] as const
const LIST = [ListTransactionsRequest, ListTransactionsResponse] as const
const PRODUCERS = [DescribeProducersRequest, DescribeProducersResponse] as const
const PRODUCE = [ProduceRequest, ProduceResponse] as const
const FETCH = [FetchRequest, FetchResponse] as const
const FETCH_OFFSETS = [OffsetFetchRequest, OffsetFetchResponse] as const

/** The topic of the script; it has {@link PARTITIONS} partitions. */
export const TOPIC = 'topic'
export const PARTITIONS = 4
const TIME = 1_700_000_000_000
const READ_COMMITTED = 1

/** An answer and what it is the answer to. */
export type Answer = readonly [step: string, answer: unknown]

/** A producer as the broker knows it. */
interface Producer {
  readonly transactionalId: string
  readonly producerId: number
  readonly producerEpoch: number
}

/** Puts a broker through the script; gives what it answered, in order. */
export class TransactionScript {
  readonly answers: Answer[] = []
  readonly #client: ProtocolClient

  constructor(client: ProtocolClient) {
    this.#client = client
  }

  async run(): Promise<void> {
    await this.#ids()
    await this.#sequences()
    for (let version = 0; version <= 3; version++) await this.#transaction(version, version % 2 === 0)
    await this.#refusals()
    await this.#epochs()
    await this.#verification()
    await this.#groups()
    await this.#markers()
    await this.#administration()
  }

  async #ask<Q extends Schema, S extends Schema>(
    step: string,
    api: readonly [Q, S],
    version: number,
    body: MessageInput<Q>,
  ): Promise<MessageOf<S>> {
    const name = `${step} (${api[0].name} v${version})`
    const answer = await inTime(name, this.#client.ask(api, version, body))
    this.answers.push([name, answer])
    return answer
  }

  async #init(step: string, transactionalId: string, version = 5, rest: Partial<Producer> = {}): Promise<Producer> {
    const body = { transactionalId, transactionTimeoutMs: 60_000, ...rest }
    const { producerId, producerEpoch } = await this.#ask(step, INIT, version, body)
    return { transactionalId, producerId, producerEpoch }
  }

  #add(step: string, producer: Producer, version: number, ...partitions: readonly number[]): Promise<unknown> {
    return this.#ask(step, ADD, version, {
      v3AndBelowTransactionalId: producer.transactionalId,
      v3AndBelowProducerId: producer.producerId,
      v3AndBelowProducerEpoch: producer.producerEpoch,
      v3AndBelowTopics: [{ name: TOPIC, partitions }],
    })
  }

  async #end(step: string, producer: Producer, committed: boolean, version = 4): Promise<void> {
    await this.#ask(step, END, version, { ...producer, committed })
    await this.#settled(producer.transactionalId)
  }

  /** Waits, without a word in the answers, until nothing of a transaction is on its way. */
  async #settled(transactionalId: string): Promise<void> {
    await until(`${transactionalId} is settled`, async () => {
      const { transactionStates } = await this.#client.ask(DESCRIBE, 0, { transactionalIds: [transactionalId] })
      return !/^Prepare/.test(transactionStates[0]?.transactionState ?? '')
    })
  }

  async #produce(
    step: string,
    producer: Producer | { readonly producerId: number; readonly producerEpoch: number },
    partition: number,
    baseSequence: number,
    count = 2,
    version = 9,
  ): Promise<void> {
    const transactionalId = 'transactionalId' in producer ? producer.transactionalId : null
    const value = Buffer.from('value')
    const batch = encodeBatch({
      records: Array.from({ length: count }, () => ({ value, timestamp: TIME })),
      producerId: producer.producerId,
      producerEpoch: producer.producerEpoch,
      baseSequence,
      isTransactional: transactionalId !== null,
    })
    await this.#ask(step, PRODUCE, version, {
      transactionalId,
      acks: -1,
      timeoutMs: 10_000,
      topicData: [{ name: TOPIC, partitionData: [{ index: partition, records: batch }] }],
    })
  }

  async #ids(): Promise<void> {
    for (let version = 0; version <= 5; version++) {
      await this.#ask('no transactions', INIT, version, { transactionalId: null, transactionTimeoutMs: 60_000 })
      await this.#ask('no timeout', INIT, version, { transactionalId: null, transactionTimeoutMs: -1 })
      const { producerId, producerEpoch } = await this.#init('a new id', `id-${version}`, version)
      await this.#init('once more', `id-${version}`, version)
      await this.#ask('an empty id', INIT, version, { transactionalId: '', transactionTimeoutMs: 60_000 })
      for (const transactionTimeoutMs of [0, -1, 900_001]) {
        const body = { transactionalId: `slow-${version}`, transactionTimeoutMs }
        await this.#ask(`a timeout of ${transactionTimeoutMs}`, INIT, version, body)
      }
      if (version < 3) continue
      await this.#init('an old epoch', `id-${version}`, version, { producerId, producerEpoch })
      await this.#init('the last epoch', `id-${version}`, version, { producerId, producerEpoch: producerEpoch + 1 })
      await this.#init('a later epoch', `id-${version}`, version, { producerId, producerEpoch: 77 })
      await this.#init('another id', `id-${version}`, version, { producerId: 123_456, producerEpoch: 0 })
      await this.#init('half of an id', `id-${version}`, version, { producerId, producerEpoch: -1 })
      await this.#init('half of an id', `id-${version}`, version, { producerId: -1, producerEpoch: 0 })
      await this.#init('an unknown id', `new-${version}`, version, { producerId: 5, producerEpoch: 3 })
      await this.#ask('of no transactions', INIT, version, {
        transactionalId: null,
        transactionTimeoutMs: 1_000,
        producerId,
        producerEpoch,
      })
    }
  }

  async #sequences(): Promise<void> {
    const { producerId } = await this.#ask('an id', INIT, 5, { transactionalId: null, transactionTimeoutMs: 1_000 })
    const first = { producerId, producerEpoch: 0 }
    for (const version of [3, 7, 8, 9, 10, 11]) {
      const start = [3, 7, 8, 9, 10, 11].indexOf(version) * 2
      await this.#produce('in order', first, 3, start, 2, version)
      await this.#produce('a duplicate', first, 3, start, 2, version)
      await this.#produce('a duplicate of another length', first, 3, start, 1, version)
      await this.#produce('a gap', first, 3, start + 50, 2, version)
    }
    await this.#produce('a duplicate of long ago', first, 3, 0)
    const next = { producerId, producerEpoch: 1 }
    await this.#produce('a new epoch that does not start at 0', next, 3, 5)
    await this.#produce('a new epoch', next, 3, 0)
    await this.#produce('the old epoch', first, 3, 12)
    await this.#produce('an unknown producer, not from 0', { producerId: 999_999, producerEpoch: 0 }, 3, 7)
    await this.#produce('an unknown producer', { producerId: 999_998, producerEpoch: 3 }, 3, 0)
    await this.#produce('no sequence', { producerId, producerEpoch: 1 }, 3, -1)
    await this.#producers('after sequences', 3)
  }

  /** One whole transaction with all that can be looked at in the middle of it. */
  async #transaction(version: number, committed: boolean): Promise<void> {
    const producer = await this.#init('starts', 'whole')
    await this.#produce('not added', producer, 0, 0)
    await this.#add('adds', producer, version, 0, 1)
    await this.#add('adds again', producer, version, 1)
    await this.#produce('writes', producer, 0, 0)
    await this.#produce('writes again', producer, 0, 2, 1)
    await this.#produce('a duplicate', producer, 0, 2, 1)
    await this.#produce('a gap', producer, 0, 9)
    await this.#produce('not added', producer, 2, 0)
    await this.#looks('open', producer, 0)
    await this.#end('ends', producer, committed, version)
    await this.#looks('ended', producer, 0)
    await this.#end('ends the same way again', producer, committed, version)
    await this.#end('ends the other way', producer, !committed, version)
    await this.#produce('after the end', producer, 0, 3)
    await this.#add('adds the next', producer, version, 1)
    await this.#end('ends what is empty', producer, !committed, version)
  }

  async #looks(step: string, producer: Producer, partition: number): Promise<void> {
    await this.#ask(step, DESCRIBE, 0, { transactionalIds: [producer.transactionalId, 'nobody'] })
    await this.#producers(step, partition, 9)
    for (const version of [4, 11, 12]) await this.#fetch(step, partition, version)
    await this.#fetch(step, partition, 12, 0)
  }

  async #producers(step: string, ...partitionIndexes: readonly number[]): Promise<void> {
    const topics = [
      { name: TOPIC, partitionIndexes },
      { name: 'unknown', partitionIndexes: [0] },
    ]
    await this.#ask(step, PRODUCERS, 0, { topics })
  }

  /** Reads to the end, as a consumer does: how much comes in one answer is each broker's own matter. */
  async #fetch(step: string, partition: number, version: number, isolationLevel = READ_COMMITTED): Promise<void> {
    const records: Uint8Array[] = []
    const aborted = new Set<string>()
    let last: unknown
    for (let fetchOffset = 0; ; ) {
      const partitions = [{ partition, fetchOffset, partitionMaxBytes: 1 << 20 }]
      const topics = [{ topic: TOPIC, partitions }]
      const limits = { maxWaitMs: 0, minBytes: 0, maxBytes: 1 << 20 }
      const answer = await inTime(step, this.#client.ask(FETCH, version, { ...limits, isolationLevel, topics }))
      const read = answer.responses[0]?.partitions[0]
      for (const { producerId, firstOffset } of read?.abortedTransactions ?? []) {
        aborted.add(`${producerId} from ${firstOffset}`)
      }
      const bytes = read?.records ?? new Uint8Array()
      last = { ...read, records: null, abortedTransactions: read?.abortedTransactions === null ? null : [...aborted] }
      const lastBatch = [...batches(bytes)].at(-1)
      if (lastBatch === undefined) break
      records.push(bytes)
      fetchOffset = lastBatch.lastOffset + 1
    }
    this.answers.push([
      `${step}, isolation ${isolationLevel} (Fetch v${version})`,
      { last, records: Buffer.concat(records) },
    ])
  }

  async #refusals(): Promise<void> {
    const producer = await this.#init('starts', 'refused')
    const strangers = { ...producer, producerId: 123_456 }
    const fenced = { ...producer, producerEpoch: producer.producerEpoch + 5 }
    const nobody = { ...producer, transactionalId: 'nobody' }
    for (const wrong of [strangers, fenced, nobody, { ...producer, transactionalId: '' }]) {
      const name = `${wrong.transactionalId} ${wrong === strangers ? 'id' : wrong === fenced ? 'epoch' : 'name'}`
      for (let version = 0; version <= 3; version++) await this.#add(`wrong ${name}`, wrong, version, 0)
      for (let version = 0; version <= 4; version++) {
        await this.#ask(`wrong ${name}`, END, version, { ...wrong, committed: true })
        await this.#ask(`wrong ${name}`, ADD_OFFSETS, version, { ...wrong, groupId: 'group' })
      }
      await this.#produce(`wrong ${name}`, wrong, 1, 0)
    }
    await this.#add('a partition that is not', producer, 3, 0, 99)
    await this.#add('no partitions', producer, 3)
    for (let version = 0; version <= 3; version++) {
      await this.#ask('a topic of the brokers', ADD, version, {
        v3AndBelowTransactionalId: producer.transactionalId,
        v3AndBelowProducerId: producer.producerId,
        v3AndBelowProducerEpoch: producer.producerEpoch,
        v3AndBelowTopics: ['__transaction_state', TOPIC].map(name => ({ name, partitions: [0] })),
      })
    }
    await this.#end('nothing to end', producer, true)
    await this.#end('nothing to abort', producer, false)
    await this.#ask('no group id', ADD_OFFSETS, 4, { ...producer, groupId: '' })
  }

  /** A producer restarts in the middle of its transactions, and bumps its epoch itself (KIP-360). */
  async #epochs(): Promise<void> {
    const first = await this.#init('starts', 'epochs')
    await this.#add('adds', first, 3, 2)
    await this.#produce('writes', first, 2, 0)
    await this.#init('restarts in a transaction', 'epochs')
    await this.#settled('epochs')
    const second = await this.#init('restarts again', 'epochs')
    await this.#add('the old one adds', first, 3, 2)
    await this.#produce('the old one writes', first, 2, 2)
    await this.#ask('the old one ends', END, 4, { ...first, committed: true })
    await this.#ask('the old one ends', END, 1, { ...first, committed: true })
    await this.#add('the new one adds', second, 3, 2)
    await this.#produce('the new one writes', second, 2, 0)
    await this.#init('bumps in a transaction', 'epochs', 5, second)
    await this.#settled('epochs')
    const third = await this.#init('bumps', 'epochs', 5, second)
    await this.#init('bumps again, as if the answer was lost', 'epochs', 5, second)
    await this.#looks('after bumps', third, 2)
  }

  /** What brokers ask one another (KIP-890). */
  async #verification(): Promise<void> {
    const producer = await this.#init('starts', 'verified')
    await this.#add('adds', producer, 3, 0)
    const one = (wrong: Partial<Producer>, verifyOnly: boolean, ...partitions: number[]) => ({
      ...producer,
      ...wrong,
      verifyOnly,
      topics: [{ name: TOPIC, partitions }],
    })
    for (const version of [4, 5]) {
      const cases: readonly (readonly [string, Partial<Producer>])[] = [
        ['right', {}],
        ['of another id', { producerId: 123_456 }],
        ['of an older epoch', { producerEpoch: producer.producerEpoch - 1 }],
        ['of a later epoch', { producerEpoch: producer.producerEpoch + 1 }],
        ['of nobody', { transactionalId: 'nobody' }],
      ]
      for (const [name, wrong] of cases) {
        for (const verifyOnly of [true, false]) {
          const transactions = [one(wrong, verifyOnly, 0, 1)]
          await this.#ask(`${verifyOnly ? 'verifies' : 'adds'} ${name}`, ADD, version, { transactions })
        }
      }
      const transactions = [one({}, true, 0), one({ transactionalId: 'nobody' }, true, 0)]
      await this.#ask('verifies two', ADD, version, { transactions })
    }
    await this.#end('ends', producer, true)
    await this.#ask('verifies after the end', ADD, 5, { transactions: [one({}, true, 0)] })
  }

  async #groups(): Promise<void> {
    for (let version = 0; version <= 4; version++) {
      const groupId = `group-${version}`
      await this.#init('starts', 'offsets')
      const producer = await this.#init('starts again', 'offsets')
      const topics = [{ name: TOPIC, partitions: [0, 9].map(partition => offset(partition, 40 + version)) }]
      await this.#ask('the group is not added', COMMIT_OFFSETS, Math.min(version, 3), { ...producer, groupId, topics })
      await this.#ask('adds a group', ADD_OFFSETS, Math.min(version, 4), { ...producer, groupId })
      await this.#ask('commits offsets', COMMIT_OFFSETS, version, { ...producer, groupId, topics })
      const fenced = { ...producer, producerEpoch: producer.producerEpoch - 1 }
      // For another partition: Kafka forgets the successor's offset when its fenced predecessor sends one for the same.
      const others = [{ name: TOPIC, partitions: [offset(3, 1)] }]
      await this.#ask('an old epoch', COMMIT_OFFSETS, version, { ...fenced, groupId, topics: others })
      if (version >= 3) {
        for (const [generationId, memberId] of [
          [1, ''],
          [1, 'm'],
          [-1, 'm'],
        ] as const) {
          const member = { generationId, memberId }
          await this.#ask(`member "${memberId}" of ${generationId}`, COMMIT_OFFSETS, version, {
            ...producer,
            ...member,
            groupId,
            topics,
          })
        }
        const member = { groupInstanceId: 'i', memberId: 'm', generationId: 1 }
        await this.#ask('a static member', COMMIT_OFFSETS, version, { ...producer, ...member, groupId, topics })
      }
      await this.#ask('no group id', COMMIT_OFFSETS, version, { ...producer, groupId: '', topics })
      await this.#offsets('in the transaction', groupId)
      await this.#end('ends', producer, version % 2 === 0)
      await this.#offsets('after it', groupId)
    }
  }

  async #offsets(step: string, groupId: string): Promise<void> {
    const groups = [{ groupId, topics: [{ name: TOPIC, partitionIndexes: [0, 1] }] }]
    for (const requireStable of [false, true]) {
      await this.#ask(`${step}, stable ${requireStable}`, FETCH_OFFSETS, 8, { groups, requireStable })
    }
    await this.#ask(`${step}, all`, FETCH_OFFSETS, 8, { groups: [{ groupId, topics: null }], requireStable: true })
  }

  async #markers(): Promise<void> {
    const marker = { producerId: 777, producerEpoch: 1, transactionResult: true, coordinatorEpoch: 5 }
    const both = { topics: [{ name: TOPIC, partitionIndexes: [1, 99] }] }
    const known = { topics: [{ name: TOPIC, partitionIndexes: [1] }] }
    const unknown = { topics: [{ name: 'unknown', partitionIndexes: [0] }] }
    const markers = [
      { ...marker, ...both },
      { ...marker, ...known, producerEpoch: 0 },
      { ...marker, ...known, coordinatorEpoch: 3 },
      { ...marker, ...unknown, transactionResult: false },
      { ...marker, ...known, producerEpoch: -1 },
      { ...marker, ...both, producerEpoch: -1 },
      { ...marker, ...unknown, producerEpoch: -1 },
      { ...marker, ...known, producerEpoch: -1, producerId: 987_654 },
      { ...marker, ...known, producerEpoch: -2 },
      { ...marker, ...known, producerEpoch: -2, producerId: 987_654 },
      { ...marker, ...known, producerId: -1 },
      { ...marker, ...known, producerId: -2 },
    ]
    for (const one of markers) await this.#ask('a marker', MARK, 1, { markers: [one] })
    await this.#producers('after markers', 1)
    await this.#fetch('after markers', 1, 12)
  }

  async #administration(): Promise<void> {
    const producer = await this.#init('starts', 'listed')
    await this.#add('adds', producer, 3, 0)
    await this.#ask('all', LIST, 0, {})
    await this.#ask('open', LIST, 0, { stateFilters: ['Ongoing', 'bogus'] })
    await this.#ask('of a producer', LIST, 1, { producerIdFilters: [producer.producerId, 123_456] })
    for (const durationFilter of [-1, 0, 100_000])
      await this.#ask(`of ${durationFilter} ms`, LIST, 1, { durationFilter })
    await this.#ask('several', DESCRIBE, 0, { transactionalIds: ['listed', 'whole', 'epochs', 'nobody', ''] })
    await this.#end('aborts', producer, false)
    await this.#ask('open', LIST, 1, { stateFilters: ['Ongoing'] })
  }
}

/** An answer, or an error that names what was not answered. */
async function inTime<T>(name: string, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer: ${name}`)), PATIENCE_MS)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}

function offset(partitionIndex: number, committedOffset: number) {
  return { partitionIndex, committedOffset, committedMetadata: 'note' }
}
