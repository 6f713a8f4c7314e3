import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode, ZERO_UUID } from '../protocol/index.ts'
import { batchOf, type OneBroker, openOneBroker, params, wanted } from './one-broker.fixture.ts'
import { readForFetch } from './partition-read.ts'

const bytesOf = (results: readonly { readonly recordBytes: number }[]): number[] =>
  results.map(result => result.recordBytes)

/** The results of a fetch that must not wait. */
function fetchNow(broker: OneBroker, ...args: Parameters<OneBroker['fetch']>) {
  const results = broker.fetch(...args)
  assert.ok(!(results instanceof Promise), 'the fetch waits')
  return results
}

test('a fetch of records that are there is answered in the same turn, with the very bytes that were produced', async () => {
  const broker = await openOneBroker({ a: 1 })
  const batch = batchOf(3)
  broker.append('a', 0, batch)
  const [result] = fetchNow(broker, [wanted('a', 0)], params())
  assert.equal(result?.errorCode, ErrorCode.NONE)
  assert.equal(result?.highWatermark, 3)
  assert.equal(result?.lastStableOffset, 3)
  assert.equal(result?.logStartOffset, 0)
  assert.equal(result?.abortedTransactions, null)
  assert.deepEqual(Buffer.concat(result!.records), Buffer.from(batch))
  await broker.close()
})

test('a fetch waits for min bytes and is completed by the append that brings them', async () => {
  const broker = await openOneBroker({ a: 1 })
  const size = batchOf(1).length
  let results: readonly { readonly recordBytes: number }[] | undefined
  const waiting = broker.fetch([wanted('a', 0)], params({ minBytes: 3 * size }))
  assert.ok(waiting instanceof Promise)
  void waiting.then(answer => {
    results = answer
  })
  for (let appended = 1; appended <= 3; appended++) {
    assert.equal(results, undefined)
    broker.append('a', 0, batchOf(1))
    await broker.clock.settle()
  }
  assert.deepEqual(bytesOf(results ?? []), [3 * size])
  assert.equal(broker.replicas.purgatory.size, 0)
  await broker.close()
})

test('bytes that were there before the wait began count', async () => {
  const broker = await openOneBroker({ a: 2 })
  const size = batchOf(1).length
  broker.append('a', 0, batchOf(1))
  const waiting = broker.fetch([wanted('a', 0), wanted('a', 1)], params({ minBytes: 2 * size }))
  broker.append('a', 1, batchOf(1))
  await broker.clock.settle()
  assert.equal(broker.replicas.purgatory.size, 0)
  assert.deepEqual(bytesOf(await waiting), [size, size])
  await broker.close()
})

test('a fetch whose time is over is answered with what there is', async () => {
  const broker = await openOneBroker({ a: 1 })
  broker.append('a', 0, batchOf(1))
  const waiting = broker.fetch([wanted('a', 0)], params({ minBytes: 10_000, maxWaitMs: 500 }))
  await broker.clock.advance(499)
  assert.equal(broker.replicas.purgatory.size, 1)
  await broker.clock.advance(10)
  assert.equal(broker.replicas.purgatory.size, 0)
  assert.deepEqual(bytesOf(await waiting), [batchOf(1).length])
  await broker.close()
})

