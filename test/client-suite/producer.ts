import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { pipeline } from 'node:stream/promises'
import type { ClientRequestEvent } from '../../src/client/index.ts'
import { KEPT, numbers, read, type Scenario, type SuiteCluster, sorted, TEXT } from './suite.ts'

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

async function comesBack(cluster: SuiteCluster): Promise<void> {
  const topic = await cluster.topic(1, KEPT)
  await using producer = cluster.kafka.producer()
  const first = await producer.send(topic, {
    key: 'ключ',
    value: 'v'.repeat(300),
    headers: { trace: 'tür', none: null },
    timestamp: 1_700_000_000_000,
  })
  const second = await producer.send({ topic, value: null })
  assert.deepEqual(first, { topic, partition: 0, offset: 0, timestamp: 1_700_000_000_000 })
  assert.equal(second.offset, 1)
  const [one, two] = await cluster.committed(topic, 2)
  assert.equal(one?.key, 'ключ')
  assert.equal(one?.value, 'v'.repeat(300))
  assert.equal(one?.timestamp, 1_700_000_000_000)
  assert.deepEqual(
    one?.headers.map(({ key, value }) => [key, value && Buffer.from(value).toString()]),
    [
      ['trace', 'tür'],
      ['none', null],
    ],
  )
  assert.equal(two?.value, null)
}

async function everyCodec(cluster: SuiteCluster): Promise<void> {
  for (const compressionType of CODECS) {
    const topic = await cluster.topic()
    await using producer = cluster.kafka.producer({ compressionType })
    const runs = await producer.sendBatch(
      topic,
      numbers(1_000).map(value => ({ value })),
    )
    assert.equal(
      runs.reduce((sum, { count }) => sum + count, 0),
      1_000,
    )
    assert.deepEqual(await cluster.values(topic, 1_000), numbers(1_000), compressionType)
  }
}

/** As `Utils.murmur2` of kafka-clients 3.9.1 hashes keys; `our-producer` in the compat tier compares ten thousand. */
const JAVA_HASHES = {
  '21': -973932308,
  abc: 479470107,
  foobar: -790332482,
  'a-little-bit-long-string': -985981536,
  'a-little-bit-longer-string': -1486304829,
}

async function byKey(cluster: SuiteCluster): Promise<void> {
  const topic = await cluster.topic(7)
  await using producer = cluster.kafka.producer()
  for (const [key, hash] of Object.entries(JAVA_HASHES)) {
    assert.equal((await producer.send(topic, { key, value: key })).partition, (hash & 0x7fff_ffff) % 7, key)
  }
}

async function oneBatch(cluster: SuiteCluster): Promise<void> {
  const topic = await cluster.topic()
  await using producer = cluster.kafka.producer()
  await producer.connect([topic])
  const sent = await Promise.all(numbers(100).map(value => producer.send(topic, { value })))
  assert.deepEqual(
    sent.map(({ offset }) => offset),
    numbers(100).map(Number),
  )
  assert.equal(producer.metrics.batchesSent, 1)
}

async function inParts(cluster: SuiteCluster): Promise<void> {
  const topic = await cluster.topic(1, { 'max.message.bytes': '1000' })
  await using producer = cluster.kafka.producer()
  const singles = numbers(300).map(value => producer.send(topic, { value }))
  await producer.sendBatch(
    topic,
    numbers(200).map(value => ({ value })),
  )
  assert.deepEqual(
    (await Promise.all(singles)).map(({ offset }) => offset),
    numbers(300).map(Number),
  )
  assert.equal(producer.metrics.bufferBytes, 0)
  assert.deepEqual(await cluster.values(topic, 500), [...numbers(300), ...numbers(200)])
  await assert.rejects(producer.send(topic, { value: 'x'.repeat(2_000) }), { code: 'MESSAGE_TOO_LARGE' })
}

async function everyAcks(cluster: SuiteCluster): Promise<void> {
  const topic = await cluster.topic()
  await using none = cluster.kafka.producer({ acks: 0 })
  assert.equal((await none.send(topic, { value: '0' })).offset, -1)
  assert.deepEqual(await cluster.values(topic, 1), ['0'])
  await using leader = cluster.kafka.producer({ acks: 1 })
  assert.equal((await leader.send(topic, { value: '1' })).offset, 1)
}

async function byStream(cluster: SuiteCluster): Promise<void> {
  const topic = await cluster.topic()
  await using producer = cluster.kafka.producer()
  await pipeline(
    numbers(5_000).map(value => ({ value })),
    producer.writable(topic),
  )
  assert.equal(producer.metrics.recordsAcknowledged, 5_000)
  assert.deepEqual(await cluster.values(topic, 5_000), numbers(5_000))
  const tooLarge = [{ value: 'x'.repeat(2_000_000) }]
  await assert.rejects(pipeline(tooLarge, producer.writable(topic)), { code: 'MESSAGE_TOO_LARGE' })
}

