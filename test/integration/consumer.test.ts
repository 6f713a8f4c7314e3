import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import kafkajs from 'kafkajs'
import { type ConsumerRecord, connect, SubscriptionPattern, type TopicPartition } from '../../src/client/index.ts'
import { startCluster } from '../../src/testing/index.ts'
import { PATIENCE_MS } from '../compat/process.ts'
import { FROM_START, numbers, publish, read, sorted, TEXT } from './consumer-records.ts'

test('a group of ours and of kafkajs shares the partitions', async () => {
  await using cluster = await startCluster({ topics: { orders: 4 } })
  const theirs = new kafkajs.Kafka({
    brokers: [cluster.bootstrapServers],
    logLevel: kafkajs.logLevel.NOTHING,
  }).consumer({
    groupId: 'readers',
    partitionAssigners: [
      ({ cluster: view }) => ({
        name: 'range',
        version: 0,
        protocol: ({ topics }) => ({
          name: 'range',
          metadata: kafkajs.AssignerProtocol.MemberMetadata.encode({ version: 0, topics, userData: Buffer.alloc(0) }),
        }),
        assign: async () => assert.fail(`ours leads the group, as it came first: ${view !== undefined}`),
      }),
    ],
  })
  await using _ = { [Symbol.asyncDispose]: () => theirs.disconnect() }
  const assigned: TopicPartition[] = []
  await using ours = connect(cluster.bootstrapServers).consumer({
    ...FROM_START,
    heartbeatIntervalMs: 20,
    partitionAssignmentStrategy: 'range',
    onAssigned: ps => assigned.push(...ps),
  })
  ours.subscribe('orders')
  while (assigned.length < 4) await new Promise(resolve => setImmediate(resolve))
  await theirs.connect()
  await theirs.subscribe({ topic: 'orders', fromBeginning: true })
  const values: string[] = []
  const joined = new Promise<void>(resolve => theirs.on('consumer.group_join', () => resolve()))
  await theirs.run({ eachMessage: async ({ message }) => void values.push(String(message.value)) })
  const reading = ours.run(({ value }) => values.push(value!))
  await joined
  while (ours.assignment.length !== 2) await new Promise(resolve => setImmediate(resolve))
  await publish(cluster, 'orders', { count: 40, partitions: 4 })
  while (values.length < 40) await new Promise(resolve => setImmediate(resolve))
  assert.deepEqual(sorted(new Set(values)), numbers(40))
  await theirs.disconnect()
  await ours.close()
  await reading
})

test('batches, streams and handlers give the same records in order', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  for (let from = 0; from < 100; from += 10) await publish(cluster, 'orders', { count: 10, prefix: `${from / 10}` })
  const expected = Array.from({ length: 100 }, (_, index) => `${Math.floor(index / 10)}${index % 10}`)
  const kafka = connect(cluster.bootstrapServers)
  const open = () => {
    const consumer = kafka.consumer({ ...TEXT })
    consumer.assign([{ topic: 'orders', partition: 0, offset: 0 }])
    return consumer
  }
  {
    await using consumer = open()
    const values: (string | null)[] = []
    for await (const { records, partition, highWatermark } of consumer.batches()) {
      assert.deepEqual([partition, highWatermark], [0, 100])
      values.push(...records.map(({ value }) => value))
      if (values.length === 100) break
    }
    assert.deepEqual(values, expected)
  }
  {
    await using consumer = open()
    const values: (string | null)[] = []
    for await (const record of consumer.readable())
      if (values.push((record as ConsumerRecord<string, string>).value) === 100) break
    assert.deepEqual(values, expected)
  }
  for (const order of ['partition', 'key'] as const) {
    await using consumer = open()
    const end = new AbortController()
    const values: (string | null)[] = []
    const ofKey = new Map<string | null, (string | null)[]>()
    let atOnce = 0
    let most = 0
    await consumer.run(
      async ({ key, value }) => {
        most = Math.max(most, ++atOnce)
        await new Promise(resolve => setImmediate(resolve))
        atOnce -= 1
        values.push(value)
        ofKey.set(key, [...(ofKey.get(key) ?? []), value])
        if (values.length === 100) end.abort()
      },
      { concurrency: 4, order, signal: end.signal },
    )
    assert.deepEqual([...values].sort(), expected)
    if (order === 'partition') assert.deepEqual(values, expected)
    else assert.ok(most > 1 && most <= 4)
    for (const inOrder of ofKey.values()) assert.deepEqual(inOrder, [...inOrder].sort())
  }
})

