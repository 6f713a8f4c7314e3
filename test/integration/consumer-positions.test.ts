/** Where a consumer reads, when a partition has no leader, no such offset, or lost what was read. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect, LogTruncationError, PositionError } from '../../src/client/index.ts'
import { BatchBuilder, ErrorCode } from '../../src/protocol/index.ts'
import { startCluster, type TestCluster } from '../../src/testing/index.ts'
import { IN_TIME, NEVER_MS } from './client-time.ts'
import { FROM_START, publish, read, TEXT } from './consumer-records.ts'

const CRC_AT = 17

const place = (partition: number) => ({ topic: 'orders', partition })

interface TopicAnswer {
  readonly topics: readonly { readonly partitions: readonly { readonly partitionIndex: number }[] }[]
}

/** Lets the cluster say that partition 0 has no leader. */
function withoutLeader(cluster: TestCluster): Disposable {
  return cluster.control('Metadata', async request => {
    const answer = (await request.proceed()) as TopicAnswer
    const topics = answer.topics.map(topic => ({
      ...topic,
      partitions: topic.partitions.map(one =>
        one.partitionIndex === 0 ? { ...one, leaderId: -1, errorCode: ErrorCode.LEADER_NOT_AVAILABLE } : one,
      ),
    }))
    return { ...answer, topics }
  })
}

test('a partition without a leader keeps no other from being fetched', IN_TIME, async () => {
  await using cluster = await startCluster({ topics: { orders: 2 } })
  const kafka = connect(cluster.bootstrapServers)
  await using producer = kafka.producer()
  await producer.connect(['orders'])
  using _ = withoutLeader(cluster)
  await using consumer = kafka.consumer({ ...TEXT, retryBackoffMs: NEVER_MS, retryBackoffMaxMs: NEVER_MS })
  consumer.assign([0, 1].map(partition => ({ ...place(partition), offset: 0 })))
  for (let count = 0; count < 5; count++) {
    await producer.send({ ...place(1), value: `${count}` })
    assert.equal((await read(consumer, 1))[0]!.value, `${count}`)
    consumer.seek(place(1), count + 1)
  }
})

test('a partition without a leader keeps nobody from finding out where the others begin', IN_TIME, async () => {
  await using cluster = await startCluster({ topics: { orders: 2 } })
  await publish(cluster, 'orders', { count: 4, partitions: 2 })
  using _ = withoutLeader(cluster)
  await using consumer = connect(cluster.bootstrapServers).consumer({ ...TEXT, autoOffsetReset: 'earliest' })
  consumer.assign([place(0), place(1)])
  assert.deepEqual(
    (await read(consumer, 2)).map(({ partition }) => partition),
    [1, 1],
  )
})

test('a partition whose broker fails for no known reason is asked again', IN_TIME, async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await publish(cluster, 'orders', { count: 1 })
  cluster.control(
    'Fetch',
    async request => {
      const answer = (await request.proceed()) as { readonly responses: readonly { readonly partitions: object[] }[] }
      const failed = { errorCode: ErrorCode.UNKNOWN_SERVER_ERROR, records: null }
      const responses = answer.responses.map(topic => ({
        ...topic,
        partitions: topic.partitions.map(one => ({ ...one, ...failed })),
      }))
      return { ...answer, responses }
    },
    { times: 1 },
  )
  await using consumer = connect(cluster.bootstrapServers).consumer(TEXT)
  consumer.assign([{ ...place(0), offset: 0 }])
  assert.equal((await read(consumer, 1))[0]!.value, '0')
})

test('a consumer that was told of a truncated log goes on after a seek', IN_TIME, async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await publish(cluster, 'orders', { count: 5 })
  await using consumer = connect(cluster.bootstrapServers).consumer({ ...TEXT, autoOffsetReset: 'none' })
  consumer.assign([{ ...place(0), offset: 0 }])
  await read(consumer, 5)
  const partitions = [{ partition: 0, errorCode: 0, leaderEpoch: 0, endOffset: 2 }]
  cluster.control('OffsetForLeaderEpoch', () => ({ topics: [{ topic: 'orders', partitions }] }), { times: 1 })
  await cluster.restart('kill')
  const failure = await read(consumer, 1).catch(error => error)
  assert.ok(failure instanceof LogTruncationError && failure instanceof PositionError, String(failure))
  await assert.rejects(read(consumer, 1), failure)
  consumer.seek(failure, failure.divergingOffset!)
  assert.deepEqual(
    (await read(consumer, 3)).map(({ offset }) => offset),
    [2, 3, 4],
  )
})

