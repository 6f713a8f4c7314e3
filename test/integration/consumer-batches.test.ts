/** Loops over batches: how they end, and several at once. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect } from '../../src/client/index.ts'
import { startCluster } from '../../src/testing/index.ts'
import { IN_TIME } from './client-time.ts'
import { FROM_START } from './consumer-records.ts'

const COMMITTED_BY_HAND = { ...FROM_START, enableAutoCommit: false }

test('a signal ends a loop over batches after the one in hand, which can be committed then', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  const kafka = connect(cluster.bootstrapServers)
  await using producer = kafka.producer()
  await producer.sendBatch('orders', [{ value: 'a' }, { value: 'b' }])
  await producer.sendBatch('orders', [{ value: 'c' }])
  await using consumer = kafka.consumer(COMMITTED_BY_HAND)
  consumer.subscribe('orders')
  const stop = new AbortController()
  const sizes: number[] = []
  for await (const { topic, partition, records } of consumer.batches({ signal: stop.signal })) {
    sizes.push(records.length)
    stop.abort()
    await consumer.commit([{ topic, partition, offset: records.at(-1)!.offset + 1 }])
  }
  assert.deepEqual(sizes, [2])
  const [committed] = await consumer.committed([{ topic: 'orders', partition: 0 }])
  assert.equal(committed?.offset, 2)
  for await (const { records } of consumer.batches()) {
    assert.equal(records[0]?.offset, 2, 'what the signal kept back comes in the next loop')
    break
  }
})

test('a signal ends a loop over batches that waits for records', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using consumer = connect(cluster.bootstrapServers).consumer()
  consumer.assign([{ topic: 'orders', partition: 0, offset: 0 }])
  const stop = new AbortController()
  const over = consumer.batches({ signal: stop.signal }).next()
  stop.abort()
  assert.deepEqual(await over, { done: true, value: undefined })
  for await (const _ of consumer.batches({ signal: stop.signal })) assert.fail('the signal was aborted before')
})

test('a loop over batches whose signal is none fails, and takes nothing', IN_TIME, async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  const kafka = connect(cluster.bootstrapServers)
  await using producer = kafka.producer()
  await producer.send('orders', { value: 'a' })
  await using consumer = kafka.consumer(FROM_START)
  consumer.assign([{ topic: 'orders', partition: 0, offset: 0 }])
  for (const given of [new AbortController(), null]) {
    await assert.rejects(consumer.batches({ signal: given as never }).next(), { code: 'INVALID_REQUEST' })
  }
  const { value } = await consumer.batches().next()
  assert.equal(value?.records[0]?.offset, 0)
})

test('several loops over batches work on several partitions at once', async () => {
  await using cluster = await startCluster({ topics: { orders: 2 } })
  const kafka = connect(cluster.bootstrapServers)
  await using producer = kafka.producer()
  for (const partition of [0, 1]) await producer.send('orders', { value: 'a', partition })
  await using consumer = kafka.consumer(FROM_START)
  consumer.subscribe('orders')
  let bothAreHere = (): void => {}
  const both = new Promise<void>(resolve => {
    bothAreHere = resolve
  })
  const inHand = new Set<number>()
  const loop = async (): Promise<void> => {
    for await (const { partition } of consumer.batches()) {
      if (inHand.add(partition).size === 2) bothAreHere()
      return await both
    }
  }
  await Promise.all([loop(), loop()])
  assert.deepEqual([...inHand].sort(), [0, 1])
})
