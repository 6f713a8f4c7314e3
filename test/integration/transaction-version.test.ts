/** Transactions of our clients where an operator has finalized `transaction.version` 2 (KIP-890). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect, string } from '../../src/client/index.ts'
import { startCluster, type TestCluster } from '../../src/testing/index.ts'

type Kafka = ReturnType<typeof connect>

async function finalize(kafka: Kafka, level: number, type?: 'safe-downgrade'): Promise<void> {
  await using admin = kafka.admin()
  const update = { feature: 'transaction.version', maxVersionLevel: level }
  await admin.updateFeatures([type === undefined ? update : { ...update, type }])
}

/** Names of the requests that come to the broker, with their versions. */
function requestsOf(cluster: TestCluster, apis: readonly string[]): string[] {
  const seen: string[] = []
  for (const api of apis) {
    cluster.control(api, async request => {
      const answer = await request.proceed()
      seen.push(api)
      return answer
    })
  }
  return seen
}

async function committed(kafka: Kafka, topic: string, count: number): Promise<string[]> {
  await using consumer = kafka.consumer({
    isolationLevel: 'read_committed',
    value: string,
    autoOffsetReset: 'earliest',
  })
  await consumer.assign([0, 1].map(partition => ({ topic, partition })))
  const values: string[] = []
  for await (const record of consumer) {
    values.push(record.value ?? '')
    if (values.length === count) break
  }
  return values.sort()
}

test('transaction.version is raised, told of and lowered', async () => {
  await using cluster = await startCluster()
  const kafka = connect(cluster.bootstrapServers)
  await using admin = kafka.admin()
  const before = await admin.describeFeatures()
  assert.deepEqual(before.finalized, [])
  await finalize(kafka, 2)
  const raised = await admin.describeFeatures()
  assert.deepEqual(raised.finalized, [{ feature: 'transaction.version', minVersionLevel: 2, maxVersionLevel: 2 }])
  assert.ok((raised.finalizedEpoch ?? -1) > (before.finalizedEpoch ?? -1))
  await assert.rejects(finalize(kafka, 3), { code: 'INVALID_REQUEST' })
  await assert.rejects(finalize(kafka, 1), { code: 'INVALID_REQUEST' })
  await finalize(kafka, 1, 'safe-downgrade')
  assert.equal((await admin.describeFeatures()).finalized[0]?.maxVersionLevel, 1)
  await finalize(kafka, 0, 'safe-downgrade')
  assert.deepEqual((await admin.describeFeatures()).finalized, [])
})

test('transactions name no partition, take an epoch each, and show what is committed alone', async () => {
  await using cluster = await startCluster({ topics: { orders: 2 } })
  const kafka = connect(cluster.bootstrapServers)
  await finalize(kafka, 2)
  const named = requestsOf(cluster, ['AddPartitionsToTxn', 'AddOffsetsToTxn'])
  await using producer = connect(cluster.bootstrapServers).producer({ transactionalId: 'a' })
  await using admin = kafka.admin()
  await producer.initTransactions()
  const expected: string[] = []
  for (let turn = 0; turn < 21; turn += 1) {
    producer.beginTransaction()
    const values = [0, 1].flatMap(partition =>
      [0, 1, 2].map(index => ({ partition, value: `${turn}.${partition}.${index}` })),
    )
    await Promise.all(values.map(record => producer.send('orders', record)))
    await producer.sendOffsets([{ topic: 'orders', partition: 0, offset: turn + 1 }], { groupId: 'readers' })
    if (turn % 3 === 2) await producer.abortTransaction()
    else {
      await producer.commitTransaction()
      expected.push(...values.map(({ value }) => value))
    }
  }
  assert.deepEqual(named, [])
  assert.deepEqual(await committed(kafka, 'orders', expected.length), expected.sort())
  const [described] = await admin.describeTransactions(['a'])
  assert.equal(described?.producerEpoch, 21)
  const [offset] = await admin.listConsumerGroupOffsets('readers')
  assert.equal(offset?.offset, 20)
})

test('a producer that was fenced stays out, and its transaction is aborted', async () => {
  await using cluster = await startCluster({ topics: { orders: 2 } })
  const kafka = connect(cluster.bootstrapServers)
  await finalize(kafka, 2)
  await using former = connect(cluster.bootstrapServers).producer({ transactionalId: 'a' })
  await former.initTransactions()
  former.beginTransaction()
  await former.send('orders', { partition: 0, value: 'no' })
  await using producer = connect(cluster.bootstrapServers).producer({ transactionalId: 'a' })
  await producer.transaction(() => producer.send('orders', { partition: 0, value: 'yes' }))
  await assert.rejects(former.send('orders', { partition: 1, value: 'no' }))
  await assert.rejects(former.commitTransaction())
  await producer.transaction(() => producer.send('orders', { partition: 1, value: 'yes too' }))
  assert.deepEqual(await committed(kafka, 'orders', 2), ['yes', 'yes too'])
})

test('a transaction without a record is aborted, and the next one works', async () => {
  await using cluster = await startCluster({ topics: { orders: 2 } })
  const kafka = connect(cluster.bootstrapServers)
  await finalize(kafka, 2)
  await using producer = connect(cluster.bootstrapServers).producer({ transactionalId: 'a' })
  await producer.initTransactions()
  producer.beginTransaction()
  await producer.abortTransaction()
  await producer.transaction(() => producer.send('orders', { partition: 0, value: 'yes' }))
  assert.deepEqual(await committed(kafka, 'orders', 1), ['yes'])
})

test('a transaction under way when the level is raised or lowered ends as it was begun', async () => {
  await using cluster = await startCluster({ topics: { orders: 2 } })
  const kafka = connect(cluster.bootstrapServers)
  await using producer = connect(cluster.bootstrapServers).producer({ transactionalId: 'a' })
  await producer.initTransactions()
  producer.beginTransaction()
  await producer.send('orders', { partition: 0, value: 'first' })
  await finalize(kafka, 2)
  await producer.send('orders', { partition: 1, value: 'second' })
  await producer.commitTransaction()
  await using other = connect(cluster.bootstrapServers).producer({ transactionalId: 'b' })
  await other.initTransactions()
  other.beginTransaction()
  await other.send('orders', { partition: 0, value: 'third' })
  await finalize(kafka, 0, 'safe-downgrade')
  await other.commitTransaction()
  await producer.transaction(() => producer.send('orders', { partition: 0, value: 'fourth' }))
  assert.deepEqual(await committed(kafka, 'orders', 4), ['first', 'fourth', 'second', 'third'])
})

test('a producer of the second protocol that has not heard that the level was lowered goes on', async () => {
  await using cluster = await startCluster({ topics: { orders: 2 } })
  const kafka = connect(cluster.bootstrapServers)
  await finalize(kafka, 2)
  await using producer = connect(cluster.bootstrapServers).producer({ transactionalId: 'a' })
  await producer.transaction(() => producer.send('orders', { partition: 0, value: 'first' }))
  await finalize(kafka, 0, 'safe-downgrade')
  await producer.transaction(() => producer.send('orders', { partition: 1, value: 'second' }))
  await producer.transaction(async () => {
    await producer.send('orders', { partition: 0, value: 'third' })
    await producer.sendOffsets([{ topic: 'orders', partition: 0, offset: 1 }], { groupId: 'readers' })
  })
  assert.deepEqual(await committed(kafka, 'orders', 3), ['first', 'second', 'third'])
})