test('what a stream pulled counts for nothing before it is committed by hand', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await publish(cluster, 'orders', { count: 20 })
  const kafka = connect(cluster.bootstrapServers)
  await using consumer = kafka.consumer(FROM_START)
  consumer.subscribe('orders')
  const isFull = new Promise<void>(resolve => {
    const writable = new Writable({ objectMode: true, highWaterMark: 4, write: () => {} })
    const stream = consumer.readable()
    stream.on('pause', resolve)
    stream.pipe(writable)
  })
  await isFull
  await consumer.commit()
  const place = { topic: 'orders', partition: 0 }
  assert.deepEqual(await consumer.committed([place]), [undefined])
  await consumer.commit([{ ...place, offset: 1 }])
  await consumer.close()
  await using next = kafka.consumer(FROM_START)
  next.subscribe('orders')
  assert.equal((await read(next, 1))[0]!.offset, 1)
})

test('a handler that throws ends the run with its error, and its record is read again', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await publish(cluster, 'orders', { count: 10 })
  await using consumer = connect(cluster.bootstrapServers).consumer(FROM_START)
  consumer.subscribe('orders')
  const fail = ({ value }: ConsumerRecord<string, string>): void => {
    if (value === '4') throw new Error('no luck with 4')
  }
  await assert.rejects(consumer.run(fail), /no luck with 4/)
  assert.deepEqual(
    (await read(consumer, 1)).map(({ value }) => value),
    ['4'],
  )
})

test('what a loop that is left had in hand is for another that waits', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await publish(cluster, 'orders', { count: 1 })
  // What is fetched once is all that may wait: then nothing is fetched by the way.
  await using consumer = connect(cluster.bootstrapServers).consumer({ ...FROM_START, maxPartitionFetchBytes: 1 })
  const place = { topic: 'orders', partition: 0 }
  consumer.assign([{ ...place, offset: 0 }])
  const [left, other] = [consumer[Symbol.asyncIterator](), consumer[Symbol.asyncIterator]()]
  await left.next()
  const waiting = other.next()
  await publish(cluster, 'orders', { count: 1, prefix: 'later' })
  while (consumer.lag(place) !== 2) await new Promise(resolve => setImmediate(resolve))
  await left.return!()
  assert.equal((await waiting).value?.value, '0')
})

test('what was fetched for a loop that has ended is for another that waits', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using producer = connect(cluster.bootstrapServers).producer()
  for (const value of ['0', '1']) await producer.send('orders', { value })
  await using consumer = connect(cluster.bootstrapServers).consumer({ ...TEXT, autoOffsetReset: 'earliest' })
  consumer.assign([{ topic: 'orders', partition: 0 }])
  const over = new AbortController()
  const other = consumer[Symbol.asyncIterator]()
  let waiting: ReturnType<typeof other.next> | undefined
  const begin = async (): Promise<void> => {
    waiting = other.next()
    over.abort()
  }
  await consumer.run(begin, { signal: over.signal })
  const limit = setTimeout(() => void consumer.close(), PATIENCE_MS)
  assert.equal((await waiting)?.value?.value, '1')
  clearTimeout(limit)
})

test('a consumer goes on after its broker was killed and came back', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await publish(cluster, 'orders', { count: 5 })
  await using consumer = connect(cluster.bootstrapServers).consumer({
    ...FROM_START,
    retryBackoffMs: 5,
    reconnectBackoffMs: 5,
    heartbeatIntervalMs: 20,
  })
  consumer.subscribe('orders')
  assert.equal((await read(consumer, 5)).length, 5)
  await cluster.restart('kill')
  await publish(cluster, 'orders', { count: 5, prefix: '1' })
  const values = (await read(consumer, 6)).map(({ value }) => value)
  assert.deepEqual(values.slice(-5), ['10', '11', '12', '13', '14'])
})

test('whoever hears that a partition came may say where to begin with it, before anything of it is read', async () => {
  await using cluster = await startCluster({ topics: { orders: 2 } })
  await publish(cluster, 'orders', { count: 10, partitions: 2 })
  const consumer = connect(cluster.bootstrapServers).consumer({
    ...FROM_START,
    onAssigned: partitions => {
      for (const one of partitions) consumer.seek(one, 3 + one.partition)
      consumer.pause(partitions.filter(({ partition }) => partition === 1))
    },
  })
  await using _ = consumer
  consumer.subscribe('orders')
  const places = (await read(consumer, 2)).map(({ partition, offset }) => [partition, offset])
  assert.deepEqual(places, [
    [0, 3],
    [0, 4],
  ])
  consumer.resume([{ topic: 'orders', partition: 1 }])
  for await (const { partition, offset } of consumer) {
    if (partition === 0) continue
    assert.equal(offset, 4)
    break
  }
})

