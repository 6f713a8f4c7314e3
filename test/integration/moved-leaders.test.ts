/** What clients do when leaders and brokers are elsewhere than they knew. */
import assert from 'node:assert/strict'
import { createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { connect, string } from '../../src/client/index.ts'
import { ErrorCode } from '../../src/protocol/index.ts'
import { type RequestControl, startCluster, type TestCluster } from '../../src/testing/index.ts'
import { IN_TIME, LONG_MS, movableTime, NEVER_MS } from './client-time.ts'

const TEXT = { key: string, value: string }

const portOf = (cluster: TestCluster): number => Number(cluster.bootstrapServers.split(':')[1])

/** Has the cluster tell of every partition what `partition` says, and of `brokers` beside its own. */
function tell(cluster: TestCluster, partition: object, brokers: readonly object[] = []): void {
  cluster.control('Metadata', async request => {
    const answer = (await request.proceed()) as {
      readonly brokers: readonly object[]
      readonly topics: readonly { readonly partitions: readonly object[] }[]
    }
    const topics = answer.topics.map(topic => ({
      ...topic,
      partitions: topic.partitions.map(known => ({ ...known, ...partition })),
    }))
    return { ...answer, brokers: [...answer.brokers, ...brokers], topics }
  })
}

/** Lets the cluster tell an epoch of leaders that is older than the one in which they lead. */
const tellOldEpochs = (cluster: TestCluster): void => tell(cluster, { leaderEpoch: -1 })

/** Lets the cluster tell that another broker leads all partitions, which listens where the real one does, by another name. */
function tellNextLeader(cluster: TestCluster): void {
  tell(cluster, { leaderId: 7 }, [{ nodeId: 7, host: 'localhost', port: portOf(cluster), rack: null }])
}

/** Counts requests of an API from now on. */
function counted(cluster: TestCluster, api: string): { count: number } {
  const counter = { count: 0 }
  cluster.control(api, () => {
    counter.count += 1
    return undefined
  })
  return counter
}

/** Where the refusals below say that the leader is: another broker, which listens where the real one does. */
const nextLeader = (cluster: TestCluster) => ({
  currentLeader: { leaderId: 7, leaderEpoch: 0 },
  nodeEndpoints: [{ nodeId: 7, host: '127.0.0.1', port: portOf(cluster), rack: null }],
})

test('a producer goes on at once with the leader that a refusal names, and asks for no metadata', IN_TIME, async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  tellOldEpochs(cluster)
  await using producer = connect(cluster.bootstrapServers).producer({ retryBackoffMs: NEVER_MS })
  await producer.send('orders', { value: '0' })
  const { currentLeader, nodeEndpoints } = nextLeader(cluster)
  const refuse: RequestControl = () => ({
    responses: [
      {
        name: 'orders',
        partitionResponses: [{ index: 0, errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER, baseOffset: -1, currentLeader }],
      },
    ],
    nodeEndpoints,
  })
  cluster.control('Produce', refuse, { times: 1 })
  const metadata = counted(cluster, 'Metadata')
  assert.equal((await producer.send('orders', { value: '1' })).offset, 1)
  assert.equal(producer.metrics.retries, 1)
  assert.equal(metadata.count, 0)
})

test('a consumer goes on at once with the leader that a refusal names, and asks for no metadata', IN_TIME, async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  tellOldEpochs(cluster)
  const kafka = connect(cluster.bootstrapServers)
  await using producer = kafka.producer()
  await producer.send('orders', { value: '0' })
  await using consumer = kafka.consumer({ ...TEXT, retryBackoffMs: NEVER_MS })
  consumer.assign([{ topic: 'orders', partition: 0, offset: 0 }])
  const { currentLeader, nodeEndpoints } = nextLeader(cluster)
  let refusals = 0
  const refuse: RequestControl = ({ body, version }) => {
    assert.ok(version >= 16, `${version}`)
    refusals += 1
    const [topic] = body.topics as [{ readonly topicId: string }]
    const partitions = [
      { partitionIndex: 0, errorCode: ErrorCode.FENCED_LEADER_EPOCH, highWatermark: -1, records: null, currentLeader },
    ]
    return { responses: [{ topicId: topic.topicId, partitions }], nodeEndpoints }
  }
  let metadata: { count: number } | undefined
  for await (const { value } of consumer) {
    if (value === '1') break
    cluster.control('Fetch', refuse, { times: 1 })
    metadata = counted(cluster, 'Metadata')
    await producer.send('orders', { value: '1' })
  }
  assert.equal(refusals, 1)
  assert.equal(metadata?.count, 0)
})

