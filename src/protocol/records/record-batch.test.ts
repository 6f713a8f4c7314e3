import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compress } from '../compression/compression.ts'
import { COMPRESSION_TYPES } from '../compression/compression-type.ts'
import { BATCH_FIELD, BATCH_HEADER_BYTES, readBatchHeader, writeBatchCrc, writeInt32 } from './batch-header.ts'
import { batchCrcValid } from './batches.ts'
import { decodeEndTxnMarker, encodeEndTxnMarker } from './control-record.ts'
import type { LogRecord, RecordInput } from './record.ts'
import { type BatchInput, decodeRecords, encodeBatch, recordCursor } from './record-batch.ts'

const MAX = { maxBytes: 1 << 20 }
const field = fc.option(fc.uint8Array({ maxLength: 50 }))
const record = fc.record({
  key: field,
  value: field,
  headers: fc.array(fc.record({ key: fc.string({ unit: 'grapheme', maxLength: 10 }), value: field }), { maxLength: 4 }),
  timestamp: fc.oneof(fc.integer({ min: -1 }), fc.integer({ min: -1, max: 2 ** 52 })),
})

function decode(bytes: Uint8Array, position = 0): LogRecord[] {
  return [...decodeRecords(bytes, readBatchHeader(bytes, position)!, MAX)]
}

/** Bytes by what they hold, whatever class their view has. */
function plain(records: readonly (RecordInput | LogRecord)[]): unknown {
  const hex = (bytes: Uint8Array | null | undefined): string | null =>
    bytes == null ? null : Buffer.from(bytes).toString('hex')
  return records.map(({ key, value, headers = [], timestamp }) => ({
    key: hex(key),
    value: hex(value),
    headers: headers.map(header => [header.key, hex(header.value)]),
    timestamp: timestamp ?? -1,
  }))
}

for (const compression of COMPRESSION_TYPES) {
  test(`a batch compressed with ${compression} gives back its records`, () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 12 }), fc.maxSafeNat(), (records, offset) => {
        const baseOffset = Math.min(offset, 2 ** 52)
        const bytes = encodeBatch({ records, baseOffset, compression })
        const header = readBatchHeader(bytes, 0)!
        assert.ok(batchCrcValid(bytes, header))
        assert.equal(header.length, bytes.length)
        assert.equal(header.recordCount, records.length)
        assert.equal(header.compression, compression)
        assert.equal(header.maxTimestamp, Math.max(-1, ...records.map(({ timestamp }) => timestamp)))
        const decoded = decode(bytes)
        assert.deepEqual(plain(decoded), plain(records))
        assert.deepEqual(
          decoded.map(({ offset }) => offset),
          records.map((_, index) => baseOffset + index),
        )
      }),
      { numRuns: 30 },
    )
  })
}

test('a batch keeps what a producer or a compaction says of it', () => {
  const batch: BatchInput = {
    records: [
      { value: Buffer.from('a'), timestamp: 50, offsetDelta: 3 },
      { value: null, timestamp: 40, offsetDelta: 7 },
    ],
    baseOffset: 100,
    lastOffsetDelta: 9,
    partitionLeaderEpoch: 4,
    producerId: 77,
    producerEpoch: 2,
    baseSequence: 5,
    isTransactional: true,
    deleteHorizon: 1000,
  }
  const bytes = encodeBatch(batch)
  const header = readBatchHeader(bytes, 0)!
  assert.deepEqual(
    [header.lastOffset, header.partitionLeaderEpoch, header.producerId, header.producerEpoch, header.baseSequence],
    [109, 4, 77, 2, 5],
  )
  assert.deepEqual([header.isTransactional, header.hasDeleteHorizon, header.baseTimestamp], [true, true, 1000])
  assert.deepEqual([header.maxTimestamp, header.lastSequence], [50, 14])
  assert.deepEqual(
    decode(bytes).map(({ offset, timestamp }) => [offset, timestamp]),
    [
      [103, 50],
      [107, 40],
    ],
  )
})

test('records of a batch with the append time have that time', () => {
  const records = [{ timestamp: 1 }, { timestamp: 2 }]
  const bytes = encodeBatch({ records, timestampType: 'LogAppendTime', maxTimestamp: 99 })
  assert.deepEqual(
    decode(bytes).map(({ timestamp }) => timestamp),
    [99, 99],
  )
})

test('a batch is decoded where it lies among others', () => {
  const one = encodeBatch({ records: [{ key: Buffer.from('k') }] })
  const bytes = Buffer.concat([Buffer.from('..'), one, Buffer.from('.'.repeat(90))])
  assert.equal(Buffer.from(decode(bytes, 2)[0]!.key!).toString(), 'k')
})

test('the cursor tells of a record without making one', () => {
  const headers = [{ key: 'h', value: null }]
  const bytes = encodeBatch({ records: [{ key: Buffer.from('k'), value: null, headers, timestamp: 5 }, {}] })
  const cursor = recordCursor(bytes, readBatchHeader(bytes, 0)!, MAX)
  assert.ok(cursor.next())
  assert.deepEqual([cursor.offset, cursor.timestamp, cursor.hasKey, cursor.hasValue], [0, 5, true, false])
  assert.deepEqual([cursor.headerCount, cursor.headers], [1, headers])
  assert.equal(Buffer.from(cursor.key!).toString(), 'k')
  assert.ok(cursor.next())
  assert.deepEqual([cursor.offset, cursor.timestamp, cursor.hasKey, cursor.headerCount], [1, -1, false, 0])
  assert.ok(!cursor.next())
})

