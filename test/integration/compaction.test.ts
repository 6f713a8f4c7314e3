/** Compaction in a whole broker: in its own thread, on a real disk, of users' topics and of the broker's own. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import kafkajs from 'kafkajs'
import * as p from '../../src/protocol/everything.ts'
import { until } from '../compat/process.ts'
import { TestBroker } from './test-broker.ts'

const PROPERTIES = {
  'log.cleaner.backoff.ms': '50',
  'offsets.topic.num.partitions': '1',
  'offsets.topic.segment.bytes': '2000',
  'log.cleaner.delete.retention.ms': '0',
}
const COMPACTED = { 'cleanup.policy': 'compact', 'segment.bytes': '2000', 'min.cleanable.dirty.ratio': '0.01' }
const OFFSET_COMMIT = [p.OffsetCommitRequest, p.OffsetCommitResponse] as const
const OFFSET_FETCH = [p.OffsetFetchRequest, p.OffsetFetchResponse] as const
const DELETE_GROUPS = [p.DeleteGroupsRequest, p.DeleteGroupsResponse] as const
const FIND_COORDINATOR = [p.FindCoordinatorRequest, p.FindCoordinatorResponse] as const

const INIT = [p.InitProducerIdRequest, p.InitProducerIdResponse] as const
const ADD_PARTITIONS = [p.AddPartitionsToTxnRequest, p.AddPartitionsToTxnResponse] as const
const END_TXN = [p.EndTxnRequest, p.EndTxnResponse] as const
const LIST_TXNS = [p.ListTransactionsRequest, p.ListTransactionsResponse] as const
const DESCRIBE_TXNS = [p.DescribeTransactionsRequest, p.DescribeTransactionsResponse] as const
/** A coordinator that is on its way. */
const NOT_YET: readonly number[] = [14, 15, 16, 51]

async function withClient<T>(broker: TestBroker, work: (client: kafkajs.Kafka) => Promise<T>): Promise<T> {
  return work(new kafkajs.Kafka({ brokers: [`127.0.0.1:${broker.port}`], logLevel: kafkajs.logLevel.NOTHING }))
}

function logOf(broker: TestBroker, topic: string) {
  const log = broker.server.services.replicas.partition(topic, 0).log
  assert.ok(log, `${topic} is here`)
  return log
}

test('a compacted topic keeps the last record of each key, and a consumer from the beginning gets the final state', async () => {
  const broker = await TestBroker.start(PROPERTIES)
  try {
    await broker.createTopics({ state: COMPACTED })
    await withClient(broker, async client => {
      const producer = client.producer({ idempotent: true })
      await producer.connect()
      for (let round = 0; round < 100; round++) {
        const messages = Array.from({ length: 10 }, (_, key) => ({
          key: `k${key}`,
          value: `${round} ${'x'.repeat(40)}`,
        }))
        await producer.send({ topic: 'state', messages, acks: -1 })
      }
      await producer.disconnect()
      const log = logOf(broker, 'state')
      await until('the log is clean', () => (log.cleanedUpTo ?? 0) > 900 && log.size < 8000)
      assert.equal(log.logEndOffset, 1000)
      const found = new Map<string, string>()
      const consumer = client.consumer({ groupId: 'readers' })
      await consumer.connect()
      await consumer.subscribe({ topic: 'state', fromBeginning: true })
      await new Promise<void>(resolve => {
        void consumer.run({
          eachMessage: async ({ message }) => {
            found.set(message.key!.toString(), message.value!.toString().split(' ')[0]!)
            if (message.offset === '999') resolve()
          },
        })
      })
      await consumer.disconnect()
      assert.deepEqual(
        [...found].sort(),
        Array.from({ length: 10 }, (_, key) => [`k${key}`, '99']),
      )
    })
    assert.deepEqual(broker.logged(/cannot be compacted|ERROR/), [])
  } finally {
    await broker.stop()
  }
})

test('committed offsets are compacted, and survive it together with a restart of their coordinator', async () => {
  const broker = await TestBroker.start(PROPERTIES)
  try {
    await broker.createTopics({ read: {} })
    const client = await broker.connect()
    const commit = async (groupId: string, committedOffset: number): Promise<void> => {
      const partitions = [{ partitionIndex: 0, committedOffset, committedMetadata: '' }]
      const request = { groupId, generationIdOrMemberEpoch: -1, memberId: '', topics: [{ name: 'read', partitions }] }
      await patiently(async () => {
        const { topics } = await client.call(OFFSET_COMMIT, 7, request)
        return topics[0]!.partitions[0]!.errorCode
      })
    }
    await client.call(FIND_COORDINATOR, 2, { key: 'kept', keyType: 0 })
    await commit('gone', 1)
    for (let offset = 0; offset < 100; offset++) await commit('kept', offset)
    const deleted = await client.call(DELETE_GROUPS, 1, { groupsNames: ['gone'] })
    assert.equal(deleted.results[0]!.errorCode, 0)
    for (let offset = 100; offset < 160; offset++) await commit('kept', offset)
    const log = logOf(broker, '__consumer_offsets')
    await until('the offsets are compacted', () => (log.cleanedUpTo ?? 0) > log.logEndOffset - 60 && log.size < 8000)
    await broker.server.stop()
    const again = await TestBroker.start({ ...PROPERTIES, 'log.dirs': join(broker.directory, 'logs') })
    try {
      const after = await again.connect()
      const topics = [{ name: 'read', partitionIndexes: [0] }]
      let committedOffset: number | undefined
      await patiently(async () => {
        const committed = await after.call(OFFSET_FETCH, 5, { groupId: 'kept', topics })
        committedOffset = committed.topics[0]?.partitions[0]?.committedOffset
        return committed.errorCode
      })
      assert.equal(committedOffset, 159)
      const gone = await after.call(OFFSET_FETCH, 5, { groupId: 'gone', topics })
      assert.equal(gone.topics[0]?.partitions[0]?.committedOffset, -1)
      after.close()
    } finally {
      await again.stop()
    }
    assert.deepEqual(broker.logged(/cannot be compacted|ERROR/), [])
  } finally {
    await broker.stop()
  }
})

