/** Record batches that no broker may take: each gets Kafka's error, and the log stays as it was. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { repairCrc } from '../../scripts/fuzz/hostile-batch.ts'
import type { WireClient } from '../../scripts/fuzz/wire-client.ts'
import * as p from '../../src/protocol/everything.ts'
import { TestBroker } from './test-broker.ts'

const PRODUCE = [p.ProduceRequest, p.ProduceResponse] as const
const LIST_OFFSETS = [p.ListOffsetsRequest, p.ListOffsetsResponse] as const
const { BATCH_FIELD } = p

const TOPICS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  plain: {},
  compacted: { 'cleanup.policy': 'compact' },
  recompressed: { 'compression.type': 'lz4' },
  timely: { 'message.timestamp.after.max.ms': '3600000', 'message.timestamp.before.max.ms': '3600000' },
}

let broker: TestBroker
let client: WireClient
before(async () => {
  broker = await TestBroker.start()
  client = await broker.connect()
  await broker.createTopics(TOPICS)
})
after(async () => {
  client.close()
  await broker.stop()
})

async function produce(topic: string, records: Uint8Array | null, version = 8) {
  const topicData = [{ name: topic, partitionData: [{ index: 0, records }] }]
  const { responses } = await client.call(PRODUCE, version, { acks: -1, timeoutMs: 1_000, topicData })
  return responses[0]!.partitionResponses[0]!
}

async function endOffset(topic: string): Promise<number> {
  const topics = [{ name: topic, partitions: [{ partitionIndex: 0, timestamp: -1 }] }]
  const answer = await client.call(LIST_OFFSETS, 1, { replicaId: -1, topics })
  const partition = answer.topics[0]!.partitions[0]!
  assert.equal(partition.errorCode, 0)
  return partition.offset
}

/** A batch of three records in which one place is changed; the CRC is right again unless told otherwise. */
function altered(
  change: (bytes: Buffer) => unknown,
  { keepsCrc = false, compression = 'none' as p.CompressionType } = {},
) {
  const timestamp = Date.now()
  const records = ['a', 'b', 'c'].map(text => ({ key: Buffer.from(text), value: Buffer.from(text), timestamp }))
  const bytes = Buffer.from(p.encodeBatch({ records, compression }))
  change(bytes)
  if (!keepsCrc) repairCrc(bytes)
  return bytes
}

const good = (): Buffer => altered(() => undefined)

interface Refusal {
  readonly what: string
  readonly records: () => Uint8Array | null
  readonly error: readonly p.ErrorName[]
  readonly version?: number
}