test(
  'who seeks with a leader epoch hears of a log without those records, and not from a leader of before',
  IN_TIME,
  async () => {
    await using cluster = await startCluster({ topics: ['orders'] })
    let epoch = 0
    cluster.control('Metadata', async request => {
      const answer = (await request.proceed()) as TopicAnswer
      const topics = answer.topics.map(topic => ({
        ...topic,
        partitions: topic.partitions.map(one => ({ ...one, leaderEpoch: epoch })),
      }))
      if (topics.length > 0) epoch = 1
      return { ...answer, topics }
    })
    const asked: unknown[] = []
    cluster.control('OffsetForLeaderEpoch', ({ body }) => {
      asked.push(body.topics)
      const partitions = [{ partition: 0, errorCode: ErrorCode.NONE, leaderEpoch: 0, endOffset: 2 }]
      return { topics: [{ topic: 'orders', partitions }] }
    })
    await using consumer = connect(cluster.bootstrapServers).consumer({ autoOffsetReset: 'none', groupId: 'readers' })
    await consumer.commit([{ ...place(0), offset: 3, leaderEpoch: 1 }])
    const [committed] = await consumer.committed([place(0)])
    const begin: readonly (() => void)[] = [
      () => consumer.assign([committed!]),
      () => consumer.seek(place(0), committed!),
      () => consumer.seek(place(0), { offset: 4, leaderEpoch: 1 }),
    ]
    for (const beginning of begin) {
      beginning()
      await assert.rejects(read(consumer, 1), LogTruncationError)
    }
    assert.deepEqual(
      asked,
      begin.map(() => [{ topic: 'orders', partitions: [{ partition: 0, currentLeaderEpoch: 1, leaderEpoch: 1 }] }]),
    )
    for (const leaderEpoch of ['1', 1.5, -2, null])
      assert.throws(() => consumer.seek(place(0), { offset: 0, leaderEpoch: leaderEpoch as never }), {
        code: 'INVALID_REQUEST',
        message: /leaderEpoch .* is none/,
      })
  },
)

test(
  'where no leader comes of the epoch to go on from, the one there is is asked after a warning',
  IN_TIME,
  async () => {
    await using cluster = await startCluster({ topics: ['orders'] })
    await publish(cluster, 'orders', { count: 2 })
    const warnings: [object, string | undefined][] = []
    const warn = (...warning: [object, string?]): void => void warnings.push([warning[0], warning[1]])
    const logger = { debug: () => {}, info: () => {}, error: () => {}, warn }
    const kafka = connect({ bootstrapServers: cluster.bootstrapServers, logger: logger as never })
    await using consumer = kafka.consumer({ ...FROM_START, retryBackoffMs: 1, retryBackoffMaxMs: 1 })
    // As a topic of this name had before it was deleted.
    await consumer.commit([{ ...place(0), offset: 1, leaderEpoch: 7 }])
    consumer.subscribe('orders')
    const records = await read(consumer, 2)
    assert.deepEqual(
      records.map(({ value }) => value),
      ['0', '1'],
    )
    const [fields, message] = warnings[0] ?? []
    assert.deepEqual(fields, { topic: 'orders', partition: 0, epoch: 7, leaderEpoch: 0 })
    assert.match(message ?? '', /no leader comes of the epoch/)
  },
)

test('a consumer without auto.offset.reset that has no place to begin goes on after a seek', IN_TIME, async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await publish(cluster, 'orders', { count: 2 })
  const kafka = connect(cluster.bootstrapServers)
  for (const offset of [undefined, 77]) {
    await using consumer = kafka.consumer({ ...FROM_START, autoOffsetReset: 'none' })
    consumer.assign([{ ...place(0), ...(offset !== undefined && { offset }) }])
    const failure = await read(consumer, 1).catch(error => error)
    assert.ok(failure instanceof PositionError, String(failure))
    assert.deepEqual([failure.code, failure.partition, failure.offset], ['OFFSET_OUT_OF_RANGE', 0, offset])
    consumer.seek(failure, 0)
    assert.equal((await read(consumer, 2)).length, 2)
    consumer.seek(failure, 77)
    await assert.rejects(read(consumer, 1), PositionError)
  }
})

