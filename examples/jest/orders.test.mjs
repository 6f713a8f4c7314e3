/** A test with a Kafka of its own under Jest, which wants a flag for ES modules: `NODE_OPTIONS=--experimental-vm-modules npx jest`. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { connect, json } from 'monedula'
import { startCluster } from 'monedula/testing'

let cluster
beforeAll(async () => {
  cluster = await startCluster({ topics: { orders: 3 } })
})
afterAll(() => cluster.stop())

test('an order that was sent is read, also when the broker fails once', async () => {
  cluster.failNext('Produce', 'NOT_LEADER_OR_FOLLOWER')
  const kafka = connect(cluster.bootstrapServers)

  const producer = kafka.producer({ value: json() })
  await producer.send('orders', { key: 'anna', value: { id: 1 } })
  await producer.close()

  const consumer = kafka.consumer({ groupId: 'test', value: json(), autoOffsetReset: 'earliest' })
  consumer.subscribe('orders')
  for await (const { value } of consumer) {
    expect(value).toEqual({ id: 1 })
    break
  }
  await consumer.close()
})
