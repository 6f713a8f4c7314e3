import assert from 'node:assert/strict'
import { test } from 'node:test'
import kafkajs from 'kafkajs'
import { type Admin, connect, ItemsFailed } from '../../src/client/index.ts'
import { startCluster, type TestCluster } from '../../src/testing/index.ts'

const failsWith =
  (code: string, ...names: string[]) =>
  (error: unknown) => {
    assert(error instanceof ItemsFailed, String(error))
    assert.equal(error.code, code)
    assert.deepEqual([...error.failures.keys()], names)
    return true
  }

async function publish(cluster: TestCluster, topic: string, values: readonly string[]): Promise<void> {
  const kafka = new kafkajs.Kafka({ brokers: [cluster.bootstrapServers], logLevel: kafkajs.logLevel.NOTHING })
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic, messages: values.map((value, at) => ({ value, timestamp: String(1000 + at) })) })
  await producer.disconnect()
}

const partitionCount = async (admin: Admin, topic: string) =>
  (await admin.describeTopics([topic]))[0]?.partitions.length

test('topics are created with their settings, described, listed, grown and deleted', async () => {
  await using cluster = await startCluster()
  await using admin = connect(cluster.bootstrapServers).admin()
  const configs = { 'retention.ms': '1000' }
  const [created] = await admin.createTopics([{ name: 'orders', partitions: 2, replicationFactor: 1, configs }])
  assert.deepEqual([created?.name, created?.partitions, created?.replicationFactor], ['orders', 2, 1])
  await admin.createTopics([{ name: 'placed', assignments: [[0], [0], [0]] }])
  assert.equal(await partitionCount(admin, 'placed'), 3)
  assert.deepEqual(
    (await admin.listTopics()).map(({ name }) => name),
    ['orders', 'placed'],
  )
  const [orders] = await admin.describeTopics(['orders'])
  assert.equal(orders?.id, created?.id)
  assert.deepEqual(orders?.partitions[1]?.replicas, [0])
  await admin.createPartitions([{ topic: 'orders', total: 5 }])
  assert.equal(await partitionCount(admin, 'orders'), 5)
  await admin.deleteTopics(['placed'])
  assert.deepEqual(
    (await admin.listTopics()).map(({ name }) => name),
    ['orders'],
  )
})

test('what is refused is named with its code, and the rest is done', async () => {
  await using cluster = await startCluster({ topics: ['taken'] })
  await using admin = connect(cluster.bootstrapServers).admin()
  await assert.rejects(admin.createTopics([{ name: 'taken' }, { name: 'free' }]), error => {
    assert(error instanceof ItemsFailed)
    assert.equal(error.code, 'TOPIC_ALREADY_EXISTS')
    assert.match(error.message, /^taken: /)
    assert.deepEqual(
      error.results.map(one => (one as { name: string }).name),
      ['free'],
    )
    return true
  })
  assert.equal(await partitionCount(admin, 'free'), 1)
  await assert.rejects(admin.deleteTopics(['no1', 'no2']), failsWith('UNKNOWN_TOPIC_OR_PARTITION', 'no1', 'no2'))
  await assert.rejects(admin.describeTopics(['no1']), failsWith('UNKNOWN_TOPIC_OR_PARTITION', 'no1'))
  await assert.rejects(
    admin.listOffsets([{ topic: 'no1', partition: 3, at: 'latest' }]),
    failsWith('UNKNOWN_TOPIC_OR_PARTITION', 'no1-3'),
  )
  await assert.rejects(admin.createPartitions([{ topic: 'taken', total: 1 }]), failsWith('INVALID_PARTITIONS', 'taken'))
})

test('validateOnly says what would be refused, and creates nothing', async () => {
  await using cluster = await startCluster()
  await using admin = connect(cluster.bootstrapServers).admin()
  await admin.createTopics([{ name: 'orders' }], { validateOnly: true })
  await assert.rejects(
    admin.createTopics([{ name: 'a b' }], { validateOnly: true }),
    failsWith('INVALID_TOPIC_EXCEPTION', 'a b'),
  )
  assert.deepEqual(await admin.listTopics(), [])
})

