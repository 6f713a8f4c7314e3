import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type ConsumerRecord,
  connect,
  json,
  type ProduceEvent,
  type ProducerOptions,
  type RecordMetadata,
  string,
  type TopicRecord,
} from '../../src/client/index.ts'
import { type ControlledRequest, KafkaError, startCluster, type TestCluster } from '../../src/testing/index.ts'
import { PATIENCE_MS } from '../compat/process.ts'
import { IN_TIME, LONG_MS, movableTime } from './client-time.ts'

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

for (const [takes, most] of Object.entries({ 'what topics usually take': 1_048_588, 'less than that': 300_000 })) {
  test(`many records at once go in few large batches, once and in order, to a topic that takes ${takes}`, async () => {
    await using cluster = await startCluster({ topics: ['orders'], config: { 'message.max.bytes': most } })
    await using producer = connect(cluster.bootstrapServers).producer()
    const sent = numbers(4_000).map(value => value.padEnd(1_000, '.'))
    const written = await producer.sendBatch(
      'orders',
      sent.map(value => ({ value })),
    )
    assert.equal(
      written.reduce((sum, { count }) => sum + count, 0),
      sent.length,
    )
    // 4 MB: 31 batches of batch.size would hold them; where they are refused, halves and quarters are sent, too.
    assert.ok(producer.metrics.batchesSent < (most > 1_000_000 ? 10 : 60), `${producer.metrics.batchesSent} batches`)
    assert.deepEqual(await values(cluster, 'orders', sent.length), sent)
  })
}

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
  const { clock, platform } = movableTime()
  const options = { bufferMemory: 500, maxBlockMs: LONG_MS, platform }
  await using producer = connect(cluster.bootstrapServers).producer(options)
  await producer.connect(['orders'])
  let release = (): void => {}
  const released = new Promise<undefined>(resolve => {
    release = () => resolve(undefined)
  })
  cluster.control('Produce', () => released, { times: 1 })
  const value = 'x'.repeat(300)
  const late = async (sent: Promise<unknown>, why: object): Promise<void> => {
    const isRefused = assert.rejects(sent, why)
    clock.advance(LONG_MS)
    await isRefused
  }
  const first = producer.send('orders', { value })
  await late(producer.send('orders', { value }), { code: 'REQUEST_TIMED_OUT', message: /max\.block\.ms/ })
  release()
  await first
  await late(producer.send('nowhere', { value }), { message: /nowhere/ })
})

test('a send that looks in vain for its topic says that it is not there, however often it looked', async () => {
  await using cluster = await startCluster({ config: { 'auto.create.topics.enable': false } })
  const send = async (maxBlockMs: number): Promise<void> => {
    await using producer = connect(cluster.bootstrapServers).producer({ maxBlockMs })
    const message = `topic nowhere does not exist, nor came to be within ${maxBlockMs} ms`
    await assert.rejects(producer.send('nowhere', { value: 'x' }), { code: 'UNKNOWN_TOPIC_OR_PARTITION', message })
  }
  await Promise.all(Array.from({ length: 20 }, (_, index) => send(300 + 7 * index)))
})

test('a record that is too large, a partition that is not there and a value without serializer fail by themselves', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using producer = connect(cluster.bootstrapServers).producer<string, unknown>()
  await assert.rejects(producer.send('orders', { value: 'x'.repeat(2_000_000) }), { code: 'MESSAGE_TOO_LARGE' })
  await assert.rejects(producer.send('orders', { value: 'x', partition: 7 }), { code: 'UNKNOWN_TOPIC_OR_PARTITION' })
  await assert.rejects(producer.send('orders', { value: { a: 1 } }), { code: 'INVALID_RECORD', message: /json\(\)/ })
  assert.equal((await producer.send('orders', { value: 'good' })).offset, 0)
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

test('an interceptor is told once of what became of each record that it returned, also when a later one refuses it', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  class Remembering {
    readonly returned: unknown[] = []
    readonly settled: unknown[] = []
    onSend(record: TopicRecord): TopicRecord {
      const mine = { ...record }
      this.returned.push(mine)
      return mine
    }
    onAcknowledgement(record: TopicRecord, metadata: RecordMetadata | undefined, error: Error | undefined): void {
      this.settled.push([record, metadata?.offset ?? error?.message])
    }
  }
  const first = new Remembering()
  const last = new Remembering()
  const refusing = {
    onSend(record: TopicRecord): TopicRecord {
      if (record.value === 'bad') throw new Error('refused')
      return { topic: record.topic, value: 'rewritten' }
    },
  }
  await using producer = connect(cluster.bootstrapServers).producer({ interceptors: [first, refusing, last] })
  await producer.send('orders', { value: 'good' })
  await assert.rejects(producer.send('orders', { value: 'bad' }), /refused/)
  assert.deepEqual(first.settled, [
    [{ topic: 'orders', value: 'good' }, 0],
    [{ topic: 'orders', value: 'bad' }, 'refused'],
  ])
  assert.deepEqual(last.settled, [[{ topic: 'orders', value: 'rewritten' }, 0]])
  for (const { returned, settled } of [first, last]) {
    for (const [index, record] of returned.entries()) assert.equal((settled[index] as unknown[])[0], record)
  }
})

