import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readBatchHeader, writeInt32, writeInt64 } from './batch-header.ts'
import { batchCrcValid } from './batches.ts'
import { downconvert, upconvert } from './convert.ts'
import { crc32 } from './crc32.ts'
import { decodeMessageSet, encodeMessageSet, type LegacyMagic, type MessageSetInput } from './message-set.ts'
import type { LogRecord } from './record.ts'
import { decodeRecords, encodeBatch } from './record-batch.ts'

const MAX = { maxBytes: 1 << 20 }
const CODECS = ['none', 'gzip', 'snappy', 'lz4'] as const
const text = (bytes: Uint8Array | null): string | null => (bytes === null ? null : Buffer.from(bytes).toString())

function tuples(records: Iterable<LogRecord>): unknown[] {
  return [...records].map(({ offset, timestamp, key, value }) => [offset, timestamp, text(key), text(value)])
}

function someMessages(first = 10): MessageSetInput['messages'] {
  return [
    { offset: first, timestamp: 500, key: Buffer.from('k'), value: Buffer.from('v') },
    { offset: first + 1, timestamp: 700, value: Buffer.alloc(0) },
    { offset: first + 4, timestamp: 600, key: Buffer.from('gone'), value: null },
  ]
}

/** Writes the CRC of the one entry in `bytes` anew. */
function summed(bytes: Uint8Array): Uint8Array {
  writeInt32(bytes, 12, crc32(bytes, 16, bytes.length))
  return bytes
}

for (const magic of [0, 1] as const) {
  for (const compression of CODECS) {
    test(`a format ${magic} set, ${compression}, gives back its messages`, () => {
      const bytes = encodeMessageSet({ magic, messages: someMessages(), compression })
      const times = magic === 0 ? [-1, -1, -1] : [500, 700, 600]
      assert.deepEqual(tuples(decodeMessageSet(bytes, MAX)), [
        [10, times[0], 'k', 'v'],
        [11, times[1], null, ''],
        [14, times[2], 'gone', null],
      ])
    })

    test(`a format ${magic} set, ${compression}, becomes one batch with offsets from 0`, () => {
      const bytes = upconvert(encodeMessageSet({ magic, messages: someMessages(), compression }), MAX)
      const header = readBatchHeader(bytes, 0)!
      assert.ok(batchCrcValid(bytes, header))
      assert.deepEqual(
        [header.length, header.compression, header.recordCount, header.lastOffset, header.maxTimestamp],
        [bytes.length, compression, 3, 2, magic === 0 ? -1 : 700],
      )
      assert.deepEqual(
        tuples(decodeRecords(bytes, header, MAX)).map(record => (record as unknown[])[0]),
        [0, 1, 2],
      )
    })
  }
}

test('a wrapper at offset 0, as old librdkafkas produce it, counts from 0', () => {
  const messages = someMessages(0)
  const bytes = Buffer.from(encodeMessageSet({ magic: 1, messages, compression: 'gzip' }))
  writeInt64(bytes, 0, 0)
  assert.deepEqual(
    [...decodeMessageSet(bytes, MAX)].map(({ offset }) => offset),
    [0, 1, 4],
  )
  writeInt64(bytes, 0, 3)
  assert.throws(() => [...decodeMessageSet(bytes, MAX)], { code: 'INVALID_RECORD' })
})

test('the append time of a wrapper is that of its messages; a producer may not set it', () => {
  const bytes = encodeMessageSet({
    magic: 1,
    messages: someMessages(),
    compression: 'snappy',
    timestampType: 'LogAppendTime',
  })
  assert.deepEqual(
    [...decodeMessageSet(bytes, MAX)].map(({ timestamp }) => timestamp),
    [700, 700, 700],
  )
  assert.throws(() => upconvert(bytes, MAX), { code: 'INVALID_TIMESTAMP' })
})

test('a message cut at the end of a set is passed over', () => {
  const bytes = encodeMessageSet({ magic: 1, messages: someMessages() })
  assert.equal([...decodeMessageSet(bytes.subarray(0, -1), MAX)].length, 2)
  assert.equal(upconvert(bytes.subarray(0, 20), MAX).length, 0)
})

test('broken messages are refused', () => {
  const one = (magic: LegacyMagic): Buffer =>
    Buffer.from(
      encodeMessageSet({ magic, messages: [{ offset: 0, key: Buffer.from('key'), value: Buffer.from('v') }] }),
    )
  const wrongCrc = one(0)
  wrongCrc[wrongCrc.length - 1]! ^= 1
  assert.throws(() => [...decodeMessageSet(wrongCrc, MAX)], { code: 'CORRUPT_MESSAGE' })
  for (const [at, length] of [
    [26, -2],
    [26, 0x7fff_ffff],
    [26, 2],
    [33, 2],
    [33, 0],
    [33, -1],
  ] as const) {
    const bytes = one(1)
    writeInt32(bytes, at, length)
    assert.throws(() => [...decodeMessageSet(summed(bytes), MAX)], { code: 'INVALID_RECORD' }, `${at} ${length}`)
  }
})

