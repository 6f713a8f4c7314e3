import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Kafka, logLevel, type Producer } from 'kafkajs'
import { startCluster, type TestCluster } from './index.ts'

/** A producer that gives up at once, so that each answer of the broker is seen. */
async function connected(cluster: TestCluster): Promise<Producer & AsyncDisposable> {
  const kafka = new Kafka({ brokers: [cluster.bootstrapServers], logLevel: logLevel.NOTHING, retry: { retries: 0 } })
  const producer = kafka.producer({ allowAutoTopicCreation: false })
  await producer.connect()
  return Object.assign(producer, { [Symbol.asyncDispose]: () => producer.disconnect() })
}

const send = (producer: Producer, value: string): Promise<unknown> =>
  producer.send({ topic: 'orders', messages: [{ value }] })

/** Whether kafkajs gave up because of this answer. */
const because =
  (type: string) =>
  (error: { cause?: { type?: string } }): boolean =>
    error.cause?.type === type

/** What a consumer from the beginning reads, up to `count` records. */
async function read(cluster: TestCluster, count: number): Promise<string[]> {
  const kafka = new Kafka({ brokers: [cluster.bootstrapServers], logLevel: logLevel.NOTHING })
  const consumer = kafka.consumer({ groupId: 'readers' })
  const values: string[] = []
  await consumer.connect()
  await consumer.subscribe({ topic: 'orders', fromBeginning: true })
  await new Promise<void>(resolve => {
    void consumer.run({
      eachMessage: async ({ message }) => {
        values.push(String(message.value))
        if (values.length === count) resolve()
      },
    })
  })
  await consumer.disconnect()
  return values
}

test('a cluster has its topics when it is ready, and a client publishes and reads', async () => {
  await using cluster = await startCluster({ topics: { orders: 1 } })
  {
    await using producer = await connected(cluster)
    await send(producer, 'one')
    await send(producer, 'two')
  }
  assert.deepEqual(await read(cluster, 2), ['one', 'two'])
})

test('a control sees requests, lets them on, answers them itself, and ends when it is disposed of', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using producer = await connected(cluster)
  const seen: string[] = []
  {
    using _ = cluster.control('Produce', request => {
      seen.push(request.api)
      return seen.length === 1 ? request.proceed().then(answer => answer ?? {}) : undefined
    })
    await send(producer, 'one')
    await send(producer, 'two')
  }
  await send(producer, 'three')
  assert.deepEqual(seen, ['Produce', 'Produce'])
  cluster.control(
    'Produce',
    () => ({ responses: [{ name: 'orders', partitionResponses: [{ index: 0, errorCode: 0, baseOffset: 77 }] }] }),
    { times: 1 },
  )
  const [metadata] = (await send(producer, 'nobody stores this')) as { baseOffset: string }[]
  assert.equal(metadata?.baseOffset, '77')
  assert.deepEqual(await read(cluster, 3), ['one', 'two', 'three'])
})

test('requests fail with the error that was ordered, as often as was ordered', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using producer = await connected(cluster)
  cluster.failNext('Produce', 'NOT_LEADER_OR_FOLLOWER')
  await assert.rejects(send(producer, 'one'), because('NOT_LEADER_FOR_PARTITION'))
  await send(producer, 'two')
  assert.deepEqual(await read(cluster, 1), ['two'])
})

test('a connection that is cut before a request is done leaves nothing of it', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using producer = await connected(cluster)
  cluster.disconnectNext('Produce')
  await assert.rejects(send(producer, 'one'))
  await producer.connect()
  await send(producer, 'two')
  assert.deepEqual(await read(cluster, 1), ['two'])
})

test('a delayed request waits for the time of the cluster, which moves when it is told to', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using producer = await connected(cluster)
  cluster.delay('Produce', 3_600_000)
  let isSent = false
  const sending = send(producer, 'one').then(() => {
    isSent = true
  })
  let movedMs = 0
  while (!isSent) {
    cluster.clock.advance(600_000)
    movedMs += 600_000
    await new Promise(resolve => setImmediate(resolve))
  }
  await sending
  assert.ok(movedMs >= 3_600_000, `${movedMs} ms`)
  assert.deepEqual(await read(cluster, 1), ['one'])
})

test('records survive a clean stop and a kill, on the same port', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  const address = cluster.bootstrapServers
  for (const [how, value] of [
    ['clean', 'one'],
    ['kill', 'two'],
  ] as const) {
    await using producer = await connected(cluster)
    await send(producer, value)
    await cluster.restart(how)
  }
  assert.equal(cluster.bootstrapServers, address)
  assert.deepEqual(await read(cluster, 2), ['one', 'two'])
})