test('a consumer goes on behind a broken batch after a seek', IN_TIME, async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await publish(cluster, 'orders', { count: 1 })
  await publish(cluster, 'orders', { count: 1, prefix: 'next' })
  cluster.control(
    'Fetch',
    ({ body }) => {
      const [topic] = body.topics as [{ readonly topicId: string }]
      const partitions = [{ partitionIndex: 0, errorCode: 0, highWatermark: 2, records: brokenBatch() }]
      return { responses: [{ topicId: topic.topicId, partitions }] }
    },
    { times: 1 },
  )
  await using consumer = connect(cluster.bootstrapServers).consumer(TEXT)
  consumer.assign([{ ...place(0), offset: 0 }])
  const failure = await read(consumer, 1).catch(error => error)
  assert.ok(failure instanceof PositionError, String(failure))
  assert.deepEqual([failure.code, failure.offset], ['CORRUPT_MESSAGE', 0])
  consumer.seek(failure, 1)
  assert.equal((await read(consumer, 1))[0]!.value, 'next0')
})

/** A batch whose checksum is not that of its bytes. */
function brokenBatch(): Buffer {
  const batch = new BatchBuilder(100)
  batch.append(0, null, 'broken', [])
  const bytes = batch.finish({ compression: 'none', compressionLevel: undefined, isTransactional: false })
  bytes[CRC_AT]! ^= 0xff
  return bytes
}

test('what was fetched is worked on before the log is said not to have what follows', IN_TIME, async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await publish(cluster, 'orders', { count: 5 })
  let fetches = 0
  const refused = new Promise<void>(resolve => {
    cluster.control('Fetch', async request => {
      if (++fetches === 1) return undefined
      const answer = (await request.proceed()) as { readonly responses: readonly { readonly topicId: string }[] }
      const { topics } = request.body as { readonly topics: readonly { readonly topicId: string }[] }
      const topicId = topics[0]?.topicId ?? answer.responses[0]?.topicId
      if (topicId === undefined) return answer
      setImmediate(resolve)
      const partitions = [
        { partitionIndex: 0, errorCode: ErrorCode.OFFSET_OUT_OF_RANGE, highWatermark: 0, records: null },
      ]
      return { ...answer, responses: [{ topicId, partitions }] }
    })
  })
  await using consumer = connect(cluster.bootstrapServers).consumer({
    ...TEXT,
    autoOffsetReset: 'latest',
    fetchMaxWaitMs: 20,
    retryBackoffMs: 10,
  })
  consumer.assign([{ ...place(0), offset: 0 }])
  await refused
  cluster.clearFaults()
  assert.deepEqual(
    (await read(consumer, 5)).map(({ offset }) => offset),
    [0, 1, 2, 3, 4],
  )
})

test('a consumer that closes ends its fetch sessions, also while a fetch waits for records', IN_TIME, async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await publish(cluster, 'orders', { count: 1 })
  await using consumer = connect(cluster.bootstrapServers).consumer({ ...TEXT, fetchMaxWaitMs: 25_000 })
  const fetches: { readonly sessionId: number; readonly sessionEpoch: number }[] = []
  const waiting = new Promise<void>(resolve => {
    cluster.control('Fetch', ({ body }) => {
      fetches.push(body as unknown as (typeof fetches)[number])
      if (fetches.length === 2) resolve()
      return undefined
    })
  })
  consumer.assign([{ ...place(0), offset: 0 }])
  await read(consumer, 1)
  await waiting
  await consumer.close()
  const [first, second, last] = fetches
  assert.deepEqual([first!.sessionId, first!.sessionEpoch], [0, 0])
  assert.ok(second!.sessionId > 0)
  assert.deepEqual([last!.sessionId, last!.sessionEpoch], [second!.sessionId, -1])
  assert.equal(fetches.length, 3)
})

test(
  'what waits for a slow program is bounded by prefetch.max.bytes, however many partitions there are',
  IN_TIME,
  async () => {
    await using cluster = await startCluster({ topics: { orders: 4 } })
    const value = 'x'.repeat(10_000)
    await using producer = connect(cluster.bootstrapServers).producer({ batchSize: 1 })
    await Promise.all(Array.from({ length: 80 }, (_, index) => producer.send({ ...place(index % 4), value })))
    const asked: number[] = []
    cluster.control('Fetch', ({ body }) => {
      asked.push(body.maxBytes as number)
      return undefined
    })
    await using consumer = connect(cluster.bootstrapServers).consumer({ ...TEXT, prefetchMaxBytes: 50_000 })
    consumer.assign([0, 1, 2, 3].map(partition => ({ ...place(partition), offset: 0 })))
    assert.equal((await read(consumer, 80)).length, 80)
    assert.ok(asked.length > 0 && asked.every(bytes => bytes <= 50_000), `${asked}`)
  },
)