async function madeBySending(cluster: SuiteCluster): Promise<void> {
  const topic = cluster.name('made')
  await using producer = cluster.kafka.producer()
  assert.equal((await producer.send(topic, { value: '0' })).offset, 0)
  assert.deepEqual(await cluster.values(topic, 1), ['0'])
}

async function failByThemselves(cluster: SuiteCluster): Promise<void> {
  const topic = await cluster.topic()
  await using producer = cluster.kafka.producer()
  await assert.rejects(producer.send(topic, { value: 'x', partition: 7 }), { code: 'UNKNOWN_TOPIC_OR_PARTITION' })
  await assert.rejects(producer.send('a b', { value: 'x' }), { code: 'INVALID_TOPIC_EXCEPTION' })
  const compacted = await cluster.topic(1, { 'cleanup.policy': 'compact' })
  await assert.rejects(producer.send(compacted, { value: 'no key' }), { code: 'INVALID_RECORD' })
  assert.equal((await producer.send(topic, { value: 'good' })).offset, 0)
  assert.equal((await producer.send(compacted, { key: 'k', value: 'good' })).offset, 0)
}

async function transactions(cluster: SuiteCluster): Promise<void> {
  const [topic, other] = [await cluster.topic(), await cluster.topic()]
  await using producer = cluster.kafka.producer({ transactionalId: cluster.name('shop') })
  await producer.transaction(async tx => {
    await tx.send(topic, { value: '0' })
    await tx.send(topic, { value: '1' })
    await tx.send(other, { value: '0' })
  })
  await assert.rejects(
    producer.transaction(async tx => {
      await tx.send(topic, { value: 'never' })
      await tx.send(other, { value: 'never' })
      throw new Error('changed my mind')
    }),
    /changed my mind/,
  )
  await producer.transaction(async () => undefined)
  await producer.transaction(async tx => void (await tx.sendBatch(topic, [{ value: '2' }, { value: '3' }])))
  await producer.transaction(async tx => void (await tx.send(other, { value: '1' })))
  assert.deepEqual(await cluster.values(topic, 4), numbers(4))
  assert.deepEqual(await cluster.values(other, 2), numbers(2))
}

async function manyTransactions(cluster: SuiteCluster): Promise<void> {
  const topic = await cluster.topic()
  await using producer = cluster.kafka.producer({ transactionalId: cluster.name('shop') })
  for (const value of numbers(30)) {
    const isKept = Number(value) % 3 !== 1
    const done = producer.transaction(async tx => {
      await tx.send(topic, { value })
      if (!isKept) throw new Error('no')
    })
    if (isKept) await done
    else await assert.rejects(done, /no/)
  }
  const kept = numbers(30).filter(value => Number(value) % 3 !== 1)
  assert.deepEqual(await cluster.values(topic, kept.length), kept)
}

async function exactlyOnce(cluster: SuiteCluster): Promise<void> {
  const [source, target] = [await cluster.topic(2), await cluster.topic()]
  await cluster.publish(source, { count: 30, partitions: 2 })
  const groupId = cluster.name('copiers')
  const transactionalId = cluster.name('copier')
  const options = { ...TEXT, groupId, autoOffsetReset: 'earliest', enableAutoCommit: false } as const
  /** Copies up to `end` records, each in a transaction, and aborts every fifth at its first try. */
  const copy = async (end: number): Promise<void> => {
    await using consumer = cluster.kafka.consumer(options)
    await using producer = cluster.kafka.producer({ transactionalId })
    consumer.subscribe(source)
    let done = 0
    for await (const { topic, partition, offset, value } of consumer) {
      const once = async (abort: boolean): Promise<void> =>
        producer.transaction(async tx => {
          await tx.send(target, { value })
          await tx.sendOffsets([{ topic, partition, offset: offset + 1 }], consumer.groupMetadata)
          if (abort) throw new Error('again')
        })
      if (offset % 5 === 0) await assert.rejects(once(true), /again/)
      await once(false)
      if (++done === end) break
    }
  }
  await copy(12)
  await copy(18)
  assert.deepEqual(sorted(await cluster.values(target, 30)), numbers(30))
}

async function fenced(cluster: SuiteCluster): Promise<void> {
  const topic = await cluster.topic()
  const transactionalId = cluster.name('shop')
  await using old = cluster.kafka.producer({ transactionalId })
  await old.transaction(async tx => void (await tx.send(topic, { value: '0' })))
  await using young = cluster.kafka.producer({ transactionalId })
  await young.initTransactions()
  const isFenced = (error: { fatal?: boolean }): boolean => error.fatal === true
  await assert.rejects(
    old.transaction(async tx => void (await tx.send(topic, { value: 'late' }))),
    isFenced,
  )
  await assert.rejects(old.send(topic, { value: 'late' }), isFenced)
  await young.transaction(async tx => void (await tx.send(topic, { value: '1' })))
  assert.deepEqual(await cluster.values(topic, 2), ['0', '1'])
}

