/** Traces through the broker, with OpenTelemetry's own SDK: what it would export is what is looked at. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { Kafka as KafkaJs, logLevel } from 'kafkajs'
import {
  type Consumer,
  type ConsumerRecord,
  connect,
  json,
  type RecordHeader,
  string,
  type TopicRecord,
} from '../../src/client/index.ts'
import { traceConsumer, traceProducer } from '../../src/opentelemetry/index.ts'
import { startCluster, type TestCluster } from '../../src/testing/index.ts'

const TEXT = { key: string, value: string }
const REMOTE_TRACE = '0af7651916cd43dd8448eb211c80319c'
const REMOTE_SPAN = 'b7ad6b7169203331'
const REMOTE = `00-${REMOTE_TRACE}-${REMOTE_SPAN}-01`

const exporter = new InMemorySpanExporter()
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })

beforeEach(() => {
  exporter.reset()
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(
    new CompositePropagator({ propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()] }),
  )
  trace.setGlobalTracerProvider(provider)
})
afterEach(unregister)

function unregister(): void {
  for (const api of [context, propagation, trace]) api.disable()
}

/** The spans that have ended, in the order of their ends. */
const ended = (): ReadableSpan[] => exporter.getFinishedSpans()

function span(name: string): ReadableSpan {
  const found = ended().filter(one => one.name === name)
  assert.equal(found.length, 1, `one span ${name} among ${ended().map(one => one.name)}`)
  return found[0]!
}

const idOf = (one: ReadableSpan): string => one.spanContext().spanId
const linked = (one: ReadableSpan): string[] => one.links.map(({ context: to }) => to.spanId)

function reader(cluster: TestCluster, topic = 'orders', partitions = 1): Consumer<string, string> {
  const consumer = connect(cluster.bootstrapServers).consumer(TEXT)
  consumer.assign(Array.from({ length: partitions }, (_, partition) => ({ topic, partition, offset: 0 })))
  return consumer
}

/** The first records of a topic, as anybody reads them. */
async function read(cluster: TestCluster, count: number, topic = 'orders'): Promise<ConsumerRecord<string, string>[]> {
  await using consumer = reader(cluster, topic)
  const seen: ConsumerRecord<string, string>[] = []
  for await (const record of consumer) if (seen.push(record) === count) break
  return seen
}

const texts = (headers: readonly RecordHeader[]): (readonly [string, string | undefined])[] =>
  headers.map(({ key, value }) => [key, value?.toString()])

test('a trace goes from the sender through the record to its work, and on to what is sent from there', async () => {
  await using cluster = await startCluster({ topics: ['orders', 'bills'] })
  const kafka = connect(cluster.bootstrapServers)
  await using producer = kafka.producer({ interceptors: [traceProducer()] })
  await trace.getTracer('shop').startActiveSpan('checkout', async checkout => {
    await producer.send('orders', { key: 'u1', value: 'a crow' })
    checkout.end()
  })
  await using consumer = kafka.consumer({ ...TEXT, groupId: 'billing', autoOffsetReset: 'earliest' })
  consumer.subscribe('orders')
  const traced = traceConsumer(consumer)
  for await (const record of consumer) {
    await traced(record, async () => {
      await turn()
      await producer.send('bills', { value: `one for ${record.value}` })
    })
    break
  }
  const chain = ['checkout', 'send orders', 'process orders', 'send bills'].map(span)
  for (const [index, one] of chain.entries()) {
    assert.equal(one.spanContext().traceId, chain[0]?.spanContext().traceId)
    assert.equal(one.parentSpanContext?.spanId, chain[index - 1]?.spanContext().spanId, one.name)
  }
  assert.deepEqual(linked(span('process orders')), [idOf(span('send orders'))])
  const [bill] = await read(cluster, 1, 'bills')
  const { traceId, spanId } = span('send bills').spanContext()
  assert.deepEqual(texts(bill!.headers), [['traceparent', `00-${traceId}-${spanId}-01`]])
})