test(
  'a partition that was assigned anew begins at what is committed, whatever was asked before that',
  IN_TIME,
  async () => {
    await using cluster = await startCluster({ topics: { orders: 1 } })
    await publish(cluster, 'orders', { count: 5 })
    let answer = (): void => {}
    const answering = new Promise<void>(resolve => {
      answer = resolve
    })
    const asked = new Promise<void>(resolve => {
      cluster.control('ListOffsets', async request => {
        resolve()
        await answering
        return request.proceed()
      })
    })
    const kafka = connect(cluster.bootstrapServers)
    await using consumer = kafka.consumer({ ...FROM_START, enableAutoCommit: false })
    consumer.assign([place(0)])
    await asked
    consumer.assign([])
    await using other = kafka.consumer(FROM_START)
    await other.commit([{ ...place(0), offset: 3 }])
    consumer.assign([place(0)])
    answer()
    assert.equal((await read(consumer, 1))[0]!.offset, 3)
  },
)

test('paused partitions that hold all of prefetch.max.bytes keep no other from being read', IN_TIME, async () => {
  await using cluster = await startCluster({ topics: { orders: 2 } })
  await using producer = connect(cluster.bootstrapServers).producer({ batchSize: 1, compressionType: 'none' })
  const value = 'x'.repeat(10_000)
  await Promise.all(Array.from({ length: 20 }, () => producer.send({ ...place(0), value })))
  await using consumer = connect(cluster.bootstrapServers).consumer({ ...TEXT, prefetchMaxBytes: 50_000 })
  consumer.assign([0, 1].map(partition => ({ ...place(partition), offset: 0 })))
  const records = consumer[Symbol.asyncIterator]()
  await records.next()
  // While this is sent, the fetch that fills the buffer is answered.
  await producer.send({ ...place(0), value })
  consumer.pause([place(0)])
  for (const word of ['first', 'second']) {
    const next = records.next()
    await producer.send({ ...place(1), value: word })
    assert.equal((await next).value?.value, word)
  }
})

test(
  'paused partitions leave half of prefetch.max.bytes to others, and what they gave up is read later',
  IN_TIME,
  async () => {
    await using cluster = await startCluster({ topics: { orders: 4 } })
    await using producer = connect(cluster.bootstrapServers).producer({ batchSize: 1, compressionType: 'none' })
    const [count, value, prefetchMaxBytes] = [10, 'x'.repeat(10_000), 100_000]
    const paused = [0, 1, 2].map(place)
    const sent = paused.flatMap(one => Array.from({ length: count }, () => producer.send({ ...one, value })))
    await Promise.all(sent)
    await using consumer = connect(cluster.bootstrapServers).consumer({ ...TEXT, prefetchMaxBytes })
    consumer.assign([0, 1, 2, 3].map(partition => ({ ...place(partition), offset: 0 })))
    const records = consumer[Symbol.asyncIterator]()
    const seen: string[] = []
    const take = async (): Promise<void> => {
      const { value: record } = await records.next()
      seen.push(`${record?.partition} at ${record?.offset}`)
    }
    await take()
    while (consumer.metrics.bufferBytes < prefetchMaxBytes / 2) await new Promise(resolve => setImmediate(resolve))
    consumer.pause(paused)
    assert.deepEqual(consumer.paused(), paused)
    await producer.send({ ...place(3), value })
    await take()
    assert.ok(consumer.metrics.bufferBytes <= prefetchMaxBytes / 2, `${consumer.metrics.bufferBytes}`)
    consumer.resume(paused)
    assert.deepEqual(consumer.paused(), [])
    while (seen.length < 3 * count + 1) await take()
    const all = paused.flatMap(({ partition }) =>
      Array.from({ length: count }, (_, offset) => `${partition} at ${offset}`),
    )
    assert.deepEqual(seen.sort(), [...all, '3 at 0'].sort())
  },
)