test('compressed messages without, with broken or with compressed contents are refused', () => {
  const wrap = (value: Uint8Array | null, codec = 1): Uint8Array => {
    const bytes = encodeMessageSet({ magic: 1, messages: [{ offset: 5, value }] })
    bytes[17] = codec
    return summed(bytes)
  }
  const gzip = Buffer.from(encodeMessageSet({ magic: 1, messages: someMessages(), compression: 'gzip' }))
  const value = gzip.subarray(34)
  for (const bytes of [
    wrap(null),
    wrap(Buffer.from('no gzip')),
    wrap(Buffer.from(encodeMessageSet({ magic: 1, messages: [], compression: 'gzip' }))),
    wrap(value.subarray(0, 20)),
    wrap(Buffer.from('82534e41505059000000000100000001', 'hex'), 2),
    encodeMessageSet({ magic: 1, messages: [{ offset: 1, value: gzip }], compression: 'none' }).fill(1, 17, 18),
  ]) {
    assert.throws(() => [...decodeMessageSet(summed(bytes), MAX)], { code: 'INVALID_RECORD' })
  }
  const bomb = encodeMessageSet({
    magic: 1,
    messages: [{ offset: 0, value: Buffer.alloc(2 << 20) }],
    compression: 'gzip',
  })
  assert.throws(() => [...decodeMessageSet(bomb, MAX)], { code: 'MESSAGE_TOO_LARGE' })
})

test('a compressed message beside others, and a batch among messages, are not converted', () => {
  const plain = encodeMessageSet({ magic: 1, messages: someMessages() })
  const gzip = encodeMessageSet({ magic: 1, messages: someMessages(), compression: 'gzip' })
  const batch = encodeBatch({ records: [{}] })
  for (const parts of [
    [plain, gzip],
    [gzip, gzip],
    [plain, batch],
  ]) {
    assert.throws(() => upconvert(Buffer.concat(parts), MAX), { code: 'INVALID_RECORD' })
  }
})

test('batches are read by old clients without headers, markers and what they have read before', () => {
  const records = [1, 2, 3].map(number => ({
    key: Buffer.from(`k${number}`),
    value: Buffer.from(`v${number}`),
    timestamp: number,
    headers: [{ key: 'h', value: null }],
  }))
  for (const compression of CODECS) {
    const log = Buffer.concat([
      encodeBatch({ records, baseOffset: 20, compression }),
      encodeBatch({ records: [{ key: Buffer.alloc(4) }], baseOffset: 23, isControl: true }),
      encodeBatch({ records: records.slice(0, 1), baseOffset: 24, compression }),
    ])
    assert.deepEqual(tuples(decodeMessageSet(downconvert(log, { ...MAX, magic: 1, startOffset: 21 }), MAX)), [
      [21, 2, 'k2', 'v2'],
      [22, 3, 'k3', 'v3'],
      [24, 1, 'k1', 'v1'],
    ])
    const old = downconvert(downconvert(log, { ...MAX, magic: 1 }), { ...MAX, magic: 0 })
    assert.deepEqual(tuples(decodeMessageSet(old, MAX))[0], [20, -1, 'k1', 'v1'])
  }
  const zstdAttributes = Buffer.from(encodeBatch({ records: [{}] }))
  zstdAttributes[22] = 4
  assert.throws(() => downconvert(zstdAttributes, { ...MAX, magic: 1 }), { code: 'UNSUPPORTED_COMPRESSION_TYPE' })
})

test('a converted set keeps to its limit but for the first batch, and ends before what cannot be converted', () => {
  const batchAt = (baseOffset: number): Uint8Array =>
    encodeBatch({ records: [1, 2, 3].map(() => ({ value: Buffer.alloc(100) })), baseOffset })
  const log = Buffer.concat([0, 3, 6].map(batchAt))
  const one = downconvert(batchAt(0), { ...MAX, magic: 1 }).length
  const batchesWithin = (maxSetBytes: number): number =>
    downconvert(log, { ...MAX, magic: 1, maxSetBytes }).length / one
  assert.deepEqual([1, one, 2 * one - 1, 2 * one, 4 * one].map(batchesWithin), [1, 1, 1, 2, 3])
  const zstd = Buffer.from(batchAt(9))
  zstd[22] = 4
  assert.equal(downconvert(Buffer.concat([batchAt(0), zstd]), { ...MAX, magic: 1 }).length, one)
})

test('no bytes make a message set fail in another way than it says', () => {
  const set = Buffer.concat([
    encodeMessageSet({ magic: 1, messages: someMessages(), compression: 'snappy' }),
    encodeMessageSet({ magic: 0, messages: someMessages() }),
  ])
  fc.assert(
    fc.property(fc.nat(set.length - 1), fc.integer({ min: 1, max: 255 }), fc.boolean(), (at, flip, sum) => {
      const damaged = Buffer.from(set)
      damaged[at]! ^= flip
      const first = readBatchHeader(damaged, 0)
      if (sum && first !== undefined && first.length < damaged.length) {
        writeInt32(damaged, 12, crc32(damaged, 16, first.length))
      }
      for (const read of [() => [...decodeMessageSet(damaged, MAX)], () => upconvert(damaged, MAX)]) {
        try {
          read()
        } catch (error) {
          assert.match((error as { code: string }).code, /^(INVALID_RECORD|CORRUPT_MESSAGE|INVALID_TIMESTAMP)$/)
        }
      }
    }),
    { numRuns: 500 },
  )
})