async function openTransaction(cluster: SuiteCluster): Promise<void> {
  const topic = await cluster.topic()
  await using producer = cluster.kafka.producer({ transactionalId: cluster.name('shop') })
  await using eager = cluster.kafka.consumer(TEXT)
  eager.assign([{ topic, partition: 0, offset: 0 }])
  await producer.transaction(async tx => {
    await tx.send(topic, { value: '0' })
    assert.equal((await read(eager, 1))[0]?.value, '0')
    await using patient = cluster.kafka.consumer({ ...TEXT, isolationLevel: 'read_committed' })
    assert.deepEqual(
      (await patient.endOffsets([{ topic, partition: 0 }])).map(({ offset }) => offset),
      [0],
    )
  })
  assert.deepEqual(await cluster.values(topic, 1), ['0'])
}

/** Names and versions of what a client asks about transactions, until disposed of. */
function listeningTo(clientId: string): { readonly asked: ReadonlyMap<string, number[]> } & Disposable {
  const channel = 'monedula:client:request'
  const asked = new Map<string, number[]>()
  const listen = (message: unknown): void => {
    const event = message as ClientRequestEvent
    if (event.clientId === clientId) asked.set(event.api, [...(asked.get(event.api) ?? []), event.version])
  }
  subscribe(channel, listen)
  return { asked, [Symbol.dispose]: () => unsubscribe(channel, listen) }
}

async function protocols(cluster: SuiteCluster): Promise<void> {
  const topic = await cluster.topic(2)
  const [transactionalId, groupId] = [cluster.name('shop'), cluster.name('group')]
  await using admin = cluster.kafka.admin()
  await using producer = cluster.kafka.producer({ transactionalId, clientId: transactionalId })
  await producer.initTransactions()
  using listener = listeningTo(transactionalId)
  const epochs: (number | undefined)[] = []
  for (const isKept of [true, false, true]) {
    const done = producer.transaction(async tx => {
      await Promise.all([0, 1].map(partition => tx.send(topic, { value: String(epochs.length), partition })))
      await tx.sendOffsets([{ topic, partition: 0, offset: epochs.length + 1 }], { groupId })
      epochs.push((await admin.describeTransactions([transactionalId]))[0]?.producerEpoch)
      if (!isKept) throw new Error('no')
    })
    if (isKept) await done
    else await assert.rejects(done, /no/)
  }
  const newest = (api: string): number => Math.max(...(listener.asked.get(api) ?? []))
  const [first = 0] = epochs
  const isSecond = cluster.target === 'kafka43'
  assert.deepEqual(epochs, isSecond ? [first, first + 1, first + 2] : [first, first, first])
  for (const api of ['AddPartitionsToTxn', 'AddOffsetsToTxn']) assert.equal(listener.asked.has(api), !isSecond, api)
  assert.ok(!listener.asked.has('InitProducerId'))
  const versions = ['Produce', 'TxnOffsetCommit', 'EndTxn'].map(newest)
  if (isSecond) assert.deepEqual(versions, [12, 5, 5])
  else assert.ok(newest('Produce') < 12 && newest('TxnOffsetCommit') < 5 && newest('EndTxn') < 5, `${versions}`)
  assert.deepEqual(await cluster.values(topic, 2), ['0', '2'])
  assert.deepEqual(
    (await admin.listConsumerGroupOffsets(groupId)).map(({ offset }) => offset),
    [3],
  )
}

export const producerScenarios: readonly Scenario[] = [
  { name: 'a record is sent with key, value, headers and timestamp, and its place comes back', run: comesBack },
  { name: 'records sent with every codec come back as they were', run: everyCodec },
  { name: 'a key decides the partition as in Java', run: byKey },
  { name: 'records of one turn go in one batch, and each learns its own offset', run: oneBatch },
  { name: 'a batch that the topic finds too large is sent in parts, each record once and in order', run: inParts },
  { name: 'acks=0 and acks=1 resolve, without and with an offset, and the records arrive', run: everyAcks },
  {
    name: 'a stream of records is written in order, and ends when all are acknowledged or one is refused',
    run: byStream,
  },
  { name: 'a topic that is not there is made by sending to it, where the broker does that', run: madeBySending },
  { name: 'what the cluster refuses fails by itself, with its code', run: failByThemselves },
  { name: 'a committed transaction is seen as a whole, an aborted one not at all', run: transactions },
  { name: 'transactions follow each other without a gap, whether they commit or abort', run: manyTransactions },
  { name: 'records are copied with their offsets in transactions: each once', run: exactlyOnce },
  { name: 'a producer is fenced by a newer one of its transactional id, and says so for good', run: fenced },
  { name: 'transactions go by the newest protocol that the brokers have agreed on (KIP-890)', run: protocols },
  { name: 'an open transaction is seen by readers of uncommitted records alone', run: openTransaction },
]
