import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect } from '../../src/client/index.ts'
import { startCluster } from '../../src/testing/index.ts'

test('a call goes on over a refusal that passes and a broken connection', async () => {
  await using cluster = await startCluster()
  await using admin = connect(cluster.bootstrapServers).admin()
  cluster.failNext('CreateTopics', 'NOT_CONTROLLER')
  await admin.createTopics([{ name: 'orders' }])
  cluster.disconnectNext('DeleteTopics')
  await admin.deleteTopics(['orders'])
  assert.deepEqual(await admin.listTopics(), [])
})

test('a topic whose deletion was done and not answered is deleted, and a creation says that it may be its own', async () => {
  await using cluster = await startCluster({ topics: ['orders', 'bills'] })
  await using admin = connect(cluster.bootstrapServers).admin()
  const loseAnswer = (api: string): unknown =>
    cluster.control(
      api,
      async ({ proceed }) => {
        await proceed()
        return 'disconnect'
      },
      { times: 1 },
    )
  const { id } = (await admin.describeTopics(['bills']))[0]!
  loseAnswer('DeleteTopics')
  await admin.deleteTopics(['orders', { id }])
  assert.deepEqual(await admin.listTopics(), [])
  const missing = { code: 'UNKNOWN_TOPIC_OR_PARTITION' }
  await assert.rejects(admin.deleteTopics(['orders']), missing)
  cluster.failNext('DeleteTopics', 'NOT_CONTROLLER')
  await assert.rejects(admin.deleteTopics(['orders']), missing)
  loseAnswer('CreateTopics')
  const doubtful = { code: 'TOPIC_ALREADY_EXISTS', message: /was not answered, and may have made it/ }
  await assert.rejects(admin.createTopics([{ name: 'orders' }]), doubtful)
  await assert.rejects(admin.createTopics([{ name: 'orders' }]), ({ message }: Error) => !/answered/.test(message))
})

test('a topic has grown whose growth was done and not answered, unless it has other partitions than were wanted', async () => {
  await using cluster = await startCluster({ topics: ['orders', 'bills'] })
  await using admin = connect(cluster.bootstrapServers).admin()
  await using other = connect(cluster.bootstrapServers).admin()
  const loseAnswer = (of: () => Promise<unknown>): unknown =>
    cluster.control('CreatePartitions', () => of().then(() => 'disconnect'), { times: 1 })
  const grow = (topic: string, total: number) => other.createPartitions([{ topic, total }])
  loseAnswer(() => grow('orders', 3))
  await admin.createPartitions([{ topic: 'orders', total: 3 }])
  const refused = { code: 'INVALID_PARTITIONS' }
  await assert.rejects(admin.createPartitions([{ topic: 'orders', total: 3 }]), refused)
  loseAnswer(() => grow('bills', 4))
  await assert.rejects(admin.createPartitions([{ topic: 'bills', total: 3 }]), refused)
  loseAnswer(async () => undefined)
  await assert.rejects(admin.createPartitions([{ topic: 'bills', total: 4 }], { validateOnly: true }), refused)
  loseAnswer(() => other.createPartitions([{ topic: 'bills', total: 6, assignments: [[0], [0]] }]))
  await admin.createPartitions([{ topic: 'bills', total: 6, assignments: [[0], [0]] }])
})

test('a call ends by its time, and by its signal', async () => {
  await using cluster = await startCluster()
  await using admin = connect(cluster.bootstrapServers).admin()
  cluster.failNext('CreateTopics', 'NOT_CONTROLLER', { times: Number.POSITIVE_INFINITY })
  await assert.rejects(admin.createTopics([{ name: 'orders' }], { timeoutMs: 50 }), { code: 'REQUEST_TIMED_OUT' })
  const signal = AbortSignal.abort(new Error('enough'))
  await assert.rejects(admin.listTopics({ signal }), /enough/)
})

test('a call that no broker answers ends by its time, and the connection serves the next one', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using admin = connect(cluster.bootstrapServers).admin()
  await admin.listTopics()
  let letGo = (): void => undefined
  const held = new Promise<undefined>(resolve => {
    letGo = () => resolve(undefined)
  })
  using _ = cluster.control('Metadata', () => held, { times: 1 })
  await assert.rejects(admin.listTopics({ timeoutMs: 50 }), { code: 'REQUEST_TIMED_OUT' })
  letGo()
  assert.deepEqual(
    (await admin.listTopics()).map(({ name }) => name),
    ['orders'],
  )
})

test('what a quota holds up is tried until it may be, or refused at once for those who wish that', async () => {
  await using cluster = await startCluster()
  await using admin = connect(cluster.bootstrapServers).admin()
  cluster.failNext('CreateTopics', 'THROTTLING_QUOTA_EXCEEDED')
  await admin.createTopics([{ name: 'orders' }])
  assert.equal(admin.metrics.retries, 1)
  cluster.failNext('CreateTopics', 'THROTTLING_QUOTA_EXCEEDED')
  await assert.rejects(admin.createTopics([{ name: 'bills' }], { retryOnQuotaViolation: false }), {
    code: 'THROTTLING_QUOTA_EXCEEDED',
  })
  const { calls, retries, connections, inFlight } = admin.metrics
  assert.deepEqual([calls, retries, connections, inFlight], [2, 1, 1, 0])
})

test('a group with a member of another program is led, and described, whatever that member sent', async () => {
  await using cluster = await startCluster({ topics: { orders: 2 } })
  const kafka = connect(cluster.bootstrapServers)
  const foreign = Buffer.from('{"topics":["orders"]}')
  cluster.control('JoinGroup', async request => {
    const answer = (await request.proceed()) as { members: object[] }
    if (answer.members.length === 0) return answer
    const stranger = { memberId: 'stranger', groupInstanceId: null, metadata: foreign }
    return { ...answer, members: [...answer.members, stranger] }
  })
  cluster.control('DescribeGroups', async request => {
    const answer = (await request.proceed()) as { groups: { members: object[] }[] }
    const stranger = { memberId: 'stranger', memberAssignment: foreign, clientHost: '', clientId: '' }
    const groups = answer.groups.map(group => ({ ...group, members: [...group.members, stranger] }))
    return { ...answer, groups }
  })
  await using producer = kafka.producer()
  for (const partition of [0, 1]) await producer.send('orders', { value: 'x', partition })
  await using consumer = kafka.consumer({ groupId: 'billing', autoOffsetReset: 'earliest' })
  consumer.subscribe('orders')
  const seen = new Set<number>()
  for await (const { partition } of consumer) if (seen.add(partition).size === 2) break
  await using admin = kafka.admin()
  const [group] = await admin.describeConsumerGroups(['billing'])
  assert.deepEqual(
    group?.members.map(({ assignment }) => assignment.length),
    [2, 0],
  )
})
