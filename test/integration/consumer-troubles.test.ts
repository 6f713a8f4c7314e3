import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Consumer, connect, LogTruncationError } from '../../src/client/index.ts'
import { ErrorCode } from '../../src/protocol/index.ts'
import { startCluster, type TestCluster } from '../../src/testing/index.ts'
import { IN_TIME, LONG_MS, movableTime } from './client-time.ts'
import { FROM_START, numbers, publish, read, sorted, TEXT } from './consumer-records.ts'

test('a consumer that never heard of the cluster in time goes on asking', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await publish(cluster, 'orders', { count: 2 })
  const { clock, platform } = movableTime()
  cluster.control(
    'Metadata',
    () => {
      clock.advance(2 * LONG_MS)
      return new Promise<undefined>(() => undefined)
    },
    { times: 3 },
  )
  const options = { ...FROM_START, requestTimeoutMs: LONG_MS, platform }
  await using consumer = connect(cluster.bootstrapServers).consumer(options)
  consumer.assign([{ topic: 'orders', partition: 0 }])
  assert.deepEqual(
    (await read(consumer, 2)).map(({ value }) => value),
    ['0', '1'],
  )
})

/** A consumer that has read five records, and will have another leader when its cluster has started again. */
async function wellRead(cluster: TestCluster, policy: string): Promise<Consumer<string, string>> {
  await publish(cluster, 'orders', { count: 5 })
  const consumer = connect(cluster.bootstrapServers).consumer({ ...TEXT, autoOffsetReset: policy })
  consumer.assign([{ topic: 'orders', partition: 0, offset: 0 }])
  await read(consumer, 5)
  return consumer
}

/** A consumer that has read five records, whose next leader says that only two of them are in its log. */
async function truncated(cluster: TestCluster, policy: string, refusal: { readonly errorCode?: number } = {}) {
  const consumer = await wellRead(cluster, policy)
  const asked: unknown[] = []
  cluster.control('OffsetForLeaderEpoch', ({ body }) => {
    asked.push(body.topics)
    const partitions = [{ partition: 0, errorCode: 0, leaderEpoch: 0, endOffset: 2, ...refusal }]
    return asked.length === 1 ? { topics: [{ topic: 'orders', partitions }] } : undefined
  })
  await cluster.restart('kill')
  return { consumer, asked }
}

test('a consumer whose leader lost what it had read is told so, with where the logs part', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  const { consumer, asked } = await truncated(cluster, 'none')
  await using _ = consumer
  await assert.rejects(read(consumer, 1), error => {
    assert.ok(error instanceof LogTruncationError)
    assert.deepEqual([error.code, error.offset, error.divergingOffset], ['OFFSET_OUT_OF_RANGE', 4, 2])
    return true
  })
  assert.deepEqual(asked, [
    [{ topic: 'orders', partitions: [{ partition: 0, currentLeaderEpoch: 1, leaderEpoch: 0 }] }],
  ])
})

test('a consumer with a policy goes on where its leader has parted from what it had read', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  const { consumer } = await truncated(cluster, 'earliest')
  await using _ = consumer
  const after = await read(consumer, 3)
  assert.deepEqual(
    after.map(({ offset }) => offset),
    [2, 3, 4],
  )
})

test('a consumer that was told of an offset that is not in the log does not go on fetching it', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  let fetches = 0
  cluster.control('Fetch', () => {
    fetches += 1
    return undefined
  })
  await using consumer = connect(cluster.bootstrapServers).consumer({ ...TEXT, autoOffsetReset: 'none' })
  consumer.assign([{ topic: 'orders', partition: 0, offset: 7 }])
  await assert.rejects(read(consumer, 1), { code: 'OFFSET_OUT_OF_RANGE' })
  await sleep(100)
  assert.equal(fetches, 1)
})

test('a consumer that was told of a truncated log, or that it may not ask of it, does not go on asking', async () => {
  for (const code of ['OFFSET_OUT_OF_RANGE', 'TOPIC_AUTHORIZATION_FAILED'] as const) {
    await using cluster = await startCluster({ topics: ['orders'] })
    const refusal = code === 'OFFSET_OUT_OF_RANGE' ? {} : { errorCode: ErrorCode[code] }
    const { consumer, asked } = await truncated(cluster, 'none', refusal)
    await using _ = consumer
    await assert.rejects(read(consumer, 1), { code })
    await sleep(100)
    assert.equal(asked.length, 1, code)
  }
})

test('a consumer hears that it has no right to its topic, or that there can be no such topic', IN_TIME, async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  const kafka = connect(cluster.bootstrapServers)
  for (const code of ['TOPIC_AUTHORIZATION_FAILED', 'INVALID_TOPIC_EXCEPTION'] as const) {
    using _ = cluster.control('Metadata', async request => {
      const answer = (await request.proceed()) as { readonly topics: readonly object[] }
      const topics = answer.topics.map(topic => ({ ...topic, errorCode: ErrorCode[code], partitions: [] }))
      return { ...answer, topics }
    })
    await using subscribed = kafka.consumer(FROM_START)
    subscribed.subscribe('orders')
    await assert.rejects(read(subscribed, 1), { code })
    for (const place of [{}, { offset: 0 }]) {
      await using assigned = kafka.consumer({ ...TEXT, autoOffsetReset: 'earliest' })
      assigned.assign([{ topic: 'orders', partition: 0, ...place }])
      await assert.rejects(read(assigned, 1), { code })
    }
  }
})