test('spans have the names, kinds and attributes of the conventions for Kafka', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  const kafka = connect(cluster.bootstrapServers)
  const attributes = { 'messaging.client.id': 'till-1' }
  await using producer = kafka.producer({ interceptors: [traceProducer({ attributes })] })
  await producer.send('orders', { key: 'u1', value: 'a crow' })
  await producer.send('orders', { key: 'u1', value: null })
  await using consumer = kafka.consumer({ ...TEXT, groupId: 'billing', autoOffsetReset: 'earliest' })
  consumer.subscribe('orders')
  const traced = traceConsumer(consumer)
  let left = 2
  for await (const record of consumer) {
    traced(record, () => undefined)
    if (--left === 0) break
  }
  const place = {
    'messaging.system': 'kafka',
    'messaging.destination.name': 'orders',
    'messaging.kafka.message.key': 'u1',
  }
  const at = (offset: number) => ({ 'messaging.destination.partition.id': '0', 'messaging.kafka.offset': offset })
  const operation = (name: string) => ({ 'messaging.operation.name': name, 'messaging.operation.type': name })
  const tombstone = { 'messaging.kafka.message.tombstone': true }
  const group = { 'messaging.consumer.group.name': 'billing' }
  const seen = ended().map(({ name, kind, attributes: of }) => ({ name, kind, attributes: of }))
  const sending = { name: 'send orders', kind: SpanKind.PRODUCER }
  const working = { name: 'process orders', kind: SpanKind.CONSUMER }
  assert.deepEqual(seen, [
    { ...sending, attributes: { ...place, ...operation('send'), ...attributes, ...at(0) } },
    { ...sending, attributes: { ...place, ...operation('send'), ...attributes, ...at(1), ...tombstone } },
    { ...working, attributes: { ...place, ...operation('process'), ...group, ...at(0) } },
    { ...working, attributes: { ...place, ...operation('process'), ...group, ...at(1), ...tombstone } },
  ])
  assert.ok(ended().every(({ instrumentationScope }) => instrumentationScope.name === 'monedula'))
})

test('work on a batch is one span, with a link to where each of its records comes from', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using producer = connect(cluster.bootstrapServers).producer({ interceptors: [traceProducer()] })
  await producer.sendBatch('orders', [{ value: '0' }, { value: '1' }, { value: '2' }])
  const sent = ended().map(idOf)
  assert.equal(sent.length, 3)
  await using consumer = reader(cluster)
  const traced = traceConsumer(consumer)
  for await (const batch of consumer.batches()) {
    assert.equal(await traced(batch, async () => batch.records.length), 3)
    break
  }
  const work = span('process orders')
  assert.deepEqual(linked(work), sent)
  assert.equal(work.parentSpanContext, undefined)
  assert.equal(work.attributes['messaging.batch.message_count'], 3)
  assert.equal(work.attributes['messaging.kafka.offset'], undefined)
  assert.equal(work.attributes['messaging.consumer.group.name'], undefined)
})

test('why a send failed stands in its span, whoever refused it', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  const refusing = {
    onSend(): never {
      throw new TypeError('not today')
    },
  }
  const kafka = connect(cluster.bootstrapServers)
  await using producer = kafka.producer({ interceptors: [traceProducer()] })
  await assert.rejects(producer.send('orders', { value: 'x', partition: 7 }), { code: 'UNKNOWN_TOPIC_OR_PARTITION' })
  await using refused = kafka.producer({ interceptors: [traceProducer(), refusing] })
  await assert.rejects(refused.send('orders', { value: 'x' }), TypeError)
  await using given = kafka.producer({ interceptors: [traceProducer()], lingerMs: 60_000, deliveryTimeoutMs: 120_000 })
  const abort = new AbortController()
  const sending = given.send('orders', { value: 'x' }, { signal: abort.signal })
  abort.abort()
  await assert.rejects(sending, { name: 'AbortError' })
  assert.deepEqual(
    ended().map(({ attributes }) => attributes['error.type']),
    ['UNKNOWN_TOPIC_OR_PARTITION', 'TypeError', 'AbortError'],
  )
  for (const { status, events } of ended()) {
    assert.equal(status.code, SpanStatusCode.ERROR)
    assert.deepEqual(
      events.map(({ name }) => name),
      ['exception'],
    )
  }
})

test('what work throws, at once or later, stands in its span and goes to the caller', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using producer = connect(cluster.bootstrapServers).producer()
  await producer.send('orders', { value: 'x' })
  const [record] = await read(cluster, 1)
  const traced = traceConsumer({ groupId: undefined })
  const fail = (message: string) => (): never => {
    throw new RangeError(message)
  }
  assert.throws(() => traced(record!, fail('at once')), { message: 'at once' })
  await assert.rejects(
    traced(record!, () => turn().then(fail('later'))),
    { message: 'later' },
  )
  const query: PromiseLike<void> = {
    // biome-ignore lint/suspicious/noThenProperty: as the queries of some database clients
    then: (done, refused) => turn().then(fail('by a query')).then(done, refused),
  }
  await assert.rejects(async () => traced(record!, () => query), { message: 'by a query' })
  assert.deepEqual(
    ended().map(({ status, attributes }) => [status.message, attributes['error.type']]),
    [
      ['at once', 'RangeError'],
      ['later', 'RangeError'],
      ['by a query', 'RangeError'],
    ],
  )
})

