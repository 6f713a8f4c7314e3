import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nodeWorkers } from '../platform/index.ts'
import { decodeMessageSet, ErrorCode, encodeBatch } from '../protocol/index.ts'
import { convertResults } from './fetch-conversion.ts'
import type { FetchPartition, FetchPartitionResult } from './fetch-result.ts'
import { batchOf, type OneBroker, openOneBroker, params, wanted } from './one-broker.fixture.ts'

const OLD = { legacyMagic: 1, isBeforeZstd: true } as const

/** What an old reader gets of one partition: error code and `offset@timestamp` of each message. */
async function fetchOld(broker: OneBroker, request: FetchPartition, more: object = {}) {
  const [result] = await broker.fetch([request], params({ ...OLD, maxWaitMs: 0, ...more }))
  const bytes = Buffer.concat(result!.records)
  assert.equal(result!.recordBytes, bytes.length)
  const messages = [...decodeMessageSet(bytes, { maxBytes: 1e6 })].map(m => `${m.offset}@${m.timestamp}`)
  return { errorCode: result!.errorCode, messages }
}

test('readers of format 0 and 1 get messages; those of format 0 without time', async () => {
  const broker = await openOneBroker({ a: 1 })
  broker.append('a', 0, batchOf(2))
  broker.append('a', 0, batchOf(1, 10, { compression: 'gzip' }))
  assert.deepEqual((await fetchOld(broker, wanted('a', 0))).messages, ['0@1000', '1@1000', '2@1000'])
  assert.deepEqual((await fetchOld(broker, wanted('a', 0, { fetchOffset: 1 }), { legacyMagic: 0 })).messages, [
    '1@-1',
    '2@-1',
  ])
  await broker.close()
})

test('an old reader gets past the markers of transactions, and at the end of the log it waits', async () => {
  const broker = await openOneBroker({ a: 1 })
  const producer = { producerId: 7, producerEpoch: 0, isTransactional: true }
  const append = (baseSequence: number): void => {
    broker.append('a', 0, batchOf(1, 10, { ...producer, baseSequence }))
    broker.endTransaction('a', 0, { ...producer, result: 'commit' })
  }
  append(0)
  append(1)
  assert.deepEqual((await fetchOld(broker, wanted('a', 0, { fetchOffset: 1, maxBytes: 1 }))).messages, ['2@1000'])
  assert.deepEqual((await fetchOld(broker, wanted('a', 0, { fetchOffset: 3 }))).messages, [])
  const waiting = fetchOld(broker, wanted('a', 0, { fetchOffset: 3 }), { maxWaitMs: 500 })
  await broker.clock.settle()
  assert.equal(broker.replicas.purgatory.size, 1)
  append(2)
  await broker.clock.settle()
  assert.deepEqual((await waiting).messages, ['4@1000'])
  await broker.close()
})

test('the first batch is given whole whatever the limit; what follows keeps to it in the old format', async () => {
  const broker = await openOneBroker({ a: 1 })
  for (let i = 0; i < 3; i++) broker.append('a', 0, batchOf(10, 1))
  const firstBatch = Array.from({ length: 10 }, (_, offset) => `${offset}@1000`)
  assert.deepEqual((await fetchOld(broker, wanted('a', 0, { maxBytes: 1 }))).messages, firstBatch)
  // Three batches fit in their own format, but two of them do not in the old one, which is larger.
  const threeBatches = 3 * batchOf(10, 1).length
  assert.deepEqual((await fetchOld(broker, wanted('a', 0, { maxBytes: threeBatches }))).messages, firstBatch)
  await broker.close()
})

test('a topic that converts nothing refuses old readers by UNSUPPORTED_VERSION and serves all others', async () => {
  const broker = await openOneBroker({ a: 1 }, { topicConfig: { messageDownconversion: false } })
  broker.append('a', 0, batchOf(1))
  assert.equal((await fetchOld(broker, wanted('a', 0))).errorCode, ErrorCode.UNSUPPORTED_VERSION)
  const [result] = await broker.fetch([wanted('a', 0)], params({ isBeforeZstd: true }))
  assert.equal(result?.errorCode, ErrorCode.NONE)
  await broker.close()
})

test('zstd is refused to who is too old for it: a whole topic that is zstd, else the batch when its turn comes', async () => {
  const topic = await openOneBroker({ a: 1 }, { topicConfig: { compressionType: 'zstd' } })
  const [result] = await topic.fetch([wanted('a', 0)], params({ isBeforeZstd: true }))
  assert.equal(result?.errorCode, ErrorCode.UNSUPPORTED_COMPRESSION_TYPE)
  await topic.close()
  const broker = await openOneBroker({ a: 1 })
  broker.append('a', 0, batchOf(1))
  broker.append('a', 0, batchOf(1, 10, { compression: 'zstd' }))
  assert.deepEqual((await fetchOld(broker, wanted('a', 0))).messages, ['0@1000'])
  const second = await fetchOld(broker, wanted('a', 0, { fetchOffset: 1 }))
  assert.equal(second.errorCode, ErrorCode.UNSUPPORTED_COMPRESSION_TYPE)
  await broker.close()
})

test('conversion leaves the event loop free, also for a batch that unpacks to much more', async () => {
  const workers = nodeWorkers(1)
  const records = [{ value: Buffer.alloc(32 * 2 ** 20) }]
  const bytes = encodeBatch({ records, compression: 'gzip' })
  const result = { partitionIndex: 0, recordBytes: bytes.length, records: [bytes] } as unknown as FetchPartitionResult
  let turns = 0
  const timer = setInterval(() => turns++, 1)
  const logger = { error: (fields: object) => assert.fail(String(Object.values(fields)[0])) } as never
  const [converted] = await convertResults({ requests: [wanted('a', 0)], results: [result], magic: 0, workers, logger })
  clearInterval(timer)
  const [message] = decodeMessageSet(Buffer.concat(converted!.records), { maxBytes: 64 * 2 ** 20 })
  assert.equal(message?.value?.length, 32 * 2 ** 20)
  assert.ok(turns >= 3, `the loop turned ${turns} times`)
  await workers.close()
})