/** A batch whose records are `body` as it stands. */
function batchAround(body: string | Uint8Array, recordCount: number): Uint8Array {
  const bytes = Buffer.concat([
    encodeBatch({ records: [] }).subarray(0, BATCH_HEADER_BYTES),
    typeof body === 'string' ? Buffer.from(body, 'hex') : body,
  ])
  writeInt32(bytes, BATCH_FIELD.length, bytes.length - 12)
  writeInt32(bytes, BATCH_FIELD.recordCount, recordCount)
  writeBatchCrc(bytes, 0)
  return bytes
}

test('records that lie about themselves are refused', () => {
  const good = '0c000000010100'
  assert.equal(decode(batchAround(good, 1)).length, 1)
  const broken: [string, string, number][] = [
    ['fewer records than said', good, 2],
    ['more records than said', good + good, 1],
    ['records where none are said', good, 0],
    ['billions of records said', good, 0x7fff_ffff],
    ['bytes behind the last record', `${good}00`, 1],
    ['a record cut short', '0e000000010100', 1],
    ['a negative record length', '01000000010100', 1],
    ['a record length of no record', '0a0000000101', 1],
    ['a record longer than its fields', '0e00000001010000', 1],
    ['a key longer than the record', '0c000000080100', 1],
    ['a key of length -2', '0c000000030100', 1],
    ['a value longer than the record', '0c000000010800', 1],
    ['a value of 2^31 - 1 bytes', '1400000001feffffff0f00', 1],
    ['more headers than bytes', '0c000000010102', 1],
    ['2^31 - 1 headers', '14000000 0101feffffff0f'.replace(' ', ''), 1],
    ['a negative count of headers', '0c000000010101', 1],
    ['a header with a null key', '100000000101020101', 1],
    ['a varint without an end', 'ffffffffffffffffffff', 1],
    ['a timestamp beyond 2^53 - 1', '1e00ffffffffffffffffff0100010100', 1],
    ['a timestamp of eleven bytes', '2000ffffffffffffffffffff0100010100', 1],
  ]
  for (const [what, body, count] of broken) {
    assert.throws(() => decode(batchAround(body, count)), { code: 'INVALID_RECORD' }, what)
  }
})

test('a batch cut short, and one whose records do not decompress, are refused', () => {
  const bytes = encodeBatch({ records: [{ value: Buffer.alloc(100) }], compression: 'gzip' })
  const header = readBatchHeader(bytes, 0)!
  assert.throws(() => [...decodeRecords(bytes.subarray(0, -1), header, MAX)], { code: 'INVALID_RECORD' })
  const bare = batchAround('0c000000010100', 1)
  bare[BATCH_FIELD.attributes + 1] = 4
  assert.throws(() => decode(bare), { code: 'INVALID_RECORD' })
})

test('a bomb in a batch is refused by its limit', () => {
  for (const compression of COMPRESSION_TYPES.slice(1)) {
    const bytes = encodeBatch({ records: [{ value: Buffer.alloc(2 << 20) }], compression })
    assert.throws(() => decode(bytes), { code: 'MESSAGE_TOO_LARGE' })
  }
})

test('no damage makes the decoder fail in another way than it says', () => {
  const records = Array.from({ length: 5 }, (_, index) => ({
    key: Buffer.from(`key ${index}`),
    value: Buffer.alloc(40, index),
    headers: [{ key: 'name', value: Buffer.from('value') }],
  }))
  const bodies = COMPRESSION_TYPES.map(compression => encodeBatch({ records, compression }))
  fc.assert(
    fc.property(fc.nat(4), fc.nat(), fc.integer({ min: 1, max: 255 }), (codec, where, flip) => {
      const damaged = Uint8Array.from(bodies[codec]!)
      damaged[BATCH_HEADER_BYTES + (where % (damaged.length - BATCH_HEADER_BYTES))]! ^= flip
      try {
        decode(damaged)
      } catch (error) {
        assert.match((error as { code: string }).code, /^(INVALID_RECORD|MESSAGE_TOO_LARGE)$/)
      }
    }),
    { numRuns: 1000 },
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(12), fc.nat(4), (body, count, codec) => {
      const bytes = batchAround(compress(COMPRESSION_TYPES[codec]!, body), count)
      bytes[BATCH_FIELD.attributes + 1] = codec
      assert.throws(
        () => {
          decode(bytes)
          throw Object.assign(new Error('decoded'), { code: 'INVALID_RECORD' })
        },
        { code: 'INVALID_RECORD' },
      )
    }),
    { numRuns: 300 },
  )
})

test('the end of a transaction is written as Java writes it and read back', () => {
  const marker = { result: 'commit', coordinatorEpoch: 9, producerId: 4, producerEpoch: 1, timestamp: 77 } as const
  const bytes = encodeEndTxnMarker({ ...marker, baseOffset: 12, partitionLeaderEpoch: 3 })
  const header = readBatchHeader(bytes, 0)!
  assert.deepEqual([header.isControl, header.isTransactional, header.baseSequence], [true, true, -1])
  assert.deepEqual([header.baseOffset, header.partitionLeaderEpoch, header.maxTimestamp], [12, 3, 77])
  const [record] = decode(bytes)
  assert.deepEqual(decodeEndTxnMarker(record!), { result: 'commit', coordinatorEpoch: 9 })
  assert.equal(decodeEndTxnMarker({ key: Buffer.from('00000002', 'hex'), value: null }), undefined)
  for (const key of [null, Buffer.from('0000', 'hex'), Buffer.from('ffff0000', 'hex')]) {
    assert.throws(() => decodeEndTxnMarker({ key, value: Buffer.alloc(6) }), { code: 'INVALID_RECORD' })
  }
  assert.throws(() => decodeEndTxnMarker({ key: Buffer.alloc(4), value: Buffer.alloc(5) }), { code: 'INVALID_RECORD' })
})
