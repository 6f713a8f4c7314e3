/** A group that moves from kafkajs member by member. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ConsumerRunConfig, Kafka, logLevel } from 'kafkajs'
import { connect, string } from '../../src/client/index.ts'
import { startCluster, type TestCluster } from '../../src/testing/index.ts'

const kafkajs = (cluster: TestCluster): Kafka =>
  new Kafka({ brokers: [cluster.bootstrapServers], logLevel: logLevel.NOTHING })

/** A member of `g` as kafkajs has them. */
async function theirMember(cluster: TestCluster, eachMessage: ConsumerRunConfig['eachMessage'] & {}) {
  const consumer = kafkajs(cluster).consumer({ groupId: 'g', heartbeatInterval: 100 })
  const assigned: number[][] = []
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => assigned.push(payload.memberAssignment.orders ?? []))
  await consumer.connect()
  await consumer.subscribe({ topic: 'orders', fromBeginning: true })
  await consumer.run({ autoCommitThreshold: 1, eachMessage })
  return { consumer, assigned, [Symbol.asyncDispose]: () => consumer.disconnect() }
}

test('members of kafkajs and ours share a group, and what those committed who leave is not read again', async () => {
  await using cluster = await startCluster({ topics: { orders: 2 } })
  const kafka = connect(cluster.bootstrapServers)
  await using producer = kafka.producer()
  const send = (values: readonly string[]): Promise<unknown> =>
    Promise.all(values.map((value, index) => producer.send('orders', { value, partition: index % 2 })))
  const seen: string[] = []
  let gotAll = (): void => {}
  const seenBy = (count: number): Promise<void> =>
    new Promise(resolve => {
      gotAll = () => seen.length >= count && resolve()
      gotAll()
    })
  const see = (value: string): void => {
    seen.push(value)
    gotAll()
  }
  await using theirs = await theirMember(cluster, async ({ message }) => see(`theirs ${message.value}`))
  await send(['a', 'b'])
  await seenBy(2)

  let ourPartitions = 0
  let shared = (): void => {}
  const isShared = new Promise<void>(resolve => {
    shared = resolve
  })
  await using consumer = kafka.consumer({
    groupId: 'g',
    value: string,
    autoOffsetReset: 'earliest',
    partitionAssignmentStrategy: 'RoundRobinAssigner',
    onAssigned: partitions => {
      ourPartitions += partitions.length
      shared()
    },
  })
  consumer.subscribe('orders')
  const running = consumer.run(({ value }) => see(`ours ${value}`))
  await isShared
  assert.equal(ourPartitions, 1)
  await send(['c', 'd'])
  await seenBy(4)
  await theirs.consumer.disconnect()
  await send(['e', 'f'])
  await seenBy(6)
  await consumer.close()
  await running
  assert.deepEqual(seen.slice(0, 2).sort(), ['theirs a', 'theirs b'])
  assert.deepEqual(
    seen
      .slice(2, 4)
      .map(line => line.split(' ')[0])
      .sort(),
    ['ours', 'theirs'],
  )
  assert.deepEqual(seen.slice(4).sort(), ['ours e', 'ours f'])
})