/** Something that takes connections and never answers; `onAsked` is called for what arrives. */
async function silentBroker(onAsked: () => void): Promise<{ readonly port: number } & Disposable> {
  const sockets: Socket[] = []
  const server = createServer(socket => {
    sockets.push(socket.on('error', () => undefined).on('data', onAsked))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  return {
    port: address.port,
    [Symbol.dispose]: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

/** Lets the cluster say once that its broker is at another port. */
function misleadOnce(cluster: TestCluster, port: number): void {
  cluster.control(
    'Metadata',
    async request => {
      const answer = (await request.proceed()) as { readonly brokers: readonly object[] }
      return { ...answer, brokers: answer.brokers.map(broker => ({ ...broker, port })) }
    },
    { times: 1 },
  )
}

const QUICK = { retryBackoffMs: 5, reconnectBackoffMs: 5 }

test(
  'what the next leader has answered is not handed out again when the one before answers at last',
  IN_TIME,
  async () => {
    await using cluster = await startCluster({ topics: ['orders'] })
    const kafka = connect(cluster.bootstrapServers)
    await using producer = kafka.producer()
    await producer.send('orders', { value: '0' })
    let release = (): void => {}
    const isLate = new Promise<void>(resolve => {
      release = resolve
    })
    const hold: RequestControl = async request => {
      const answer = await request.proceed()
      tellNextLeader(cluster)
      // Each look of the consumer asks for metadata that are too old, and goes by those that have come.
      const looks = setInterval(() => consumer.resume([place]), 5)
      await isLate
      clearInterval(looks)
      return answer
    }
    cluster.control('Fetch', hold, { times: 1 })
    const place = { topic: 'orders', partition: 0 }
    await using consumer = kafka.consumer({ ...TEXT, metadataMaxAgeMs: 20 })
    consumer.assign([{ ...place, offset: 0 }])
    const values: (string | null)[] = []
    for await (const { value } of consumer) {
      values.push(value)
      if (value === '2') break
      release()
      await producer.send('orders', { value: `${values.length}` })
    }
    assert.deepEqual(values, ['0', '1', '2'])
  },
)

test('when the brokers that are known do not answer, the bootstrap servers are asked again', IN_TIME, async () => {
  const { clock, platform } = movableTime()
  using silent = await silentBroker(() => clock.advance(LONG_MS))
  await using cluster = await startCluster({ topics: ['orders'] })
  misleadOnce(cluster, silent.port)
  const options = { ...QUICK, requestTimeoutMs: LONG_MS, maxBlockMs: NEVER_MS, platform }
  await using producer = connect(cluster.bootstrapServers).producer(options)
  assert.equal((await producer.send('orders', { value: '0' })).offset, 0)
})

test('with metadata.recovery.strategy=none only the brokers that are known are asked', IN_TIME, async () => {
  const { clock, platform } = movableTime()
  using silent = await silentBroker(() => clock.advance(LONG_MS))
  await using cluster = await startCluster({ topics: ['orders'] })
  misleadOnce(cluster, silent.port)
  const options = {
    ...QUICK,
    metadataRecoveryStrategy: 'none' as const,
    requestTimeoutMs: LONG_MS,
    deliveryTimeoutMs: 5 * LONG_MS,
    maxBlockMs: 5 * LONG_MS,
    lingerMs: 0,
    platform,
  }
  await using producer = connect(cluster.bootstrapServers).producer(options)
  await assert.rejects(producer.send('orders', { value: '0' }), { code: 'REQUEST_TIMED_OUT' })
})

test('a broker that demands it sends the client back to the bootstrap servers', IN_TIME, async () => {
  await using cluster = await startCluster({ topics: ['orders', 'others'] })
  await using producer = connect(cluster.bootstrapServers).producer()
  await producer.send('orders', { value: '0' })
  const demand: RequestControl = () => ({ brokers: [], topics: [], errorCode: ErrorCode.REBOOTSTRAP_REQUIRED })
  cluster.control('Metadata', demand, { times: 1 })
  assert.equal((await producer.send('others', { value: '0' })).offset, 0)
  cluster.control('Metadata', demand)
  await assert.rejects(producer.send('third', { value: '0' }), { code: 'REBOOTSTRAP_REQUIRED' })
})

test('when metadata cannot be had for long, all that is known of brokers is forgotten', IN_TIME, async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  let hear = (_: string): void => {}
  const isForgotten = new Promise<void>(resolve => {
    hear = warning => warning === 'asking the bootstrap servers again' && resolve()
  })
  const logger = {
    debug: () => {},
    info: () => {},
    error: () => {},
    warn: (_: object, what?: string) => hear(what ?? ''),
  }
  const kafka = connect({ bootstrapServers: cluster.bootstrapServers, logger: logger as never })
  await using admin = kafka.admin({ ...QUICK, metadataRecoveryRebootstrapTriggerMs: 50 })
  await admin.listTopics()
  const refused = cluster.control('Metadata', () => 'disconnect')
  const listing = admin.listTopics()
  await isForgotten
  refused[Symbol.dispose]()
  assert.deepEqual(
    (await listing).map(({ name }) => name),
    ['orders'],
  )
})

test('by_duration begins with the records of that time, or at the end where there are none', IN_TIME, async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  const kafka = connect(cluster.bootstrapServers)
  await using producer = kafka.producer()
  const now = Date.now()
  for (const hours of [3, 2, 1]) {
    await producer.send('orders', { value: `${hours}`, timestamp: now - hours * 3_600_000 })
  }
  const first = async (autoOffsetReset: string): Promise<string | null | undefined> => {
    await using consumer = kafka.consumer({ ...TEXT, autoOffsetReset })
    consumer.assign([{ topic: 'orders', partition: 0 }])
    const reading = consumer[Symbol.asyncIterator]().next()
    while (consumer.position({ topic: 'orders', partition: 0 }) === undefined) await new Promise(setImmediate)
    if (autoOffsetReset === 'by_duration:PT10M') await producer.send('orders', { value: 'now' })
    return (await reading).value?.value
  }
  assert.equal(await first('by_duration:P1D'), '3')
  assert.equal(await first('by_duration:PT2H30M'), '2')
  assert.equal(await first('by_duration:PT10M'), 'now')
  assert.throws(() => kafka.consumer({ autoOffsetReset: 'by_duration:1h' }), /auto\.offset\.reset.*by_duration:PT1H/)
})

test('groups and transactions begin anew when the topics in which they were kept are deleted', IN_TIME, async () => {
  await using cluster = await startCluster({
    topics: ['orders'],
    config: { 'offsets.topic.num.partitions': 2, 'transaction.state.log.num.partitions': 2 },
  })
  const kafka = connect(cluster.bootstrapServers)
  await using admin = kafka.admin()
  const committed = { topic: 'orders', partition: 0, offset: 0 }
  const inTransaction = async (): Promise<void> => {
    await using producer = kafka.producer({ transactionalId: 'shop' })
    await producer.transaction(transaction => transaction.send('orders', { value: 'sold' }))
  }
  for (let life = 1; life <= 3; life++) {
    await admin.alterConsumerGroupOffsets('readers', [{ ...committed, offset: life }])
    await inTransaction()
    const [kept] = await admin.listConsumerGroupOffsets('readers')
    assert.equal(kept?.offset, life)
    await admin.deleteTopics(['__consumer_offsets', '__transaction_state'])
  }
})