test('a broker that passes over a partition it was asked of neither ends the program nor is asked without a pause', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  const kafka = connect(cluster.bootstrapServers)
  cluster.control('ListOffsets', () => ({ topics: [] }))
  await using consumer = kafka.consumer({ ...TEXT, autoOffsetReset: 'earliest' })
  consumer.assign([{ topic: 'orders', partition: 0 }])
  await assert.rejects(read(consumer, 1), { code: 'UNKNOWN_SERVER_ERROR' })
  await using other = await wellRead(cluster, 'earliest')
  let asked = 0
  const isAsked = new Promise<void>(resolve => {
    cluster.control('OffsetForLeaderEpoch', () => {
      asked += 1
      resolve()
      return { topics: [] }
    })
  })
  await cluster.restart('kill')
  const reading = read(other, 1)
  await isAsked
  await sleep(500)
  assert.ok(asked < 10, `${asked}`)
  await other.close()
  await reading
})

test('fetches name only what has changed, and everything again when the broker has forgotten the session', async () => {
  await using cluster = await startCluster({ topics: { orders: 2 } })
  await publish(cluster, 'orders', { count: 4, partitions: 2 })
  const bodies: { sessionId: number; sessionEpoch: number; topics: unknown[] }[] = []
  const idle = new Promise<void>(resolve => {
    cluster.control('Fetch', ({ body }) => {
      bodies.push(body as unknown as (typeof bodies)[number])
      if (bodies.at(-1)!.topics.length === 0) resolve()
      return undefined
    })
  })
  await using consumer = connect(cluster.bootstrapServers).consumer({ ...TEXT, fetchMaxWaitMs: 20 })
  consumer.assign([0, 1].map(partition => ({ topic: 'orders', partition, offset: 0 })))
  await read(consumer, 4)
  await idle
  assert.deepEqual([bodies[0]!.sessionId, bodies[0]!.sessionEpoch], [0, 0])
  const { sessionId, sessionEpoch } = bodies.at(-1)!
  assert.ok(sessionId > 0 && sessionEpoch > 0, `${sessionId} ${sessionEpoch}`)
  cluster.clearFaults()
  cluster.failNext('Fetch', 'FETCH_SESSION_ID_NOT_FOUND')
  await publish(cluster, 'orders', { count: 2, partitions: 2 })
  assert.equal((await read(consumer, 2)).length, 2)
})

test('a close waits for handlers under way, and what they did is committed', async () => {
  await using cluster = await startCluster({ topics: { orders: 2 } })
  await publish(cluster, 'orders', { count: 6, partitions: 2 })
  const kafka = connect(cluster.bootstrapServers)
  await using consumer = kafka.consumer(FROM_START)
  consumer.subscribe('orders')
  const done: string[] = []
  let begun = 0
  let release = (): void => {}
  const released = new Promise<void>(resolve => {
    release = resolve
  })
  const bothBegun = new Promise<void>(resolve => {
    void consumer.run(
      async ({ value }) => {
        if (++begun === 2) resolve()
        await released
        done.push(value!)
      },
      { concurrency: 2 },
    )
  })
  await bothBegun
  const closing = consumer.close()
  assert.equal(await Promise.race([closing, sleep(50, 'it waits')]), 'it waits')
  release()
  await closing
  assert.equal(done.length, 2)
  await using next = kafka.consumer(FROM_START)
  next.subscribe('orders')
  const rest = await read(next, 4)
  assert.deepEqual(sorted([...done, ...rest.map(({ value }) => value)]), numbers(6))
})

test('a close waits for a handler no longer than it is told', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await publish(cluster, 'orders', { count: 1 })
  const consumer = connect(cluster.bootstrapServers).consumer(FROM_START)
  consumer.subscribe('orders')
  await new Promise<void>(resolve => {
    void consumer.run(() => {
      resolve()
      return new Promise(() => {})
    })
  })
  await consumer.close({ timeoutMs: 20 })
})

test('a handler may close its consumer', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await publish(cluster, 'orders', { count: 2 })
  await using consumer = connect(cluster.bootstrapServers).consumer(FROM_START)
  consumer.subscribe('orders')
  const seen: number[] = []
  await consumer.run(async ({ offset }) => {
    seen.push(offset)
    await consumer.close()
  })
  assert.deepEqual(seen, [0])
})

test('a commit without a group is named', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using consumer = connect(cluster.bootstrapServers).consumer(TEXT)
  consumer.assign([{ topic: 'orders', partition: 0, offset: 0 }])
  const offsets = [{ topic: 'orders', partition: 0, offset: 0 }]
  await assert.rejects(consumer.commit(offsets), { code: 'INVALID_GROUP_ID', message: /^commit\(\) needs a group/ })
})