test('a commit by hand is not taken back by the one at close, for a record that the loop was left with', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await publish(cluster, 'orders', { count: 3 })
  const place = { topic: 'orders', partition: 0 }
  const kafka = connect(cluster.bootstrapServers)
  const committed = async (): Promise<number | undefined> => {
    await using reader = kafka.consumer({ groupId: 'readers' })
    return (await reader.committed([place]))[0]?.offset
  }
  {
    await using consumer = kafka.consumer(FROM_START)
    consumer.subscribe('orders')
    for await (const { offset } of consumer) {
      await consumer.commit([{ ...place, offset: offset + 1 }])
      if (offset === 1) break
    }
  }
  assert.equal(await committed(), 2)
  {
    await using consumer = kafka.consumer(FROM_START)
    consumer.subscribe('orders')
    for await (const _ of consumer) break
    await consumer.commit([{ ...place, offset: 3 }])
    consumer.seek(place, 1)
  }
  assert.equal(await committed(), 1, 'who seeks means it')
})

test('a commit that is tried again does not take back a later one, also of partitions that are read no more', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await publish(cluster, 'orders', { count: 3 })
  const place = { topic: 'orders', partition: 0 }
  const settings = { ...FROM_START, enableAutoCommit: false, retryBackoffMs: 300, retryBackoffMaxMs: 300 }
  await using consumer = connect(cluster.bootstrapServers).consumer(settings)
  consumer.assign([place])
  const records = consumer[Symbol.asyncIterator]()
  await records.next()
  await records.next()
  cluster.failNext('OffsetCommit', 'COORDINATOR_LOAD_IN_PROGRESS')
  const early = consumer.commit()
  await records.next()
  await consumer.commit()
  await consumer.unsubscribe()
  await early
  assert.equal((await consumer.committed([place]))[0]?.offset, 2)
})

test('a commit of what was worked on takes nothing back that the program is committing meanwhile', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  const kafka = connect(cluster.bootstrapServers)
  await using producer = kafka.producer()
  await producer.sendBatch('orders', [{ value: 'one' }, { value: 'two' }])
  await using consumer = kafka.consumer({ groupId: 'readers', autoOffsetReset: 'earliest', enableAutoCommit: false })
  consumer.subscribe(['orders'])
  for await (const { topic, partition, offset } of consumer) {
    await Promise.all([consumer.commit([{ topic, partition, offset: offset + 1 }]), consumer.commit()])
    break
  }
  const [committed] = await consumer.committed([{ topic: 'orders', partition: 0 }])
  assert.equal(committed?.offset, 1)
})

test('what is no offset is not committed', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using consumer = connect(cluster.bootstrapServers).consumer({ groupId: 'readers' })
  for (const offset of [-5, 1.5, Number.NaN]) {
    const committing = consumer.commit([{ topic: 'orders', partition: 0, offset }])
    await assert.rejects(committing, { code: 'INVALID_REQUEST', message: new RegExp(`offset ${offset} of orders-0`) })
  }
})

test('a cluster without the consumer protocol of groups is said to be one, with the way out', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using consumer = connect(cluster.bootstrapServers).consumer({ ...FROM_START, groupProtocol: 'consumer' })
  consumer.subscribe('orders')
  await assert.rejects(read(consumer, 1), {
    code: 'UNSUPPORTED_VERSION',
    message: /readers: .*set group\.protocol=classic/,
  })
})

test('mistakes in the settings are named', () => {
  const kafka = connect('localhost:9092')
  assert.throws(
    () => kafka.consumer({ 'fetch.min.byte': 1 } as object),
    /Unknown configuration fetch.min.byte: did you mean fetch.min.bytes/,
  )
  assert.throws(() => kafka.consumer({ autoOffsetReset: 'begin' } as object), /auto.offset.reset/)
  assert.throws(() => connect('localhost').consumer(), /bootstrap.servers: an address is host:port/)
  assert.throws(() => kafka.consumer({}).subscribe('t'), /group.id/)
  assert.throws(
    () => kafka.consumer({ groupId: 'g', partitionAssignmentStrategy: 'best' }).subscribe('t'),
    /there are range, roundrobin/,
  )
  const consumerProtocol = { groupId: 'g', groupProtocol: 'consumer' } as const
  for (const [more, message] of [
    [{ heartbeatIntervalMs: 1 }, /heartbeat\.interval\.ms: the broker decides/],
    [{ partitionAssignmentStrategy: 'range' }, /partition\.assignment\.strategy: the broker decides/],
    [{ groupProtocol: 'classic', groupRemoteAssignor: 'range' }, /group\.remote\.assignor: .*group\.protocol=consumer/],
  ] as const) {
    assert.throws(() => kafka.consumer({ ...consumerProtocol, ...more }).subscribe('t'), message)
  }
  assert.throws(() => kafka.consumer({ groupId: 'g' }).subscribe(new SubscriptionPattern('a.*')), /RegExp/)
})