/** What every topic refuses from the header alone. */
const REFUSED: readonly Refusal[] = [
  {
    what: 'a wrong CRC',
    error: ['CORRUPT_MESSAGE'],
    records: () => altered(b => b.writeUInt8(b.readUInt8(20) ^ 1, 20), { keepsCrc: true }),
  },
  {
    what: 'a record changed on the way',
    error: ['CORRUPT_MESSAGE'],
    records: () => altered(b => b.writeUInt8(b.readUInt8(b.length - 2) ^ 1, b.length - 2), { keepsCrc: true }),
  },
  {
    what: 'a length beyond what was sent',
    error: ['INVALID_RECORD', 'CORRUPT_MESSAGE'],
    records: () => altered(b => b.writeInt32BE(b.length, BATCH_FIELD.length)),
  },
  {
    what: 'a length of less than a header',
    error: ['CORRUPT_MESSAGE'],
    records: () => altered(b => b.writeInt32BE(10, BATCH_FIELD.length)),
  },
  {
    what: 'a negative length',
    error: ['CORRUPT_MESSAGE'],
    records: () => altered(b => b.writeInt32BE(-5, BATCH_FIELD.length)),
  },
  {
    what: 'an unknown magic',
    error: ['CORRUPT_MESSAGE', 'INVALID_RECORD'],
    records: () => altered(b => b.writeInt8(7, BATCH_FIELD.magic)),
  },
  {
    what: 'a count larger than its offsets',
    error: ['INVALID_RECORD'],
    records: () => altered(b => b.writeInt32BE(4, BATCH_FIELD.recordCount)),
  },
  {
    what: 'a last offset delta larger than its count',
    error: ['INVALID_RECORD'],
    records: () => altered(b => b.writeInt32BE(1_000_000, BATCH_FIELD.lastOffsetDelta)),
  },
  {
    what: 'a negative count',
    error: ['INVALID_RECORD', 'CORRUPT_MESSAGE'],
    records: () =>
      altered(b => {
        b.writeInt32BE(-1, BATCH_FIELD.recordCount)
        b.writeInt32BE(-2, BATCH_FIELD.lastOffsetDelta)
      }),
  },
  {
    what: 'the control bit',
    error: ['INVALID_RECORD'],
    records: () => altered(b => b.writeInt16BE(0x20, BATCH_FIELD.attributes)),
  },
  {
    what: 'the transactional bit without a producer',
    error: ['TRANSACTIONAL_ID_AUTHORIZATION_FAILED'],
    records: () => altered(b => b.writeInt16BE(0x10, BATCH_FIELD.attributes)),
  },
  {
    what: 'a producer id without a sequence',
    error: ['INVALID_RECORD'],
    records: () => altered(b => b.writeBigInt64BE(5n, BATCH_FIELD.producerId)),
  },
  {
    what: 'append time of a producer',
    error: ['INVALID_TIMESTAMP'],
    records: () => altered(b => b.writeInt16BE(0x08, BATCH_FIELD.attributes)),
  },
  {
    what: 'a codec that does not exist',
    error: ['CORRUPT_MESSAGE', 'INVALID_RECORD', 'UNSUPPORTED_COMPRESSION_TYPE'],
    records: () => altered(b => b.writeInt16BE(6, BATCH_FIELD.attributes)),
  },
  { what: 'two batches', error: ['INVALID_RECORD'], records: () => Buffer.concat([good(), good()]) },
  { what: 'no batch', error: ['INVALID_RECORD'], records: () => Buffer.alloc(0) },
  { what: 'half a batch', error: ['INVALID_RECORD', 'CORRUPT_MESSAGE'], records: () => good().subarray(0, 40) },
  { what: 'noise', error: ['INVALID_RECORD', 'CORRUPT_MESSAGE'], records: () => Buffer.alloc(300, 0x5a) },
  {
    what: 'zstd in a version that does not know it',
    error: ['UNSUPPORTED_COMPRESSION_TYPE'],
    records: () => altered(() => undefined, { compression: 'zstd' }),
    version: 6,
  },
  {
    what: 'more than max.message.bytes',
    error: ['MESSAGE_TOO_LARGE'],
    records: () => p.encodeBatch({ records: [{ key: Buffer.from('k'), value: Buffer.alloc(1_100_000) }] }),
  },
  {
    what: 'an old format in a new version',
    error: ['INVALID_RECORD'],
    records: () => p.encodeMessageSet({ magic: 1, messages: [{ offset: 0, value: Buffer.from('old') }] }),
  },
]

for (const topic of ['plain', 'compacted', 'recompressed']) {
  for (const { what, records, error, version } of REFUSED) {
    test(`${what} is refused by a ${topic} topic and changes nothing`, async () => {
      const before = await endOffset(topic)
      const answer = await produce(topic, records(), version)
      assert.ok(error.includes(p.errorName(answer.errorCode) as p.ErrorName), p.errorName(answer.errorCode))
      assert.equal(await endOffset(topic), before)
    })
  }
}