test('the state of transactions is compacted, and a restarted coordinator loads what it was', async () => {
  const properties = {
    ...PROPERTIES,
    'transaction.state.log.num.partitions': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'transaction.state.log.segment.bytes': '3000',
  }
  const broker = await TestBroker.start(properties)
  const ids = ['commits', 'aborts', 'open', 'idle']
  try {
    await broker.createTopics({ written: {} })
    const client = await broker.connect()
    await patiently(async () => (await client.call(FIND_COORDINATOR, 2, { key: 'open', keyType: 1 })).errorCode)
    const producers = new Map<string, { producerId: number; producerEpoch: number }>()
    for (const transactionalId of ids) {
      await patiently(async () => {
        const { errorCode, ...producer } = await client.call(INIT, 4, { transactionalId, transactionTimeoutMs: 60_000 })
        producers.set(transactionalId, producer)
        return errorCode
      })
    }
    const begin = (transactionalId: string): Promise<void> =>
      patiently(async () => {
        const topics = [{ name: 'written', partitions: [0] }]
        const request = { v3AndBelowTransactionalId: transactionalId, v3AndBelowTopics: topics }
        const { producerId, producerEpoch } = producers.get(transactionalId)!
        const added = await client.call(ADD_PARTITIONS, 3, {
          ...request,
          v3AndBelowProducerId: producerId,
          v3AndBelowProducerEpoch: producerEpoch,
        })
        return added.resultsByTopicV3AndBelow[0]!.resultsByPartition[0]!.partitionErrorCode
      })
    for (let turn = 0; turn < 40; turn++) {
      for (const transactionalId of ['commits', 'aborts']) {
        await begin(transactionalId)
        const end = { transactionalId, ...producers.get(transactionalId)!, committed: transactionalId === 'commits' }
        await patiently(async () => (await client.call(END_TXN, 3, end)).errorCode)
      }
      if (turn === 0) await begin('open')
    }
    const states = async (connection: typeof client) => {
      const listed = await connection.call(LIST_TXNS, 0, {})
      const { transactionStates } = await connection.call(DESCRIBE_TXNS, 0, { transactionalIds: ids })
      const byId = <T extends { readonly transactionalId: string }>(entries: readonly T[]): T[] =>
        [...entries].sort((one, other) => (one.transactionalId < other.transactionalId ? -1 : 1))
      return { listed: byId(listed.transactionStates), described: byId(transactionStates) }
    }
    const isSettled = (state: string): boolean => !state.startsWith('Prepare')
    let before = await states(client)
    await until('the transactions are settled', async () => {
      before = await states(client)
      return before.described.every(({ transactionState }) => isSettled(transactionState))
    })
    assert.deepEqual(
      before.described.map(({ transactionState }) => transactionState),
      ['CompleteAbort', 'CompleteCommit', 'Empty', 'Ongoing'],
    )
    const log = logOf(broker, '__transaction_state')
    await until('the transactions are compacted', () => log.cleanedUpTo === log.segmentBaseOffsets.at(-1))
    assert.ok(log.segmentBaseOffsets.length > 1 && log.size < 8_000, `${log.size} bytes in ${log.segmentBaseOffsets}`)
    await broker.server.stop()
    const again = await TestBroker.start({ ...properties, 'log.dirs': join(broker.directory, 'logs') })
    try {
      const after = await again.connect()
      await patiently(async () => (await after.call(LIST_TXNS, 0, {})).errorCode)
      assert.deepEqual(await states(after), before)
      after.close()
    } finally {
      await again.stop()
    }
    assert.deepEqual(broker.logged(/cannot be compacted|ERROR/), [])
  } finally {
    await broker.stop()
  }
})

/** Asks until the coordinator is there and has ended what it was asked before. */
async function patiently(ask: () => Promise<number>): Promise<void> {
  let errorCode = 0
  await until(
    () => `error ${errorCode}`,
    async () => {
      errorCode = await ask()
      assert.ok(errorCode === 0 || NOT_YET.includes(errorCode), `error ${errorCode}`)
      return errorCode === 0
    },
  )
}
