/** What producers and consumers say of topics, and whether they create them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect } from '../../src/client/index.ts'
import { startCluster } from '../../src/testing/index.ts'
import { LONG_MS, movableTime } from './client-time.ts'

test('producers and consumers tell the partitions of a topic, and consumers all topics', async () => {
  await using cluster = await startCluster({ topics: { orders: 3, bills: 1 } })
  const kafka = connect(cluster.bootstrapServers)
  await using producer = kafka.producer()
  await using consumer = kafka.consumer()
  for (const client of [producer, consumer]) {
    const partitions = await client.partitionsFor('orders')
    const found = partitions.map(({ partition, leader, isr }) => [partition, leader, isr])
    assert.deepEqual(
      found,
      [0, 1, 2].map(partition => [partition, 0, [0]]),
    )
  }
  assert.deepEqual(
    (await consumer.listTopics()).map(({ name, partitions }) => [name, partitions.length]),
    [
      ['bills', 1],
      ['orders', 3],
    ],
  )
})

test('a topic that is not there is said not to be, at once where asking for it does not create it', async () => {
  await using cluster = await startCluster()
  const kafka = connect(cluster.bootstrapServers)
  const missing = { code: 'UNKNOWN_TOPIC_OR_PARTITION' }
  await using producer = kafka.producer({ allowAutoCreateTopics: false, maxBlockMs: 30_000 })
  await using consumer = kafka.consumer({ 'allow.auto.create.topics': false })
  await assert.rejects(producer.partitionsFor('orders'), missing)
  await assert.rejects(consumer.partitionsFor('orders'), missing)
  const { clock, platform } = movableTime()
  await using hurried = kafka.producer({ allowAutoCreateTopics: false, maxBlockMs: LONG_MS, platform })
  await hurried.connect()
  let asked = 0
  cluster.control('Metadata', () => {
    // It has had an answer by then.
    if (++asked === 2) clock.advance(LONG_MS)
    return undefined
  })
  await assert.rejects(hurried.send('orders', { value: 'a' }), missing)
  assert.deepEqual(await consumer.listTopics(), [])
})

test('a producer has the broker create the topic that it sends to, as Java', async () => {
  await using cluster = await startCluster({ config: { 'num.partitions': 2 } })
  const kafka = connect(cluster.bootstrapServers)
  await using producer = kafka.producer()
  assert.equal((await producer.send('orders', { value: 'a' })).offset, 0)
  assert.equal((await producer.partitionsFor('bills')).length, 2)
})