test("headers that the user gave stay as they are, beside the trace's; his records are not touched", async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using producer = connect(cluster.bootstrapServers).producer({ interceptors: [traceProducer()] })
  const bytes = Uint8Array.of(0, 255)
  const given = [
    { value: '0', headers: { source: 'till', raw: bytes, none: null } },
    {
      value: '1',
      headers: [
        { key: 'step', value: 'a' },
        { key: 'step', value: 'b' },
      ],
    },
    { value: '2', headers: { traceparent: 'no context' } },
  ]
  const before = structuredClone(given)
  await producer.sendBatch('orders', given)
  assert.deepEqual(given, before)
  const [named, listed, broken] = await read(cluster, 3)
  const spans = ended().map(one => `00-${one.spanContext().traceId}-${idOf(one)}-01`)
  assert.deepEqual(
    named!.headers.map(({ key, value }) => [key, value && Buffer.from(value)]),
    [
      ['source', Buffer.from('till')],
      ['raw', Buffer.from(bytes)],
      ['none', null],
      ['traceparent', Buffer.from(spans[0]!)],
    ],
  )
  assert.deepEqual(texts(listed!.headers), [
    ['step', 'a'],
    ['step', 'b'],
    ['traceparent', spans[1]],
  ])
  assert.deepEqual(texts(broken!.headers), [['traceparent', spans[2]]])
})

test('a record that brings a context keeps it, and the span of its send has a link there', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using producer = connect(cluster.bootstrapServers).producer({ interceptors: [traceProducer()] })
  await producer.send('orders', { value: 'forwarded', headers: { traceparent: REMOTE, tracestate: 'a=1', n: '1' } })
  const [record] = await read(cluster, 1)
  assert.deepEqual(texts(record!.headers), [
    ['traceparent', REMOTE],
    ['tracestate', 'a=1'],
    ['n', '1'],
  ])
  const send = span('send orders')
  assert.deepEqual([linked(send), send.kind], [[REMOTE_SPAN], SpanKind.CLIENT])
})

test('records of other clients, with a good, a broken and no context, are worked on alike', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  const broken: (string | Buffer)[] = [
    '',
    'garbage',
    Buffer.from([0xff, 0xfe, 0x00]),
    `00-${'0'.repeat(32)}-${REMOTE_SPAN}-01`,
    `ff-${REMOTE_TRACE}-${REMOTE_SPAN}-01`,
    REMOTE.slice(0, -1),
    REMOTE.toUpperCase(),
    'x'.repeat(100_000),
  ]
  const other = new KafkaJs({ brokers: [cluster.bootstrapServers], logLevel: logLevel.NOTHING })
  const sender = other.producer()
  await sender.connect()
  const good = { traceparent: ['garbage', REMOTE], tracestate: 'vendor=1', baggage: 'user=anna' }
  const messages = [{ value: 'none' }, { value: 'good', headers: good }].concat(
    broken.map(traceparent => ({ value: 'broken', headers: { traceparent } }) as never),
  )
  await sender.send({ topic: 'orders', messages })
  await sender.disconnect()

  const records = await read(cluster, messages.length)
  const traced = traceConsumer({ groupId: 'billing' })
  const users = records.map(record => traced(record, () => propagation.getActiveBaggage()?.getEntry('user')?.value))
  assert.deepEqual(
    users.filter(user => user !== undefined),
    ['anna'],
  )
  const spans = ended()
  assert.equal(spans.length, messages.length)
  for (const [index, one] of spans.entries()) {
    const isGood = records[index]?.value === 'good'
    assert.equal(one.parentSpanContext?.spanId, isGood ? REMOTE_SPAN : undefined)
    assert.equal(one.spanContext().traceId === REMOTE_TRACE, isGood)
    assert.deepEqual(linked(one), isGood ? [REMOTE_SPAN] : [])
  }
})

test('work inside of another span is its child, and has a link to where the record comes from', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using producer = connect(cluster.bootstrapServers).producer({ interceptors: [traceProducer()] })
  await producer.send('orders', { value: 'x' })
  const [record] = await read(cluster, 1)
  trace.getTracer('shop').startActiveSpan('nightly', nightly => {
    traceConsumer({ groupId: undefined })(record!, () => undefined)
    nightly.end()
  })
  const work = span('process orders')
  assert.equal(work.parentSpanContext?.spanId, idOf(span('nightly')))
  assert.deepEqual(linked(work), [idOf(span('send orders'))])
})