test('a call goes on over a refusal that passes and a broken connection', async () => {
  await using cluster = await startCluster()
  await using admin = connect(cluster.bootstrapServers).admin()
  cluster.failNext('CreateTopics', 'NOT_CONTROLLER')
  await admin.createTopics([{ name: 'orders' }])
  cluster.disconnectNext('DeleteTopics')
  await admin.deleteTopics(['orders'])
  assert.deepEqual(await admin.listTopics(), [])
})

test('a call ends by its time, and by its signal', async () => {
  await using cluster = await startCluster()
  await using admin = connect(cluster.bootstrapServers).admin()
  cluster.failNext('CreateTopics', 'NOT_CONTROLLER', { times: Number.POSITIVE_INFINITY })
  await assert.rejects(admin.createTopics([{ name: 'orders' }], { timeoutMs: 50 }), { code: 'REQUEST_TIMED_OUT' })
  const signal = AbortSignal.abort(new Error('enough'))
  await assert.rejects(admin.listTopics({ signal }), /enough/)
})

test('settings are described with their source, and changed one by one', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using admin = connect(cluster.bootstrapServers).admin()
  const topic = { type: 'topic', name: 'orders' } as const
  const of = async (name: string) => {
    const [described] = await admin.describeConfigs([topic], { names: [name] })
    return described?.entries.map(({ value, source }) => [value, source])
  }
  assert.deepEqual(await of('retention.ms'), [['604800000', 'default']])
  await admin.incrementalAlterConfigs([
    {
      ...topic,
      changes: [
        { name: 'retention.ms', value: '5000' },
        { name: 'cleanup.policy', operation: 'append', value: 'compact' },
      ],
    },
  ])
  assert.deepEqual(await of('retention.ms'), [['5000', 'dynamic-topic']])
  assert.deepEqual(await of('cleanup.policy'), [['delete,compact', 'dynamic-topic']])
  await admin.incrementalAlterConfigs([{ ...topic, changes: [{ name: 'retention.ms', operation: 'delete' }] }])
  assert.deepEqual(await of('retention.ms'), [['604800000', 'default']])
  const wrong = [{ ...topic, changes: [{ name: 'retention.ms', value: 'soon' }] }]
  await assert.rejects(admin.incrementalAlterConfigs(wrong), failsWith('INVALID_CONFIG', 'topic orders'))
  const [broker] = await admin.describeConfigs([{ type: 'broker', name: '0' }], { names: ['broker.id'] })
  assert.deepEqual(
    broker?.entries.map(({ value, source }) => [value, source]),
    [['0', 'static-broker']],
  )
})

test('offsets are found by end and time, and records before one are deleted', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using admin = connect(cluster.bootstrapServers).admin()
  await publish(cluster, 'orders', ['a', 'b', 'c'])
  const at = async (at: 'earliest' | 'latest' | 'max-timestamp' | number) =>
    (await admin.listOffsets([{ topic: 'orders', partition: 0, at }]))[0]?.offset
  assert.deepEqual([await at('earliest'), await at('latest'), await at(1001), await at('max-timestamp')], [0, 3, 1, 2])
  const place = { topic: 'orders', partition: 0 }
  assert.deepEqual(await admin.deleteRecords([{ ...place, beforeOffset: 2 }]), [{ ...place, lowWatermark: 2 }])
  assert.equal(await at('earliest'), 2)
  await assert.rejects(
    admin.deleteRecords([{ ...place, beforeOffset: 9 }]),
    failsWith('OFFSET_OUT_OF_RANGE', 'orders-0'),
  )
})

test('the cluster and its log directories are described', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using admin = connect(cluster.bootstrapServers).admin()
  const { clusterId, controllerId, brokers } = await admin.describeCluster()
  assert.deepEqual([clusterId, controllerId], [cluster.clusterId, 0])
  assert.deepEqual(
    brokers.map(({ host, port }) => `${host}:${port}`),
    [cluster.bootstrapServers],
  )
  const [dir] = await admin.describeLogDirs([0])
  assert.deepEqual(
    dir?.replicas.map(({ topic, partition }) => [topic, partition]),
    [['orders', 0]],
  )
})

