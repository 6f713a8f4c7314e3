import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { pipeline } from 'node:stream/promises'
import { test } from 'node:test'
import {
  type ConsumerRecord,
  connect,
  json,
  KafkaError,
  type ProduceEvent,
  type ProducerOptions,
  string,
} from '../../src/client/index.ts'
import { type ControlledRequest, startCluster, type TestCluster } from '../../src/testing/index.ts'

const TEXT = { key: string, value: string }

/** All that a topic of so many partitions holds, as those see it who read committed records. */
async function records(
  cluster: TestCluster,
  topic: string,
  count: number,
  partitions = 1,
): Promise<ConsumerRecord<string, string>[]> {
  const consumer = connect(cluster.bootstrapServers).consumer({ ...TEXT, isolationLevel: 'read_committed' })
  await using _ = consumer
  consumer.assign(Array.from({ length: partitions }, (_, partition) => ({ topic, partition, offset: 0 })))
  const seen: ConsumerRecord<string, string>[] = []
  if (count === 0) return seen
  for await (const record of consumer) if (seen.push(record) === count) break
  return seen
}

const values = async (cluster: TestCluster, topic: string, count: number): Promise<(string | null)[]> =>
  (await records(cluster, topic, count)).map(({ value }) => value)

const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index))

test('a record is sent with key, value, headers and timestamp, and its place comes back', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using producer = connect(cluster.bootstrapServers).producer()
  const first = await producer.send('orders', {
    key: 'ключ',
    value: 'v'.repeat(300),
    headers: { trace: 'tür', none: null },
    timestamp: 1_000,
  })
  const second = await producer.send({ topic: 'orders', value: null })
  assert.deepEqual(first, { topic: 'orders', partition: 0, offset: 0, timestamp: 1_000 })
  assert.equal(second.offset, 1)
  const [one, two] = await records(cluster, 'orders', 2)
  assert.equal(one?.key, 'ключ')
  assert.equal(one?.value, 'v'.repeat(300))
  assert.equal(one?.timestamp, 1_000)
  assert.deepEqual(
    one?.headers.map(({ key, value }) => [key, value && Buffer.from(value).toString()]),
    [
      ['trace', 'tür'],
      ['none', null],
    ],
  )
  assert.equal(two?.value, null)
})

for (const compressionType of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
  test(`records sent with ${compressionType} come back as they were`, async () => {
    await using cluster = await startCluster({ topics: ['orders'] })
    await using producer = connect(cluster.bootstrapServers).producer({ compressionType })
    const runs = await producer.sendBatch(
      'orders',
      numbers(1_000).map(value => ({ value })),
    )
    assert.equal(
      runs.reduce((sum, { count }) => sum + count, 0),
      1_000,
    )
    assert.deepEqual(await values(cluster, 'orders', 1_000), numbers(1_000))
  })
}

test('records of one turn go in one batch, and each learns its own offset', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using producer = connect(cluster.bootstrapServers).producer()
  const sent = await Promise.all(numbers(100).map(value => producer.send('orders', { value })))
  assert.deepEqual(
    sent.map(({ offset }) => offset),
    numbers(100).map(Number),
  )
  assert.equal(producer.metrics.batchesSent, 1)
})

for (const code of ['NOT_LEADER_OR_FOLLOWER', 'NOT_ENOUGH_REPLICAS', 'COORDINATOR_LOAD_IN_PROGRESS'] as const) {
  test(`batches under way when one fails with ${code} arrive once and in order`, async () => {
    await using cluster = await startCluster({ topics: ['orders'] })
    await using producer = connect(cluster.bootstrapServers).producer({ batchSize: 200, retryBackoffMs: 5 })
    await producer.send('orders', { value: '0' })
    cluster.failNext('Produce', code)
    await Promise.all(
      numbers(200)
        .slice(1)
        .map(value => producer.send('orders', { value })),
    )
    assert.ok(producer.metrics.retries > 0)
    assert.deepEqual(await values(cluster, 'orders', 200), numbers(200))
  })
}

test('when answers are lost with the connection, nothing is written twice and nothing is missing', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using producer = connect(cluster.bootstrapServers).producer({
    batchSize: 200,
    retryBackoffMs: 5,
    reconnectBackoffMs: 5,
  })
  await producer.send('orders', { value: '0' })
  const loseAnswer = async (request: ControlledRequest): Promise<'disconnect'> => {
    await request.proceed()
    return 'disconnect'
  }
  cluster.control('Produce', loseAnswer, { times: 3 })
  await Promise.all(
    numbers(300)
      .slice(1)
      .map(value => producer.send('orders', { value })),
  )
  assert.deepEqual(await values(cluster, 'orders', 300), numbers(300))
})