test('of handlers that run at once each is in the trace of its own record', async () => {
  await using cluster = await startCluster({ topics: { orders: 4 } })
  const kafka = connect(cluster.bootstrapServers)
  await using producer = kafka.producer({ interceptors: [traceProducer()] })
  const count = 40
  for (let index = 0; index < count; index++) {
    await producer.send('orders', { value: String(index), partition: index % 4 })
  }
  const traceOf = new Map(ended().map(one => [idOf(one), one.spanContext().traceId]))
  await using consumer = reader(cluster, 'orders', 4)
  const traced = traceConsumer(consumer)
  const done = new AbortController()
  let left = count
  const handler = async (record: ConsumerRecord<string, string>): Promise<void> => {
    await traced(record, async own => {
      await turn()
      assert.equal(trace.getActiveSpan(), own)
      const [, , sender = ''] = texts(record.headers)[0]?.[1]?.split('-') ?? []
      assert.equal(own.spanContext().traceId, traceOf.get(sender))
    })
    if (--left === 0) done.abort()
  }
  await consumer.run(handler, { concurrency: 4, signal: done.signal })
  assert.equal(ended().filter(({ name }) => name === 'process orders').length, count)
})

test('a key that cannot be read does not keep the work from its span', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  const kafka = connect(cluster.bootstrapServers)
  await using producer = kafka.producer()
  await producer.send('orders', { key: '{', value: 'x' })
  await using consumer = kafka.consumer({ key: json<string>(), value: string })
  consumer.assign([{ topic: 'orders', partition: 0, offset: 0 }])
  const traced = traceConsumer(consumer)
  for await (const record of consumer) {
    assert.equal(
      traced(record, () => record.value),
      'x',
    )
    break
  }
  assert.equal(span('process orders').attributes['messaging.kafka.message.key'], undefined)
})

test('without an SDK nothing is sent along, and all results are the same', async () => {
  unregister()
  await using cluster = await startCluster({ topics: ['orders'] })
  await using producer = connect(cluster.bootstrapServers).producer({ interceptors: [traceProducer()] })
  assert.equal((await producer.send('orders', { value: '0', headers: { n: '1' } })).offset, 0)
  assert.equal((await producer.send('orders', { value: '1' })).offset, 1)
  await assert.rejects(producer.send('orders', { value: 'x', partition: 7 }), { code: 'UNKNOWN_TOPIC_OR_PARTITION' })
  const records = await read(cluster, 2)
  assert.deepEqual(
    records.map(({ headers }) => texts(headers)),
    [[['n', '1']], []],
  )
  const traced = traceConsumer({ groupId: 'billing' })
  assert.equal(await traced(records[0]!, async () => 7), 7)
  assert.throws(
    () =>
      traced(records[0]!, () => {
        throw new Error('as ever')
      }),
    /as ever/,
  )
  assert.deepEqual(ended(), [])
})

test('an SDK that is registered later, or named, makes the spans', async () => {
  unregister()
  await using cluster = await startCluster({ topics: ['orders'] })
  const interceptors = [traceProducer()]
  await using producer = connect(cluster.bootstrapServers).producer({ interceptors })
  trace.setGlobalTracerProvider(provider)
  await producer.send('orders', { value: '0' })
  span('send orders')
  unregister()
  const [record] = await read(cluster, 1)
  traceConsumer({ groupId: undefined }, { tracerProvider: provider })(record!, () => undefined)
  span('process orders')
})

test('a record that was read, and one that an interceptor made with getters, are sent on with all they say', async () => {
  await using cluster = await startCluster({ topics: ['orders', 'copies'] })
  const kafka = connect(cluster.bootstrapServers)
  class Loud {
    readonly topic = 'copies'
    readonly #value: unknown
    constructor(value: unknown) {
      this.#value = value
    }
    get value(): string {
      return `${this.#value}!`
    }
  }
  const loud = { onSend: ({ value }: TopicRecord) => new Loud(value) }
  await using plain = kafka.producer()
  await using traced = kafka.producer({ interceptors: [traceProducer()] })
  await using making = kafka.producer({ interceptors: [loud, traceProducer()] })
  await plain.send('orders', { key: 'k', value: 'v', headers: { a: 'b' }, timestamp: 17 })
  const [record] = await read(cluster, 1)
  await traced.send('copies', record!)
  await making.send('copies', { value: 'v' })
  const [copy, made] = await read(cluster, 2, 'copies')
  assert.deepEqual([copy!.key, copy!.value, copy!.timestamp, copy!.headers[0]?.key], ['k', 'v', 17, 'a'])
  assert.equal(made!.value, 'v!')
})