test('groups are listed, described with what each member reads, moved to other offsets, and deleted', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await publish(cluster, 'orders', ['a', 'b', 'c'])
  const kafka = connect(cluster.bootstrapServers)
  await using admin = kafka.admin()
  {
    await using consumer = kafka.consumer({ groupId: 'billing', autoOffsetReset: 'earliest', clientId: 'till' })
    consumer.subscribe('orders')
    for await (const _ of consumer) break
    const [group] = await admin.describeConsumerGroups(['billing'])
    assert.deepEqual([group?.state, group?.assignor, group?.coordinator], ['Stable', 'range', 0])
    assert.deepEqual(
      group?.members.map(({ clientId, assignment }) => [clientId, assignment]),
      [['till', [{ topic: 'orders', partition: 0 }]]],
    )
    await assert.rejects(admin.deleteConsumerGroups(['billing', 'none']), error => {
      assert(error instanceof ItemsFailed)
      assert.deepEqual(
        Array.from(error.failures, ([name, { code }]) => [name, code]),
        [
          ['billing', 'NON_EMPTY_GROUP'],
          ['none', 'GROUP_ID_NOT_FOUND'],
        ],
      )
      return true
    })
  }
  assert.deepEqual(await admin.listConsumerGroups(), [{ groupId: 'billing', protocolType: 'consumer', state: 'Empty' }])
  assert.deepEqual(await admin.listConsumerGroups({ states: ['Stable'] }), [])
  const place = { topic: 'orders', partition: 0 }
  await admin.alterConsumerGroupOffsets('billing', [{ ...place, offset: 2 }])
  assert.deepEqual(
    (await admin.listConsumerGroupOffsets('billing')).map(({ offset }) => offset),
    [2],
  )
  await admin.deleteConsumerGroupOffsets('billing', [place])
  assert.deepEqual(await admin.listConsumerGroupOffsets('billing'), [])
  await admin.alterConsumerGroupOffsets('billing', [{ ...place, offset: 1 }])
  await admin.deleteConsumerGroups(['billing'])
  assert.deepEqual(await admin.listConsumerGroups(), [])
})

test('transactions are listed and described, and a partition names who has one open', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  const kafka = connect(cluster.bootstrapServers)
  await using admin = kafka.admin()
  await using producer = kafka.producer({ transactionalId: 'till' })
  const place = { topic: 'orders', partition: 0 }
  await producer.transaction(async tx => {
    await tx.send('orders', { value: 'a' })
    const [till] = await admin.describeTransactions(['till'])
    assert.deepEqual([till?.state, till?.coordinator, till?.partitions], ['Ongoing', 0, [place]])
    const [described] = await admin.describeProducers([place])
    assert.deepEqual(
      described?.producers.map(({ producerId, transactionStartOffset }) => [producerId, transactionStartOffset]),
      [[till?.producerId, 0]],
    )
    assert.deepEqual(await admin.listTransactions({ states: ['Ongoing'] }), [
      { transactionalId: 'till', producerId: till?.producerId, state: 'Ongoing' },
    ])
  })
  assert.deepEqual(await admin.listTransactions({ states: ['Ongoing'] }), [])
  assert.equal((await admin.describeProducers([place]))[0]?.producers[0]?.transactionStartOffset, undefined)
  await assert.rejects(admin.describeTransactions(['none']), failsWith('TRANSACTIONAL_ID_NOT_FOUND', 'none'))
})

test('a static member is removed from its group by its name, one that is not there is refused', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await publish(cluster, 'orders', ['a'])
  const kafka = connect(cluster.bootstrapServers)
  await using admin = kafka.admin()
  const settings = { groupId: 'billing', autoOffsetReset: 'earliest', groupInstanceId: 'till-1' } as const
  {
    await using consumer = kafka.consumer(settings)
    consumer.subscribe('orders')
    for await (const _ of consumer) break
  }
  const members = async () => (await admin.describeConsumerGroups(['billing']))[0]?.members.length
  assert.equal(await members(), 1)
  await admin.removeMembersFromConsumerGroup('billing', [{ groupInstanceId: 'till-1' }])
  assert.equal(await members(), 0)
  await assert.rejects(
    admin.removeMembersFromConsumerGroup('billing', [{ memberId: 'nobody' }]),
    failsWith('UNKNOWN_MEMBER_ID', 'nobody'),
  )
})

test('electing the leader that leads already is no failure, a partition that is not there is', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using admin = connect(cluster.bootstrapServers).admin()
  await admin.electLeaders('preferred', [{ topic: 'orders', partition: 0 }])
  await assert.rejects(
    admin.electLeaders('preferred', [{ topic: 'none', partition: 0 }]),
    failsWith('UNKNOWN_TOPIC_OR_PARTITION', 'none-0'),
  )
})