test('a power cut takes nothing that was synced before it was acknowledged', async () => {
  await using cluster = await startCluster({
    topics: ['orders'],
    config: { 'log.flush.interval.messages': 1 },
    seed: 7,
  })
  for (const value of ['one', 'two', 'three']) {
    await using producer = await connected(cluster)
    await send(producer, value)
    await cluster.restart('power')
  }
  assert.deepEqual(await read(cluster, 3), ['one', 'two', 'three'])
})

test('a setting that no broker has is refused with its name', async () => {
  const config = { 'num.partitions': 2, 'log.retension.ms': 1 }
  await assert.rejects(startCluster({ config }), { message: /^config: a broker has no key log\.retension\.ms/ })
})

test('a full disk refuses records with the error of the storage', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using producer = await connected(cluster)
  await send(producer, 'one')
  using _ = cluster.fillDisk()
  await assert.rejects(send(producer, 'two'), because('KAFKA_STORAGE_ERROR'))
})

test('a broken disk takes the log directory offline', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using producer = await connected(cluster)
  cluster.breakDisk()
  await assert.rejects(send(producer, 'one'), because('KAFKA_STORAGE_ERROR'))
  await assert.rejects(send(producer, 'two'))
})

test('what cannot be done is said in one line that names the way out', async t => {
  const directory = mkdtempSync(join(tmpdir(), 'monedula-testing-'))
  t.after(() => rmSync(directory, { recursive: true }))
  await using cluster = await startCluster({ directory: join(directory, 'logs') })
  assert.throws(() => cluster.fillDisk(), /fillDisk needs a cluster in memory: leave directory out/)
  await assert.rejects(cluster.restart('power'), /needs a cluster in memory/)
  await assert.rejects(startCluster({ brokers: 3 as 1 }), /brokers: 3/)
  await assert.rejects(cluster.createTopic('no/slash'), { code: 'INVALID_TOPIC_EXCEPTION' })
  await assert.rejects(startCluster({ config: { 'num.partitions': 'many' } }), /num.partitions/)
  await assert.rejects(startCluster({ topic: ['orders'] } as object), /no option topic, but brokers, topics/)
  await assert.rejects(startCluster({ topics: 'orders' as never }), /a list of names/)
  assert.throws(() => cluster.failNext('Produces', 'NOT_LEADER_OR_FOLLOWER'), /no API is named Produces; .*Produce/)
  assert.throws(() => cluster.failNext('Produce', 'NOT_LEADER' as never), /no error of Kafka is named NOT_LEADER/)
})

test('options of a wrong kind are refused with what to give, and no directory is named after them', async t => {
  const there = mkdtempSync(join(tmpdir(), 'wrong-options-'))
  const before = process.cwd()
  process.chdir(there)
  t.after(() => {
    process.chdir(before)
    rmSync(there, { recursive: true })
  })
  const wrong: readonly (readonly [unknown, RegExp])[] = [
    [null, /^startCluster takes an object such as \{ topics \}, not null$/],
    ['orders', /^startCluster takes an object such as \{ topics \}, not string$/],
    [['orders'], /^startCluster takes an object such as \{ topics \}, not a list$/],
    [{ topics: [null] }, /^topics: give a list of names, or numbers of partitions by name$/],
    [{ topics: [{ name: 'orders' }] }, /^topics: give a list of names/],
    [{ topics: { orders: '3' } }, /^topics: give a list of names/],
    [{ logger: null }, /^logger: give a pino logger, or an object with debug\(\).* and child\(\)$/],
    [{ logger: console }, /^logger: give a pino logger/],
    [{ config: new Map([['log.segment.bytes', '1']]) }, /^config: give an object of settings by name, not Map$/],
    [{ config: null }, /^config: give an object of settings by name, not null$/],
    [{ config: { 'log.segment.bytes': null } }, /^config: log\.segment\.bytes is a text, number or boolean, not null$/],
    [{ seed: '1' }, /^seed: give a whole number, not string$/],
    ...[null, 1, {}, ''].map(directory => [{ directory }, /^directory: give a path, or leave it out/] as const),
  ]
  for (const [options, message] of wrong)
    await assert.rejects(async () => startCluster(options as never), { name: 'TypeError', message })
  assert.deepEqual(readdirSync(there), [])
})