test('an error, an empty request, no wait and enough bytes are answered at once', async () => {
  const broker = await openOneBroker({ a: 1 })
  assert.deepEqual(fetchNow(broker, [], params()), [])
  assert.deepEqual(bytesOf(fetchNow(broker, [wanted('a', 0)], params({ maxWaitMs: 0 }))), [0])
  assert.deepEqual(bytesOf(fetchNow(broker, [wanted('a', 0)], params({ minBytes: 0 }))), [0])
  const [error, well] = fetchNow(broker, [wanted('nowhere', 0), wanted('a', 0)], params())
  assert.equal(error?.errorCode, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  assert.equal(error?.highWatermark, -1)
  assert.equal(well?.errorCode, ErrorCode.NONE)
  await broker.close()
})

test('the first partition with records gives a batch however small the limits; the others keep to them', async () => {
  const broker = await openOneBroker({ a: 3 })
  for (const partition of [1, 2]) {
    broker.append('a', partition, batchOf(1, 1000))
    broker.append('a', partition, batchOf(1, 1000))
  }
  const requests = [0, 1, 2].map(partition => wanted('a', partition, { maxBytes: 10 }))
  const size = batchOf(1, 1000).length
  assert.deepEqual(bytesOf(fetchNow(broker, requests, params())), [0, size, 0])
  assert.deepEqual(bytesOf(fetchNow(broker, requests, params({ maxBytes: 1 }))), [0, size, 0])
  await broker.close()
})

test('a response has no more bytes than the request allows, in whole batches', async () => {
  const broker = await openOneBroker({ a: 2 })
  const size = batchOf(1, 100).length
  for (let count = 0; count < 10; count++)
    for (const partition of [0, 1]) broker.append('a', partition, batchOf(1, 100))
  const both = [wanted('a', 0, { maxBytes: 4 * size + 1 }), wanted('a', 1)]
  assert.deepEqual(bytesOf(fetchNow(broker, both, params({ maxBytes: 7 * size + 5 }))), [4 * size, 3 * size])
  await broker.close()
})

test('no request raises the limit that the broker sets', async () => {
  const broker = await openOneBroker({ a: 1 }, { fetchMaxBytes: 1000 })
  const size = batchOf(1, 200).length
  for (let count = 0; count < 10; count++) broker.append('a', 0, batchOf(1, 200))
  const [result] = fetchNow(broker, [wanted('a', 0)], params({ minBytes: 100_000 }))
  assert.equal(result?.recordBytes, Math.floor(1000 / size) * size)
  await broker.close()
})

test('waiting fetches that are released at once are answered with no more than there is room for', async () => {
  const broker = await openOneBroker({ a: 1 })
  broker.replyRoomBytes = 1_000_000
  const limits = { minBytes: 400_000, maxBytes: 500_000 }
  const waiting = Array.from({ length: 8 }, () => broker.fetch([wanted('a', 0)], params(limits)))
  for (let count = 0; count < 20; count++) broker.append('a', 0, batchOf(1, 30_000))
  await broker.clock.settle()
  const answered = (await Promise.all(waiting)).map(results => results[0]!.recordBytes)
  assert.deepEqual(
    answered.map(bytes => Math.ceil(bytes / batchOf(1, 30_000).length)),
    [16, 16, 2, 2, 2, 2, 2, 2],
  )
  await broker.close()
})

test('a fetch that waits for more than it may answer by now is answered with that', async () => {
  const broker = await openOneBroker({ a: 1 })
  const waiting = broker.fetch([wanted('a', 0)], params({ minBytes: 500_000 }))
  broker.replyRoomBytes = 0
  for (let count = 0; count < 3; count++) broker.append('a', 0, batchOf(1, 30_000))
  await broker.clock.settle()
  assert.equal(broker.replicas.purgatory.size, 0)
  assert.deepEqual(bytesOf(await waiting), [2 * batchOf(1, 30_000).length])
  await broker.close()
})

test('batches that are larger than what there is no room for are answered one after the other as memory comes back', async () => {
  const broker = await openOneBroker({ a: 1, b: 1 })
  broker.replyRoomBytes = 300_000
  const answered: number[] = []
  const ask = (): void => {
    const results = broker.fetch([wanted('a', 0)], params())
    assert.ok(results instanceof Promise)
    void results.then(([result]) => answered.push(result!.recordBytes))
  }
  for (let count = 0; count < 5; count++) ask()
  const batch = batchOf(1, 200_000)
  broker.append('a', 0, batch)
  await broker.clock.settle()
  assert.deepEqual(answered, [batch.length, batch.length])
  ask()
  broker.append('a', 0, batch)
  await broker.clock.settle()
  assert.equal(answered.length, 2)
  assert.deepEqual(bytesOf(fetchNow(broker, [wanted('b', 0)], params({ minBytes: 0 }))), [0])
  for (const sofar of [3, 4, 5, 6]) {
    await broker.release(1)
    assert.deepEqual(answered, new Array(sofar).fill(batch.length))
  }
  await broker.release(1)
  assert.equal(broker.replicas.purgatory.size, 0)
  await broker.close()
})

test('small batches do not wait for room behind a large one of another partition', async () => {
  const broker = await openOneBroker({ a: 1, b: 1 })
  broker.replyRoomBytes = 0
  const waiting = broker.fetch([wanted('a', 0), wanted('b', 0)], params())
  broker.append('a', 0, batchOf(1, 200_000))
  await broker.clock.settle()
  assert.equal(broker.replicas.purgatory.size, 1)
  broker.append('b', 0, batchOf(1))
  await broker.clock.settle()
  assert.deepEqual(bytesOf(await waiting), [0, batchOf(1).length])
  await broker.close()
})

test('a fetch for which no room came in its time is answered without records, and gets them with the next', async () => {
  const broker = await openOneBroker({ a: 1 })
  const batch = batchOf(1, 200_000)
  broker.append('a', 0, batch)
  broker.replyRoomBytes = 0
  const waiting = broker.fetch([wanted('a', 0)], params({ maxWaitMs: 500 }))
  assert.ok(waiting instanceof Promise)
  await broker.clock.advance(499)
  assert.equal(broker.replicas.purgatory.size, 1)
  await broker.clock.advance(10)
  assert.deepEqual(bytesOf(await waiting), [0])
  await broker.release(1)
  assert.deepEqual(bytesOf(fetchNow(broker, [wanted('a', 0)], params())), [batch.length])
  await broker.close()
})

test('a replica gets its one batch whatever the answers to others hold', async () => {
  const broker = await openOneBroker({ a: 1 })
  broker.lead('a', 0, { replicas: [0, 1], isr: [0, 1] })
  const batch = batchOf(1, 200_000)
  void broker.produce('a', 0, batch, -1)
  broker.replyRoomBytes = 0
  const replica = params({ replicaId: 1, isolation: 'log_end' })
  assert.deepEqual(bytesOf(fetchNow(broker, [wanted('a', 0)], replica)), [batch.length])
  assert.ok(broker.fetch([wanted('a', 0)], params()) instanceof Promise)
  await broker.close()
})

test('offsets outside the log are out of range; its end is not', async () => {
  const broker = await openOneBroker({ a: 1 })
  broker.append('a', 0, batchOf(5))
  const errorAt = (fetchOffset: number): number | undefined =>
    fetchNow(broker, [wanted('a', 0, { fetchOffset })], params({ maxWaitMs: 0 }))[0]?.errorCode
  assert.equal(errorAt(5), ErrorCode.NONE)
  assert.equal(errorAt(6), ErrorCode.OFFSET_OUT_OF_RANGE)
  assert.equal(errorAt(-1), ErrorCode.OFFSET_OUT_OF_RANGE)
  await broker.close()
})

test('a fetch with another idea of the leader epoch is fenced or told to wait (KIP-320)', async () => {
  const broker = await openOneBroker({ a: 1 })
  broker.lead('a', 0, { leaderEpoch: 5 })
  const errorWith = (currentLeaderEpoch: number): number | undefined =>
    fetchNow(broker, [wanted('a', 0, { currentLeaderEpoch })], params({ maxWaitMs: 0 }))[0]?.errorCode
  assert.equal(errorWith(4), ErrorCode.FENCED_LEADER_EPOCH)
  assert.equal(errorWith(5), ErrorCode.NONE)
  assert.equal(errorWith(6), ErrorCode.UNKNOWN_LEADER_EPOCH)
  await broker.close()
})

test('a reader whose last record is of an epoch that ended earlier here learns where (KIP-595)', async () => {
  const broker = await openOneBroker({ a: 1 })
  broker.append('a', 0, batchOf(5))
  broker.lead('a', 0, { leaderEpoch: 2 })
  broker.append('a', 0, batchOf(5))
  const read = (fetchOffset: number, lastFetchedEpoch: number) =>
    fetchNow(broker, [wanted('a', 0, { fetchOffset, lastFetchedEpoch })], params())[0]
  assert.deepEqual(read(7, 0)?.divergingEpoch, { epoch: 0, endOffset: 5 })
  assert.deepEqual(read(7, 1)?.divergingEpoch, { epoch: 0, endOffset: 5 })
  assert.equal(read(7, 0)?.recordBytes, 0)
  assert.equal(read(5, 0)?.recordBytes, batchOf(5).length)
  assert.equal(read(7, 3)?.errorCode, ErrorCode.OFFSET_OUT_OF_RANGE)
  await broker.close()
})

test('a topic is meant by its id where there is one', async () => {
  const broker = await openOneBroker({ a: 1 })
  const id = broker.topicId('a')
  const errorFor = (topic: string | undefined, topicId: string): number | undefined =>
    fetchNow(broker, [wanted(topic, 0, { topicId })], params({ maxWaitMs: 0 }))[0]?.errorCode
  assert.equal(errorFor('a', id), ErrorCode.NONE)
  assert.equal(errorFor(undefined, 'ZZZZZZZZZZZZZZZZZZZZZA'), ErrorCode.UNKNOWN_TOPIC_ID)
  assert.equal(errorFor('a', 'ZZZZZZZZZZZZZZZZZZZZZA'), ErrorCode.INCONSISTENT_TOPIC_ID)
  assert.equal(errorFor('a', ZERO_UUID), ErrorCode.NONE)
  await broker.close()
})

test('a waiting fetch is answered when its topic is deleted', async () => {
  const broker = await openOneBroker({ a: 1 })
  const waiting = broker.fetch([wanted('a', 0)], params())
  broker.deleteTopic('a')
  await broker.clock.settle()
  const [result] = await waiting
  assert.equal(result?.errorCode, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  await broker.close()
})

test('a waiting fetch is answered when the leader epoch changes', async () => {
  const broker = await openOneBroker({ a: 1 })
  const waiting = broker.fetch([wanted('a', 0, { currentLeaderEpoch: 0 })], params())
  broker.lead('a', 0, { leaderEpoch: 1 })
  await broker.clock.settle()
  const [result] = await waiting
  assert.equal(result?.errorCode, ErrorCode.FENCED_LEADER_EPOCH)
  assert.deepEqual(result?.currentLeader, { leaderId: 0, leaderEpoch: 1 })
  await broker.close()
})

test('a fetch is forgotten when its connection closes', async () => {
  const broker = await openOneBroker({ a: 1 })
  const connection = { replyRoomBytes: 0, hold() {}, whenReplyRoom() {} }
  const waiting = broker.replicas.fetch([wanted('a', 0)], params(), connection)
  const other = broker.fetch([wanted('a', 0)], params())
  broker.replicas.disconnected(connection)
  assert.equal(broker.replicas.purgatory.size, 1)
  assert.deepEqual(await waiting, [])
  broker.append('a', 0, batchOf(1))
  await broker.clock.settle()
  assert.equal((await other).length, 1)
  await broker.close()
})

test('the appends of one turn wake a waiting fetch once, and thousands of fetches need one timer', async () => {
  const broker = await openOneBroker({ a: 1 })
  const timers = broker.clock.pendingTimers
  const waiting = Array.from({ length: 3000 }, () => broker.fetch([wanted('a', 0)], params()))
  assert.ok(broker.clock.pendingTimers <= timers + 1)
  const size = batchOf(1).length
  for (let count = 0; count < 5; count++) broker.append('a', 0, batchOf(1))
  for (const answer of waiting) assert.ok(answer instanceof Promise)
  await broker.clock.settle()
  for (const answer of await Promise.all(waiting)) assert.deepEqual(bytesOf(answer), [5 * size])
  await broker.close()
})

test('a fetch that a limit or the end of a segment cut short is not kept waiting for min bytes', async () => {
  const size = batchOf(1, 100).length
  const broker = await openOneBroker({ a: 1 }, { topicConfig: { segmentBytes: 3 * size } })
  for (let count = 0; count < 5; count++) broker.append('a', 0, batchOf(1, 100))
  assert.deepEqual(bytesOf(fetchNow(broker, [wanted('a', 0, { maxBytes: size })], params({ minBytes: 2 * size }))), [
    size,
  ])
  const [result] = fetchNow(broker, [wanted('a', 0)], params({ minBytes: 5 * size }))
  assert.ok(result && result.recordBytes >= 3 * size)
  await broker.close()
})

test('where the purgatory is full a fetch is answered at once with what there is', async () => {
  const broker = await openOneBroker({ a: 1 }, { maxWatches: 2 })
  const waiting = [1, 2].map(() => broker.fetch([wanted('a', 0)], params()))
  assert.deepEqual(bytesOf(fetchNow(broker, [wanted('a', 0)], params())), [0])
  broker.append('a', 0, batchOf(1))
  await broker.clock.settle()
  await Promise.all(waiting)
  assert.equal(broker.replicas.purgatory.watches, 0)
  await broker.close()
})

test('closing answers every fetch that waits', async () => {
  const broker = await openOneBroker({ a: 1 })
  const waiting = broker.fetch([wanted('a', 0)], params())
  await broker.close()
  assert.deepEqual(bytesOf(await waiting), [0])
})

test('KAFKA-9807, KAFKA-9835: a fetch reads no further than the offsets that it answers, however they move meanwhile', async () => {
  const broker = await openOneBroker({ a: 1 })
  for (let count = 0; count < 10; count++) broker.append('a', 0, batchOf(1))
  const log = broker.replicas.partition('a', 0).log!
  let at = 0
  const moving = new Proxy(log, {
    get: (target, name) => {
      if (name === 'highWatermark' || name === 'lastStableOffset') return Math.min(10, ++at)
      const value = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  for (const isolation of ['high_watermark', 'committed'] as const) {
    at = 0
    const limits = { maxBytes: 2 ** 20, minOneMessage: true }
    const result = readForFetch(moving, wanted('a', 0), { params: params({ isolation }), limits })!
    const limit = isolation === 'committed' ? result.lastStableOffset : result.highWatermark
    assert.equal(result.recordBytes, limit * batchOf(1).length)
    assert.ok(limit < 3)
  }
  await broker.close()
})

test('a read_committed consumer stops at an open transaction and waits for its end', async () => {
  const broker = await openOneBroker({ a: 1 })
  const open = batchOf(2, 10, { producerId: 7, producerEpoch: 0, baseSequence: 0, isTransactional: true })
  broker.append('a', 0, open)
  broker.append('a', 0, batchOf(1))
  const committed = params({ isolation: 'committed' })
  const waiting = broker.fetch([wanted('a', 0)], committed)
  assert.ok(waiting instanceof Promise)
  const [uncommitted] = fetchNow(broker, [wanted('a', 0)], params())
  assert.equal(uncommitted?.highWatermark, 3)
  assert.equal(uncommitted?.lastStableOffset, 0)
  await broker.clock.settle()
  assert.equal(broker.replicas.purgatory.size, 1)
  broker.endTransaction('a', 0, { producerId: 7, producerEpoch: 0, result: 'abort' })
  await broker.clock.settle()
  const [result] = await waiting
  assert.equal(result?.lastStableOffset, 4)
  const aborted = result?.abortedTransactions?.map(({ producerId, firstOffset }) => [producerId, firstOffset])
  assert.deepEqual(aborted, [[7, 0]])
  await broker.close()
})