test('a transaction is not committed without a record that could not be sent', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using producer = connect(cluster.bootstrapServers).producer({ transactionalId: 'a' })
  await producer.initTransactions()
  producer.beginTransaction()
  const good = producer.send('orders', { value: 'good' }).catch(() => {})
  const bad = assert.rejects(producer.send('orders', { value: 'bad', partition: 9 }), {
    code: 'UNKNOWN_TOPIC_OR_PARTITION',
  })
  await assert.rejects(producer.commitTransaction(), { code: 'UNKNOWN_TOPIC_OR_PARTITION' })
  await bad
  await good
  await producer.abortTransaction()
  await producer.transaction(() => producer.send('orders', { value: 'next' }))
})

test('settings that contradict each other are refused with the key named', () => {
  const kafka = connect('localhost:9092')
  assert.throws(() => kafka.producer({ 'enable.idempotence': true, acks: 1 }), /acks/)
  assert.throws(() => kafka.producer({ transactionalId: 'x', enableIdempotence: false }), /enable\.idempotence/)
  assert.throws(() => kafka.producer({ compressionType: 'rar' } as object), /compression\.type/)
  assert.throws(() => kafka.producer({ partitionerClass: 'mine' }), /partitioner\.class/)
})

test('a partition that an aborted transaction was still to hear of opens no other', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  const kafka = connect(cluster.bootstrapServers)
  await using producer = kafka.producer({ transactionalId: 'a', retryBackoffMs: 200 })
  await using admin = kafka.admin()
  await producer.initTransactions()
  producer.beginTransaction()
  const asked = new Promise<void>(resolve => {
    cluster.control(
      'AddPartitionsToTxn',
      () => {
        resolve()
        throw new KafkaError('COORDINATOR_LOAD_IN_PROGRESS')
      },
      { times: 1 },
    )
  })
  const sent = assert.rejects(producer.send('orders', { value: 'dropped' }), { code: 'OPERATION_NOT_ATTEMPTED' })
  await asked
  await producer.abortTransaction()
  await sent
  await sleep(500)
  const [transaction] = await admin.describeTransactions(['a'])
  assert.notEqual(transaction?.state, 'Ongoing')
})

test('a commit that is not answered in time says so, and can be asked for again', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  const { clock, platform } = movableTime()
  const options = { transactionalId: 'a', maxBlockMs: LONG_MS, platform }
  await using producer = connect(cluster.bootstrapServers).producer(options)
  await producer.transaction(() => producer.send('orders', { value: 'one' }))
  cluster.control('EndTxn', () => {
    clock.advance(LONG_MS)
    throw new KafkaError('COORDINATOR_LOAD_IN_PROGRESS')
  })
  const late = producer.transaction(() => producer.send('orders', { value: 'two' }))
  await assert.rejects(late, { code: 'REQUEST_TIMED_OUT' })
  cluster.clearFaults()
  await producer.commitTransaction()
  await producer.transaction(() => producer.send('orders', { value: 'three' }))
  assert.deepEqual(await values(cluster, 'orders', 3), ['one', 'two', 'three'])
})

test('a record that waits for memory does not let pass whatever another topic goes on sending', IN_TIME, async () => {
  await using cluster = await startCluster({ topics: ['flood', 'orders'] })
  await using producer = connect(cluster.bootstrapServers).producer({ bufferMemory: 50_000 })
  await producer.connect(['flood', 'orders'])
  let isOver = false
  const flood = async (): Promise<void> => {
    while (!isOver) await producer.send('flood', { value: 'x'.repeat(10_000) })
  }
  const floods = Array.from({ length: 20 }, flood)
  await producer.send('orders', { value: 'x'.repeat(10_000) })
  isOver = true
  await Promise.all(floods)
})

test('while a partition has no leader the metadata is asked for less and less often', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  let asked = 0
  cluster.control('Metadata', async request => {
    asked += 1
    const answer = (await request.proceed()) as { readonly topics: readonly { readonly partitions: object[] }[] }
    const topics = answer.topics.map(topic => ({
      ...topic,
      partitions: topic.partitions.map(partition => ({ ...partition, leaderId: -1, errorCode: 5 })),
    }))
    return { ...answer, topics }
  })
  await using producer = connect(cluster.bootstrapServers).producer({ retryBackoffMs: 10, retryBackoffMaxMs: 60_000 })
  const sent = producer.send('orders', { value: '0' })
  await sleep(1_000)
  assert.ok(asked < 12, `${asked}`)
  cluster.clearFaults()
  assert.equal((await sent).offset, 0)
  assert.ok(asked > 0)
})

