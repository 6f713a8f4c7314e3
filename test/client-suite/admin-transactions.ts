import assert from 'node:assert/strict'
import { eventually, failsWith, type Scenario, type SuiteCluster } from './suite.ts'

async function transactions(cluster: SuiteCluster): Promise<void> {
  const topic = await cluster.topic()
  const id = cluster.name('till')
  await using admin = cluster.kafka.admin()
  await using producer = cluster.kafka.producer({ transactionalId: id })
  const place = { topic, partition: 0 }
  const ongoing = async () =>
    (await admin.listTransactions({ states: ['Ongoing'] })).filter(one => one.transactionalId === id)
  await producer.transaction(async tx => {
    await tx.send(topic, { value: 'a' })
    const [till] = await admin.describeTransactions([id])
    assert.deepEqual([till?.state, till?.coordinator, till?.partitions], ['Ongoing', 0, [place]])
    const [writers] = await admin.describeProducers([place])
    assert.deepEqual(
      writers?.producers.map(({ producerId, transactionStartOffset }) => [producerId, transactionStartOffset]),
      [[till?.producerId, 0]],
    )
    assert.deepEqual(await ongoing(), [{ transactionalId: id, producerId: till?.producerId, state: 'Ongoing' }])
  })
  assert.deepEqual(await ongoing(), [])
  await eventually(
    async () => (await admin.describeProducers([place]))[0]?.producers[0]?.transactionStartOffset === undefined,
    true,
  )
  await assert.rejects(admin.describeTransactions(['none']), failsWith('TRANSACTIONAL_ID_NOT_FOUND', 'none'))
}

async function filters(cluster: SuiteCluster): Promise<void> {
  const topic = await cluster.topic()
  const id = cluster.name('till')
  await using admin = cluster.kafka.admin()
  await using producer = cluster.kafka.producer({ transactionalId: id })
  await producer.transaction(async tx => {
    await tx.send(topic, { value: 'a' })
    const [{ producerId } = { producerId: -1 }] = await admin.describeTransactions([id])
    const has = async (filter: object) => (await admin.listTransactions(filter)).some(one => one.transactionalId === id)
    assert.ok(await has({ producerIds: [producerId], states: ['Ongoing', 'Empty'] }))
    assert.equal(await has({ producerIds: [producerId + 1] }), false)
    assert.equal(await has({ states: ['Empty'] }), false)
    assert.equal(await has({ minDurationMs: 3_600_000 }), false)
    await eventually(() => has({ minDurationMs: 0 }), true)
  })
}

async function committedEnds(cluster: SuiteCluster): Promise<void> {
  const topic = await cluster.topic()
  await using admin = cluster.kafka.admin()
  await using producer = cluster.kafka.producer({ transactionalId: cluster.name('till') })
  const latest = async (isolationLevel: 'read_committed' | 'read_uncommitted') =>
    (await admin.listOffsets([{ topic, partition: 0, at: 'latest' }], { isolationLevel }))[0]?.offset
  await producer.transaction(async tx => {
    await tx.send(topic, { value: 'a' })
    assert.deepEqual([await latest('read_committed'), await latest('read_uncommitted')], [0, 1])
  })
  await eventually(() => latest('read_committed'), 2)
}

async function fencing(cluster: SuiteCluster): Promise<void> {
  const topic = await cluster.topic()
  const transactionalId = cluster.name('till')
  await using admin = cluster.kafka.admin()
  await using old = cluster.kafka.producer({ transactionalId })
  await assert.rejects(
    old.transaction(async tx => {
      await tx.send(topic, { value: 'late' })
      const [before] = await admin.describeTransactions([transactionalId])
      const [fenced] = await admin.fenceProducers([transactionalId])
      assert.deepEqual([fenced?.transactionalId, fenced?.producerId], [transactionalId, before?.producerId])
      assert.ok(fenced && before && fenced.producerEpoch > before.producerEpoch)
    }),
    (error: { fatal?: boolean }) => error.fatal === true,
  )
  const place = { topic, partition: 0 }
  await eventually(
    async () => (await admin.describeProducers([place]))[0]?.producers[0]?.transactionStartOffset === undefined,
    true,
  )
  await using young = cluster.kafka.producer({ transactionalId })
  await young.transaction(async tx => void (await tx.send(topic, { value: 'next' })))
  assert.deepEqual(await cluster.values(topic, 1), ['next'])
}

async function aborting(cluster: SuiteCluster): Promise<void> {
  const topic = await cluster.topic()
  const place = { topic, partition: 0 }
  await using admin = cluster.kafka.admin()
  const transactionalId = cluster.name('till')
  await using before = cluster.kafka.producer({ transactionalId })
  await before.initTransactions()
  await using producer = cluster.kafka.producer({ transactionalId })
  await producer.initTransactions()
  producer.beginTransaction()
  await producer.send(topic, { value: 'hangs' })
  const open = async () => (await admin.describeProducers([place], { broker: 0 }))[0]?.producers[0]
  const hanging = await open()
  assert.equal(hanging?.transactionStartOffset, 0)
  const { producerId, producerEpoch, coordinatorEpoch } = hanging
  const wrongEpoch = { ...place, producerId, producerEpoch: producerEpoch - 1, coordinatorEpoch }
  await assert.rejects(admin.abortTransaction(wrongEpoch), failsWith('INVALID_PRODUCER_EPOCH', `${topic}-0`))
  await admin.abortTransaction({ ...place, producerId, producerEpoch, coordinatorEpoch })
  assert.equal((await open())?.transactionStartOffset, undefined)
  await cluster.publish(topic, { count: 1, prefix: 'after' })
  assert.deepEqual(await cluster.values(topic, 1), ['after0'])
  const none = { producerId, producerEpoch, topic: 'none', partition: 0 }
  await assert.rejects(admin.abortTransaction(none), failsWith('UNKNOWN_TOPIC_OR_PARTITION', 'none-0'))
  await producer.abortTransaction()
}

export const adminTransactionScenarios: readonly Scenario[] = [
  { name: 'transactions are listed and described, and a partition names who has one open', run: transactions },
  { name: 'transactions are listed by state, producer and how long they have been open', run: filters },
  {
    name: 'the end of a partition is before its first open transaction for those who read committed records',
    run: committedEnds,
  },
  { name: 'a producer that is fenced by the Admin writes no more, and what it had open is aborted', run: fencing },
  { name: 'a transaction that hangs in a partition is aborted there, and readers go on', run: aborting },
]
