/** A test with a Kafka of its own, made for it and gone with it: `node --test dist/examples/embedded.test.js`. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect, json } from 'monedula'
import { startCluster } from 'monedula/testing'

interface Order {
  readonly id: number
}

test('an order that was sent is read, also when the broker fails once', async () => {
  await using cluster = await startCluster({ topics: { orders: 3 } })
  cluster.failNext('Produce', 'NOT_LEADER_OR_FOLLOWER')

  const kafka = connect(cluster.bootstrapServers)
  await using producer = kafka.producer({ value: json<Order>() })
  await producer.send('orders', { key: 'anna', value: { id: 1 } })

  await using consumer = kafka.consumer({ groupId: 'test', value: json<Order>(), autoOffsetReset: 'earliest' })
  consumer.subscribe('orders')
  for await (const { value } of consumer) {
    assert.deepEqual(value, { id: 1 })
    break
  }
})