test('records of a transaction without its id are refused, so that no reader waits for the end of it', async () => {
  const before = await endOffset('plain')
  const timestamp = Date.now()
  const records = p.encodeBatch({
    records: [{ key: null, value: Buffer.from('a'), timestamp }],
    producerId: 7,
    producerEpoch: 0,
    baseSequence: 0,
    isTransactional: true,
  })
  const answer = await produce('plain', records)
  assert.equal(p.errorName(answer.errorCode), 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED')
  assert.equal(await endOffset('plain'), before)
})

test('a base offset and leader epoch that a client made up are replaced by the log s own', async () => {
  const before = await endOffset('plain')
  const records = altered(b => {
    b.writeBigInt64BE(2n ** 60n, 0)
    b.writeInt32BE(77, BATCH_FIELD.partitionLeaderEpoch)
  })
  const answer = await produce('plain', records)
  assert.ok(answer.errorCode !== 0 || answer.baseOffset === before)
  assert.ok([before, before + 3].includes(await endOffset('plain')))
})

test('timestamps out of the range that a topic allows are INVALID_TIMESTAMP', async () => {
  for (const timestamp of [0, Date.now() - 7_200_000, Date.now() + 7_200_000, 2 ** 52]) {
    const before = await endOffset('timely')
    const answer = await produce('timely', p.encodeBatch({ records: [{ value: Buffer.from('v'), timestamp }] }))
    assert.equal(p.errorName(answer.errorCode), 'INVALID_TIMESTAMP', String(timestamp))
    assert.equal(await endOffset('timely'), before)
  }
})

test('timestamps that no number holds are refused, not rounded', async () => {
  for (const extreme of [2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n]) {
    const before = await endOffset('plain')
    const records = altered(b => {
      b.writeBigInt64BE(extreme, BATCH_FIELD.baseTimestamp)
      b.writeBigInt64BE(extreme, BATCH_FIELD.maxTimestamp)
    })
    assert.notEqual((await produce('plain', records)).errorCode, 0, String(extreme))
    assert.equal(await endOffset('plain'), before)
  }
})

/** Bodies of three records that are none, under headers and CRCs that are right. */
const BROKEN_RECORDS: readonly [string, (bytes: Buffer) => unknown][] = [
  ['a record that is longer than the batch', b => b.writeUInt8(0x7e, p.BATCH_HEADER_BYTES)],
  ['a record of negative length', b => b.writeUInt8(0x01, p.BATCH_HEADER_BYTES)],
  ['a key longer than its record', b => b.writeUInt8(0x7e, p.BATCH_HEADER_BYTES + 4)],
  ['a varint that does not end', b => b.fill(0xff, p.BATCH_HEADER_BYTES, p.BATCH_HEADER_BYTES + 12)],
  ['a number of headers that is not there', b => b.writeUInt8(0x7e, p.BATCH_HEADER_BYTES + 8)],
]

test('a topic that looks into records refuses those that are broken', async () => {
  for (const [what, change] of BROKEN_RECORDS) {
    for (const topic of ['compacted', 'recompressed']) {
      const before = await endOffset(topic)
      const answer = await produce(topic, altered(change))
      assert.equal(p.errorName(answer.errorCode), 'INVALID_RECORD', `${what} in ${topic}`)
      assert.equal(await endOffset(topic), before)
    }
  }
})

test('records without keys are refused by a compacted topic, and named', async () => {
  const records = p.encodeBatch({
    records: [{ key: Buffer.from('k'), value: Buffer.from('v') }, { value: Buffer.from('no key') }],
  })
  const answer = await produce('compacted', records)
  assert.equal(p.errorName(answer.errorCode), 'INVALID_RECORD')
  assert.deepEqual(
    answer.recordErrors.map(({ batchIndex }) => batchIndex),
    [1],
  )
})

test('a few hundred kilobytes that decompress into hundreds of megabytes are refused in bounded memory', async () => {
  const zeros = Buffer.alloc(64 << 20)
  const bomb = Buffer.concat(Array.from({ length: 5 }, () => gzipSync(zeros)))
  const header = Buffer.from(p.encodeBatch({ records: [{ key: Buffer.from('k'), value: Buffer.from('v') }] }))
  const records = Buffer.concat([header.subarray(0, p.BATCH_HEADER_BYTES), bomb])
  records.writeInt32BE(records.length - p.LOG_OVERHEAD_BYTES, BATCH_FIELD.length)
  records.writeInt16BE(1, BATCH_FIELD.attributes)
  repairCrc(records)
  assert.ok(records.length < 1_000_000)
  for (const topic of ['compacted', 'recompressed']) {
    const before = await endOffset(topic)
    const rssBefore = process.memoryUsage().rss
    const answer = await produce(topic, records)
    assert.ok(
      ['MESSAGE_TOO_LARGE', 'INVALID_RECORD', 'CORRUPT_MESSAGE'].includes(p.errorName(answer.errorCode)),
      p.errorName(answer.errorCode),
    )
    const grown = process.memoryUsage().rss - rssBefore
    assert.ok(grown < 256 << 20, `memory grew by ${grown} bytes`)
    assert.equal(await endOffset(topic), before)
  }
})

test('what lies about its decompressed size takes no memory for it', async () => {
  const header = Buffer.from(p.encodeBatch({ records: [{ key: Buffer.from('k'), value: Buffer.from('v') }] }))
  const liars: readonly [number, string][] = [
    // gzip that ends in the middle; snappy of 2^32-1 bytes; LZ4 and zstd frames that promise 2^60 bytes.
    [1, '1f8b0800000000000003'],
    [2, 'ffffffff0f00'],
    [3, '04224d1868400000000000000010000000'],
    [4, '28b52ffde000000000000000100000'],
  ]
  for (const [codec, body] of liars) {
    const records = Buffer.concat([header.subarray(0, p.BATCH_HEADER_BYTES), Buffer.from(body, 'hex')])
    records.writeInt32BE(records.length - p.LOG_OVERHEAD_BYTES, BATCH_FIELD.length)
    records.writeInt16BE(codec, BATCH_FIELD.attributes)
    repairCrc(records)
    const before = await endOffset('compacted')
    assert.notEqual((await produce('compacted', records)).errorCode, 0, `codec ${codec}`)
    assert.equal(await endOffset('compacted'), before)
  }
  assert.deepEqual(broker.logged(/ERROR|HALT/), [])
})