test('a full buffer makes sends wait, and they go on in order as memory comes free', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using producer = connect(cluster.bootstrapServers).producer({ bufferMemory: 4_000, batchSize: 1_000 })
  const sent = numbers(500).map(value => producer.send('orders', { value }))
  await producer.connect(['orders'])
  assert.ok(producer.metrics.waiting > 0)
  assert.ok(producer.metrics.bufferBytes <= 4_000)
  await Promise.all(sent)
  assert.equal(producer.metrics.bufferBytes, 0)
  assert.deepEqual(await values(cluster, 'orders', 500), numbers(500))
})

test('a send that finds no memory for max.block.ms fails, and a topic that is not there is named', async () => {
  await using cluster = await startCluster({ topics: ['orders'], config: { 'auto.create.topics.enable': false } })
  await using producer = connect(cluster.bootstrapServers).producer({
    bufferMemory: 500,
    maxBlockMs: 50,
    retryBackoffMs: 5,
  })
  cluster.delay('Produce', 300, { times: 1 })
  const value = 'x'.repeat(300)
  const first = producer.send('orders', { value })
  await assert.rejects(producer.send('orders', { value }), { code: 'REQUEST_TIMED_OUT', message: /max\.block\.ms/ })
  await first
  await assert.rejects(producer.send('nowhere', { value }), /nowhere/)
})

test('a record that is too large, a partition that is not there and a value without serializer fail by themselves', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using producer = connect(cluster.bootstrapServers).producer<string, unknown>()
  await assert.rejects(producer.send('orders', { value: 'x'.repeat(2_000_000) }), { code: 'MESSAGE_TOO_LARGE' })
  await assert.rejects(producer.send('orders', { value: 'x', partition: 7 }), { code: 'UNKNOWN_TOPIC_OR_PARTITION' })
  await assert.rejects(producer.send('orders', { value: { a: 1 } }), { code: 'INVALID_RECORD', message: /json\(\)/ })
  assert.equal((await producer.send('orders', { value: 'good' })).offset, 0)
})

test('a batch that the topic finds too large is sent in parts, each record once and in order', async () => {
  await using cluster = await startCluster({ config: { 'message.max.bytes': 1_000 }, topics: ['orders'] })
  await using producer = connect(cluster.bootstrapServers).producer()
  const singles = numbers(300).map(value => producer.send('orders', { value }))
  const batch = producer.sendBatch(
    'orders',
    numbers(200).map(value => ({ value })),
  )
  await producer.flush()
  assert.deepEqual(
    (await Promise.all(singles)).map(({ offset }) => offset),
    numbers(300).map(Number),
  )
  const runs = await batch
  assert.equal(
    runs.reduce((sum, { count }) => sum + count, 0),
    200,
  )
  assert.deepEqual(await values(cluster, 'orders', 500), [...numbers(300), ...numbers(200)])
  assert.equal(producer.metrics.bufferBytes, 0)
  await assert.rejects(producer.send('orders', { value: 'x'.repeat(2_000) }), { code: 'MESSAGE_TOO_LARGE' })
})

test('a stream of records is written in order, in batches, and ends when all are acknowledged', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using producer = connect(cluster.bootstrapServers).producer()
  const source = numbers(5_000).map(value => ({ value }))
  await pipeline(source, producer.writable('orders'))
  assert.equal(producer.metrics.recordsAcknowledged, 5_000)
  assert.ok(producer.metrics.batchesSent < 100)
  assert.deepEqual(await values(cluster, 'orders', 5_000), numbers(5_000))
  const tooLarge = [{ value: 'x'.repeat(2_000_000) }]
  await assert.rejects(pipeline(tooLarge, producer.writable('orders')), { code: 'MESSAGE_TOO_LARGE' })
})

test('a diagnostics channel tells of each request', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using producer = connect(cluster.bootstrapServers).producer({ clientId: 'watched' })
  const events: ProduceEvent[] = []
  const listen = (event: unknown): void => void events.push(event as ProduceEvent)
  subscribe('monedula:producer:request', listen)
  await Promise.all([producer.send('orders', { value: '0' }), producer.send('orders', { value: '1' })])
  unsubscribe('monedula:producer:request', listen)
  const [event] = events
  assert.deepEqual([event?.clientId, event?.batches, event?.records, event?.error], ['watched', 1, 2, undefined])
})

