/**
 * What no compiler has looked at: calls as other clients have them, and slips. Each is refused with a line that names what is wrong and
 * the way out, and nothing is written or waited for.
 */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { type Consumer, connect, json, type Kafka, type Producer } from '../../src/client/index.ts'
import { startCluster, type TestCluster } from '../../src/testing/index.ts'

const cluster: TestCluster = await startCluster({ topics: ['orders'] })
const kafka: Kafka = connect(cluster.bootstrapServers)
after(() => cluster.stop())

/** A client as JavaScript sees it: without types. */
type Untyped<T> = {
  readonly [K in keyof T]: T[K] extends (...args: infer _) => infer R ? (...args: unknown[]) => R : T[K]
}

const PLACE = { topic: 'orders', partition: 0 }

async function end(): Promise<number> {
  await using consumer = kafka.consumer()
  return (await consumer.endOffsets([PLACE]))[0]!.offset
}

const wrongRecords: readonly (readonly [string, (producer: Untyped<Producer>) => Promise<unknown>, string, RegExp])[] =
  [
    ['messages', p => p.send({ topic: 'orders', messages: [{ value: 'a' }] }), 'INVALID_RECORD', /sendBatch/],
    ['a text', p => p.send('orders', 'hello'), 'INVALID_RECORD', /not string/],
    ['no record', p => p.send('orders'), 'INVALID_RECORD', /not undefined/],
    ['a mistyped value', p => p.send('orders', { key: 'a', val: 'b' }), 'INVALID_RECORD', /with val/],
    ['no topic', p => p.send(undefined, { value: 'a' }), 'INVALID_TOPIC_EXCEPTION', /not by undefined/],
    ['batch of messages', p => p.sendBatch({ topic: 'orders', messages: [] }), 'INVALID_RECORD', /list of records/],
    ['a text among records', p => p.sendBatch('orders', ['hello']), 'INVALID_RECORD', /not string/],
    [
      'headers of a map',
      p => p.send('orders', { value: 'a', headers: new Map() }),
      'INVALID_RECORD',
      /names and values/,
    ],
    [
      'a header list',
      p => p.send('orders', { value: 'a', headers: { a: ['b'] } }),
      'INVALID_RECORD',
      /a list of \{ key/,
    ],
    [
      'headers as node-rdkafka has them',
      p => p.send('orders', { value: 'a', headers: [{ trace: 'abc' }] }),
      'INVALID_RECORD',
      /\{ key, value \}/,
    ],
    ['a value that is undefined', p => p.send('orders', { key: 'a', value: undefined }), 'INVALID_RECORD', /null/],
    ['a list of topics', p => p.send(['orders'], { value: 'a' }), 'INVALID_TOPIC_EXCEPTION', /named by a text/],
    [
      'a header undefined',
      p => p.send('orders', { value: 'a', headers: { a: undefined } }),
      'INVALID_RECORD',
      /header a/,
    ],
  ]

for (const [name, send, code, message] of wrongRecords) {
  test(`what is no record is refused and not written: ${name}`, async () => {
    await using producer = kafka.producer()
    const before = await end()
    await assert.rejects(async () => send(producer as never), { name: 'KafkaError', code, message })
    await producer.flush()
    assert.equal(await end(), before)
  })
}

test('what JSON cannot say is refused with its topic', async () => {
  await using producer = kafka.producer<string, unknown>({ value: json() })
  const circle: Record<string, unknown> = {}
  circle.itself = circle
  for (const value of [circle, () => 1, 1n]) {
    await assert.rejects(producer.send('orders', { value }), { code: 'INVALID_RECORD', message: /orders.*JSON/ })
  }
})

test('a serializer that returns no bytes is refused for its record, and the next one is written', async () => {
  const returned: (() => unknown)[] = [
    async () => Buffer.of(1),
    async () => Promise.reject(new Error('later')),
    () => undefined,
    () => 'text',
  ]
  await using producer = kafka.producer<string, string>({ value: { serialize: () => returned.shift()?.() as never } })
  for (const message of [/await/, /await/, /not undefined/, /not string/]) {
    await assert.rejects(producer.send('orders', { value: 'a' }), { code: 'INVALID_RECORD', message })
  }
  returned.push(() => Buffer.of(1))
  assert.equal((await producer.send('orders', { value: 'a' })).topic, 'orders')
})

test('a transaction without its work, and offsets without their group, are refused with the way out', async () => {
  await using producer = kafka.producer({ transactionalId: 'wrong-use' })
  const untyped = producer as unknown as Untyped<Producer>
  await assert.rejects(async () => untyped.transaction(), { code: 'INVALID_REQUEST', message: /beginTransaction\(\)/ })
  const offset = { topic: 'orders', partition: 0, offset: 1 }
  for (const offsets of [{ consumerGroupId: 'g', topics: [] }, [offset], [{ ...offset, offset: '1' }]]) {
    const work = producer.transaction(async () => untyped.sendOffsets(offsets) as Promise<void>)
    await assert.rejects(work, { code: 'INVALID_REQUEST', message: /sendOffsets\(\)/ })
  }
})

test('a listener or an assignor that is none is refused when the consumer is made', () => {
  const refused = (options: object, message: RegExp): void =>
    assert.throws(() => kafka.consumer({ groupId: 'g', ...options }), { name: 'ConfigError', message })
  refused({ assignors: {} }, /assignors: give a list/)
  refused({ assignors: ['sticky'] }, /partition\.assignment\.strategy takes names/)
  for (const name of ['onAssigned', 'onRevoked', 'onLost'])
    refused({ [name]: 'x' }, new RegExp(`${name}: give a function, not string`))
})

test('a signal that is none is refused by every client, and ends no process', async () => {
  const refusal = { name: 'KafkaError', code: 'INVALID_REQUEST', message: /signal: give an AbortSignal/ }
  await using producer = kafka.producer({ transactionalId: 'signals' })
  await using plain = kafka.producer()
  await using consumer = kafka.consumer({ groupId: 'signals' })
  await using admin = kafka.admin()
  const before = await end()
  for (const given of [new AbortController(), 'now', null, 1_000, {}]) {
    const signal = given as never
    for (const call of [
      () => plain.send('orders', { value: 'a' }, { signal }),
      () => plain.sendBatch('orders', [{ value: 'a' }], { signal }),
      () => plain.flush({ signal }),
      () => plain.partitionsFor('orders', { signal }),
      () => producer.initTransactions({ signal }),
      () => consumer.run(() => {}, { signal }),
      () => consumer.listTopics({ signal }),
      () => consumer.committed([PLACE], { signal }),
      () => admin.listTopics({ signal }),
    ]) {
      await assert.rejects(call(), refusal)
    }
  }
  assert.equal(await end(), before)
})

test('a call that gives a promise throws nothing, but rejects it', async () => {
  await using producer = kafka.producer()
  const aborted = AbortSignal.abort(new Error('enough'))
  await assert.rejects(producer.partitionsFor('orders', { signal: aborted }), /enough/)
  for (const call of ['initTransactions', 'commitTransaction', 'abortTransaction'] as const)
    await assert.rejects(producer[call](), { code: 'INVALID_TXN_STATE', message: /transactional\.id/ })
})

test('a serializer or partitioner that is none is refused when the client is made', () => {
  assert.throws(() => kafka.producer({ value: json as never }), { name: 'ConfigError', message: /value: .*serialize/ })
  assert.throws(() => kafka.producer({ key: 'string' as never }), { name: 'ConfigError', message: /key: / })
  assert.throws(() => kafka.consumer({ value: json as never }), {
    name: 'ConfigError',
    message: /value: .*deserialize/,
  })
  assert.throws(() => kafka.producer({ partitioner: 'hash' as never }), { name: 'ConfigError', message: /partitioner/ })
})

const wrongReads: readonly (readonly [string, (consumer: Untyped<Consumer>) => unknown, RegExp])[] = [
  ['subscribe with a topic', c => c.subscribe({ topic: 'orders', fromBeginning: true }), /auto\.offset\.reset/],
  ['subscribe with undefined', c => c.subscribe(undefined), /name of a topic/],
  ['run with eachMessage', c => c.run({ eachMessage: async () => {} }), /not object/],
  ['run with a slip', c => c.run(() => {}, { concurency: 3 }), /there is no concurency: did you mean concurrency\?/],
  ['run without a number', c => c.run(() => {}, { concurrency: Number.POSITIVE_INFINITY }), /concurrency: Infinity/],
  ['run with a number in text', c => c.run(() => {}, { concurrency: '3' }), /concurrency: 3 is not a number/],
  ['run in another order', c => c.run(() => {}, { order: 'topic' }), /order: topic is neither/],
  ['run with settings', c => c.run(() => {}, { autoCommit: false }), /no autoCommit: did you mean enableAutoCommit/],
  [
    'run with the options of kafkajs',
    c => c.run(() => {}, { partitionsConsumedConcurrently: 3 }),
    /did you mean concurrency\?/,
  ],
  ['run before subscribe', c => c.run(() => {}), /subscribe\(\) or assign\(\)/],
  [
    'a loop before subscribe',
    c => (c as unknown as Consumer)[Symbol.asyncIterator]().next(),
    /subscribe\(\) or assign\(\)/,
  ],
]

for (const [name, read, message] of wrongReads) {
  test(`a consumer that is asked for what it cannot do says so: ${name}`, async () => {
    await using consumer = kafka.consumer({ groupId: 'g' })
    await assert.rejects(async () => read(consumer as never), { name: 'KafkaError', code: 'INVALID_REQUEST', message })
  })
}

test('a listener that wants no SASL is asked whether it does', async () => {
  const sasl = { mechanism: 'PLAIN', username: 'a', password: 'b' } as const
  await using admin = connect({ bootstrapServers: cluster.bootstrapServers, sasl }).admin()
  await assert.rejects(admin.listTopics(), { code: 'UNSUPPORTED_VERSION', message: /does this listener want SASL\?/ })
})

test('a place to go on that is no offset is refused', async () => {
  await using consumer = kafka.consumer()
  const place = { topic: 'orders', partition: 0 }
  consumer.assign([place])
  for (const offset of [undefined, '5', -1, 1.5]) {
    assert.throws(() => consumer.seek(place, offset as never), { code: 'INVALID_REQUEST', message: /is not an offset/ })
  }
})

const wrongPlaces: readonly (readonly [string, (consumer: Untyped<Consumer>) => unknown])[] = [
  ['assign() of a name', c => c.assign('orders')],
  ['assign() of names', c => c.assign(['orders'])],
  ['assign() of kafkajs', c => c.assign([{ topic: 'orders', partitions: [0] }])],
  ['assign() of a number in text', c => c.assign([{ topic: 'orders', partition: '0' }])],
  ['pause() of one', c => c.pause(PLACE)],
  ['pause() of kafkajs', c => c.pause([{ topic: 'orders', partitions: [0] }])],
  ['resume() of nothing', c => c.resume()],
  ['fetching committed offsets of nothing', c => c.committed()],
  ['committing offsets of one', c => c.commit({ ...PLACE, offset: 1 })],
  ['committing offsets of kafkajs', c => c.commit([{ topic: 'orders', partitions: [{ partition: 0, offset: '1' }] }])],
  ['endOffsets() of a name', c => c.endOffsets('orders')],
  ['looking up offsets without a time', c => c.offsetsForTimes([PLACE])],
  ['looking up offsets by a Date', c => c.offsetsForTimes([{ ...PLACE, timestamp: new Date() }])],
]

for (const [name, call] of wrongPlaces) {
  test(`partitions that are none are refused by the name of the call: ${name}`, async () => {
    await using consumer = kafka.consumer({ groupId: 'places' })
    const message = new RegExp(`^${name.split(/ (of|without|by) /)[0]!.replace('()', '\\(\\)')}.*: `)
    await assert.rejects(async () => call(consumer as never), { code: 'INVALID_REQUEST', message })
    assert.deepEqual(consumer.assignment, [])
  })
}

const ACL = { resourceType: 'topic', resourceName: 'orders', principal: 'User:anna', operation: 'read' } as const

test('items that an admin cannot ask about are refused with what they lack', async () => {
  await using admin = kafka.admin()
  const untyped = admin as unknown as Untyped<typeof admin>
  const calls: readonly (readonly [() => unknown, RegExp])[] = [
    [() => untyped.createTopics(['bills']), /\{ name \}, not of string/],
    [() => untyped.createTopics([{ topic: 'bills', numPartitions: 3 }]), /\{ topic, numPartitions \} has no name/],
    [() => untyped.createTopics([{ name: 'bills', numPartitions: 3 }]), /no numPartitions: did you mean partitions\?/],
    [() => untyped.createTopics([{ name: 'bills', configEntries: [] }]), /no configEntries: did you mean configs\?/],
    [() => untyped.createTopics([{ name: 'bills', partitions: '3' }]), /CreateTopics: 3 is no int32/],
    [() => untyped.createPartitions([{ topic: 'orders', count: 3 }]), /has no total/],
    [() => untyped.listOffsets([PLACE]), /at is latest, earliest/],
    [() => untyped.listOffsets([{ ...PLACE, at: 'end' }]), /not end/],
    [() => untyped.deleteRecords([{ ...PLACE, offset: '3' }]), /has no beforeOffset/],
    [() => untyped.describeConfigs([{ type: 2, name: 'orders' }]), /type that is not a text/],
    [() => untyped.incrementalAlterConfigs([{ type: 'topic', name: 'orders', configEntries: [] }]), /has no changes/],
    [() => untyped.createAcls([{ ...ACL, permissionType: 'deny' }]), /no permissionType: did you mean permission\?/],
    [() => untyped.createAcls([{ ...ACL, resourceType: 2 }]), /resourceType that is not a text/],
    [() => untyped.createAcls([{ ...ACL, operation: 'READ' }]), /no operation READ: did you mean read\?/],
    [() => untyped.createAcls({ acl: [ACL] }), /give a list/],
    [() => untyped.deleteAcls([{ permissionType: 'deny' }]), /no permissionType/],
    [() => untyped.deleteAcls({ filters: [] }), /give a list/],
    [() => untyped.describeAcls({ operation: 3 }), /no operation 3: there are any, all, read/],
    [() => untyped.listConsumerGroupOffsets({ groupId: 'billing' }), /./],
  ]
  for (const [call, message] of calls) {
    await assert.rejects(async () => call(), { name: 'KafkaError', code: 'INVALID_REQUEST', message })
  }
})

test('what is null in place of options, a filter, a list or an item is refused with what to give instead', async () => {
  await using admin = kafka.admin()
  await using consumer = kafka.consumer({ groupId: 'nulls' })
  await using producer = kafka.producer({ transactionalId: 'nulls' })
  const [a, c, p] = [admin, consumer, producer] as unknown as [
    Untyped<typeof admin>,
    Untyped<Consumer>,
    Untyped<Producer>,
  ]
  const options = /options: give an object such as \{ timeoutMs, signal \}, not null/
  const calls: readonly (readonly [() => unknown, RegExp])[] = [
    [() => a.listTopics(null), options],
    [() => a.createTopics([], null), options],
    [() => a.removeMembersFromConsumerGroup('g', [], null), options],
    [() => c.listTopics(null), options],
    [() => c.committed([PLACE], null), options],
    [() => c.batches(null), options],
    [() => c.close(null), options],
    [() => p.connect([], null), options],
    [() => p.sendBatch('orders', [], null), options],
    [() => p.sendOffsets([], { groupId: 'g' }, null), options],
    [() => p.close(null), options],
    ...['flush', 'initTransactions', 'commitTransaction', 'abortTransaction'].map(
      name => [() => p[name as 'flush'](null), options] as const,
    ),
    [() => p.connect('orders'), /connect\(\): give a list, not string/],
    [() => a.describeLogDirs(0), /give a list, not number/],
    [() => a.describeAcls(null), /: give an object such as \{ .*resourceType.*, not null/],
    [() => a.describeClientQuotas(null), /give an object such as \{ parts, strict \}, not null/],
    [() => a.deleteTopics([null]), /there is null in the list/],
    [() => a.electLeaders('preferred', [null]), /there is null in the list/],
    [() => a.listPartitionReassignments(null), /give a list, not null/],
    [() => a.describeReplicaLogDirs('orders'), /give a list, not string/],
    [() => a.alterUserScramCredentials([null]), /there is null in the list/],
    [() => c.committed(null), /give a list, not null/],
    [() => c.commit([null]), /^committing offsets: there is null in the list/],
  ]
  for (const [call, message] of calls) {
    await assert.rejects(async () => call(), { name: 'KafkaError', code: 'INVALID_REQUEST', message })
  }
})

test('an admin that is given one thing, or what other clients take, asks for a list', async () => {
  await using admin = kafka.admin()
  const untyped = admin as unknown as Untyped<typeof admin>
  for (const call of [
    () => untyped.createTopics({ topics: [{ topic: 'bills' }] }),
    () => untyped.deleteTopics('orders'),
    () => untyped.createPartitions({ topic: 'orders', count: 3 }),
  ]) {
    await assert.rejects(async () => call(), { code: 'INVALID_REQUEST', message: /give a list/ })
  }
  assert.deepEqual(
    (await admin.listTopics()).filter(({ isInternal }) => !isInternal).map(({ name }) => name),
    ['orders'],
  )
})

test('a client that is closed says so, and that it will stay so', async () => {
  const [producer, admin, consumer] = [kafka.producer(), kafka.admin(), kafka.consumer()]
  // What it has heard of the cluster is no reason to try.
  await admin.describeCluster()
  for (const client of [producer, admin, consumer]) {
    await client.close()
    await client.close()
  }
  const refusal = { code: 'OPERATION_NOT_ATTEMPTED', retriable: false, message: /is closed/ }
  await assert.rejects(producer.send('orders', { value: 'a' }), refusal)
  await assert.rejects(admin.listTopics(), refusal)
  await assert.rejects(admin.createTopics([{ name: 'late' }]), refusal)
  await assert.rejects(admin.describeLogDirs([0]), refusal)
  await assert.rejects(consumer.endOffsets([{ topic: 'orders', partition: 0 }]), refusal)
})
