/** Compaction in a whole broker: in its own thread, on a real disk, of users' topics and of the broker's own. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import kafkajs from 'kafkajs'
import * as p from '../../src/protocol/everything.ts'
import { TestBroker } from './test-broker.ts'

const PROPERTIES = {
  'log.cleaner.backoff.ms': '50',
  'offsets.topic.num.partitions': '1',
  'offsets.topic.segment.bytes': '2000',
  'log.cleaner.delete.retention.ms': '0',
}
const COMPACTED = { 'cleanup.policy': 'compact', 'segment.bytes': '2000', 'min.cleanable.dirty.ratio': '0.01' }
const TIMEOUT_MS = 30_000
const OFFSET_COMMIT = [p.OffsetCommitRequest, p.OffsetCommitResponse] as const
const OFFSET_FETCH = [p.OffsetFetchRequest, p.OffsetFetchResponse] as const
const DELETE_GROUPS = [p.DeleteGroupsRequest, p.DeleteGroupsResponse] as const
const FIND_COORDINATOR = [p.FindCoordinatorRequest, p.FindCoordinatorResponse] as const

async function until(what: string, isSo: () => boolean): Promise<void> {
  const deadline = Date.now() + TIMEOUT_MS
  while (!isSo()) {
    assert.ok(Date.now() < deadline, `waited in vain until ${what}`)
    await sleep(20)
  }
}

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
      for (;;) {
        const { topics } = await client.call(OFFSET_COMMIT, 7, request)
        const { errorCode } = topics[0]!.partitions[0]!
        if (errorCode === 0) return
        // The coordinator is loading.
        assert.ok([14, 15, 16].includes(errorCode), `error ${errorCode}`)
        await sleep(20)
      }
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
      let committed = await after.call(OFFSET_FETCH, 5, { groupId: 'kept', topics })
      while (committed.errorCode !== 0) {
        await sleep(20)
        committed = await after.call(OFFSET_FETCH, 5, { groupId: 'kept', topics })
      }
      assert.equal(committed.topics[0]?.partitions[0]?.committedOffset, 159)
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