test('linger gathers records of several turns, and flush does not wait for it', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using producer = connect(cluster.bootstrapServers).producer({
    lingerMs: 60_000,
    'delivery.timeout.ms': 200_000,
  })
  await producer.connect(['orders'])
  const sent: Promise<unknown>[] = []
  for (const value of numbers(5)) {
    sent.push(producer.send('orders', { value }))
    await new Promise(resolve => setImmediate(resolve))
  }
  assert.equal(producer.metrics.batchesSent, 0)
  await producer.flush()
  assert.equal(producer.metrics.batchesSent, 1)
  await Promise.all(sent)
})

test('acks=0 resolves without an offset and the records arrive', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using producer = connect(cluster.bootstrapServers).producer({ acks: 0 })
  assert.equal((await producer.send('orders', { value: '0' })).offset, -1)
  assert.deepEqual(await values(cluster, 'orders', 1), ['0'])
})

test('an aborted signal ends the wait for a broker that does not answer', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using producer = connect(cluster.bootstrapServers).producer()
  cluster.delay('Produce', 200)
  const abort = new AbortController()
  const sent = producer.send('orders', { value: 'x' }, { signal: abort.signal })
  abort.abort(new Error('enough'))
  await assert.rejects(sent, /enough/)
})

test('serializers type and encode keys and values, interceptors see both ends, partitioners decide', async () => {
  await using cluster = await startCluster({ topics: { orders: 3 } })
  const acknowledged: unknown[] = []
  const options: ProducerOptions<string, { n: number }> = {
    key: string,
    value: json<{ n: number }>(),
    partitioner: ({ key, partitionCount }) => String(key).length % partitionCount,
    interceptors: [
      {
        onSend: record => ({ ...record, value: { n: (record.value?.n ?? 0) + 1 } }),
        onAcknowledgement: (record, metadata) => acknowledged.push([record.value?.n, metadata?.partition]),
      },
    ],
  }
  await using producer = connect(cluster.bootstrapServers).producer(options)
  await producer.send('orders', { key: 'four', value: { n: 1 } })
  assert.deepEqual(acknowledged, [[2, 1]])
  const [record] = await records(cluster, 'orders', 1, 3)
  assert.equal(record?.value, '{"n":2}')
})

test('a committed transaction is seen as a whole, an aborted one not at all', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using producer = connect(cluster.bootstrapServers).producer({ transactionalId: 'shop' })
  await producer.transaction(async tx => {
    await tx.send('orders', { value: '0' })
    await tx.send('orders', { value: '1' })
  })
  await assert.rejects(
    producer.transaction(async tx => {
      await tx.send('orders', { value: 'never' })
      throw new Error('changed my mind')
    }),
    /changed my mind/,
  )
  await producer.transaction(async tx => {
    await tx.sendBatch('orders', [{ value: '2' }, { value: '3' }])
    await tx.sendOffsets([{ topic: 'orders', partition: 0, offset: 2 }], { groupId: 'readers' })
  })
  assert.deepEqual(await values(cluster, 'orders', 4), ['0', '1', '2', '3'])
})

test('a producer is fenced by a newer one of its transactional id, and says so for good', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  const kafka = connect(cluster.bootstrapServers)
  await using old = kafka.producer({ transactionalId: 'shop' })
  await old.transaction(async tx => void (await tx.send('orders', { value: '0' })))
  await using young = kafka.producer({ transactionalId: 'shop' })
  await young.initTransactions()
  const isFenced = (error: unknown): boolean => error instanceof KafkaError && error.fatal
  await assert.rejects(
    old.transaction(async tx => void (await tx.send('orders', { value: 'late' }))),
    isFenced,
  )
  await assert.rejects(old.send('orders', { value: 'late' }), isFenced)
  await young.transaction(async tx => void (await tx.send('orders', { value: '1' })))
  assert.deepEqual(await values(cluster, 'orders', 2), ['0', '1'])
})

test('settings that contradict each other are refused with the key named', () => {
  const kafka = connect('localhost:9092')
  assert.throws(() => kafka.producer({ 'enable.idempotence': true, acks: 1 }), /acks/)
  assert.throws(() => kafka.producer({ transactionalId: 'x', enableIdempotence: false }), /enable\.idempotence/)
  assert.throws(() => kafka.producer({ compressionType: 'rar' } as object), /compression\.type/)
  assert.throws(() => kafka.producer({ partitionerClass: 'mine' }), /partitioner\.class/)
})