test('a failure that ends what waits ends also what waited for its memory', IN_TIME, async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using producer = connect(cluster.bootstrapServers).producer({ bufferMemory: 3_000, retryBackoffMs: 1 })
  await producer.send('orders', { value: 'before' })
  cluster.failNext('Produce', 'NOT_LEADER_OR_FOLLOWER')
  cluster.failNext('Metadata', 'CLUSTER_AUTHORIZATION_FAILED')
  const value = 'x'.repeat(1_200)
  const sent = [1, 2, 3].map(() => producer.send('orders', { value }))
  for (const one of sent) await assert.rejects(one, { code: 'CLUSTER_AUTHORIZATION_FAILED' })
  await producer.flush()
})

test('records that were given up while they waited are not waited for', IN_TIME, async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  const held = cluster.delay('Metadata', 2 * PATIENCE_MS)
  await using producer = connect(cluster.bootstrapServers).producer()
  const giveUp = new AbortController()
  const { signal } = giveUp
  const sends = [
    producer.send('orders', { value: 'one' }, { signal }),
    producer.sendBatch('orders', [{ value: 'two' }, { value: 'three' }], { signal }),
  ]
  giveUp.abort(new Error('enough'))
  for (const send of sends) await assert.rejects(send, { message: 'enough' })
  await producer.flush()
  assert.equal(producer.metrics.waiting, 0)
  held[Symbol.dispose]()
})

test('a record whose signal was aborted before is not written', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using producer = connect(cluster.bootstrapServers).producer()
  const signal = AbortSignal.abort(new Error('enough'))
  await producer.connect(['orders'])
  await assert.rejects(producer.send('orders', { value: 'one' }, { signal }), { message: 'enough' })
  await assert.rejects(producer.sendBatch('orders', [{ value: 'two' }], { signal }), { message: 'enough' })
  await producer.send('orders', { value: 'three' })
  assert.deepEqual(await values(cluster, 'orders', 1), ['three'])
})

for (const [what, interceptors] of [
  ['without', []],
  ['with', [{}]],
] as const) {
  test(`what a record says by getters is written, and what is none is refused, ${what} interceptors`, async () => {
    await using cluster = await startCluster({ topics: ['orders', 'copies'] })
    const kafka = connect(cluster.bootstrapServers)
    await using producer = kafka.producer({ interceptors })
    class Order {
      get value(): string {
        return 'by a getter'
      }
    }
    for (const none of [undefined, 5, null]) {
      await assert.rejects(producer.send('orders', none as never), { code: 'INVALID_RECORD' }, `${none}`)
      await assert.rejects(producer.sendBatch('orders', [none as never]), { code: 'INVALID_RECORD' }, `${none}`)
    }
    await producer.send('orders', new Order())
    await producer.send('orders', { key: 'k', value: 'v', headers: { a: 'b' }, timestamp: 17 })
    await using consumer = kafka.consumer()
    consumer.assign([{ topic: 'orders', partition: 0, offset: 0 }])
    for await (const record of consumer) {
      await producer.send('copies', record)
      if (record.offset === 1) break
    }
    const [first, second] = await records(cluster, 'copies', 2)
    assert.equal(first!.value, 'by a getter')
    assert.deepEqual([second!.key, second!.value, second!.timestamp], ['k', 'v', 17])
    assert.deepEqual(
      second!.headers.map(({ key, value }) => [key, value?.toString()]),
      [['a', 'b']],
    )
  })
}

test('a signal is no longer listened to when the last of its records waits no longer, though others still do', async () => {
  await using cluster = await startCluster({ topics: ['orders'], config: { 'auto.create.topics.enable': false } })
  await using producer = connect(cluster.bootstrapServers).producer({ bufferMemory: 30_000 })
  await producer.connect(['orders'])
  const other = assert.rejects(producer.send('unheard-of', { value: 'waits to the end' }), /closed/)
  const { signal } = new AbortController()
  const value = 'x'.repeat(20_000)
  const sends = [producer.send('orders', { value }), producer.send('orders', { value }, { signal })]
  assert.equal(producer.metrics.waiting, 2)
  await Promise.all(sends)
  assert.equal(producer.metrics.waiting, 1)
  assert.equal(getEventListeners(signal, 'abort').length, 0)
  await producer.close({ timeoutMs: 0 })
  await other
})
