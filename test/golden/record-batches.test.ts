/** Batches and message sets that kafka-clients and librdkafka wrote: `records/*.hex`, each naming its origin. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import {
  type BatchHeader,
  batchCrcValid,
  batches,
  COMPRESSION_TYPES,
  type CompressionType,
  decodeEndTxnMarker,
  decodeRecords,
  encodeBatch,
  encodeEndTxnMarker,
  encodeMessageSet,
  type LogRecord,
  readBatchHeader,
  upconvert,
} from '../../src/protocol/index.ts'

const TIME = 1_700_000_000_000
const LIMITS = { maxBytes: 1 << 20 }
const LEGACY_CODECS = ['none', 'gzip', 'snappy', 'lz4'] as const

function fixture(name: string): Uint8Array {
  const text = readFileSync(new URL(`../../../test/golden/records/${name}.hex`, import.meta.url), 'utf8')
  return Buffer.from(text.replace(/^#.*$/gm, '').replace(/\s/g, ''), 'hex')
}

/** All records of a fixture, its CRCs checked. */
function decodeAll(bytes: Uint8Array): { headers: BatchHeader[]; records: LogRecord[] } {
  const headers = [...batches(bytes)]
  for (const header of headers) assert.ok(batchCrcValid(bytes, header))
  assert.equal(
    headers.reduce((sum, header) => sum + header.length, 0),
    bytes.length,
  )
  return { headers, records: headers.flatMap(header => [...decodeRecords(bytes, header, LIMITS)]) }
}

const text = (bytes: Uint8Array | null): string | null => (bytes === null ? null : Buffer.from(bytes).toString())

function readable(records: readonly LogRecord[]): unknown[] {
  return records.map(({ offset, timestamp, key, value, headers }) => {
    return [offset, timestamp, text(key), text(value), ...headers.map(header => [header.key, text(header.value)])]
  })
}

/** The records of every small fixture. */
function smallRecords(magic: number, base = 1000): unknown[] {
  const time = (after: number): number => (magic === 0 ? -1 : TIME + after)
  const headers = [
    ['first', 'one'],
    ['kavka \u010dern\u00e1', ''],
    ['first', null],
  ]
  return [
    [base, time(0), 'key-0', 'value-0', ...(magic === 2 ? headers : [])],
    [base + 1, time(5), null, 'value-1'],
    [base + 2, time(-7), 'key-2', null],
    [base + 3, time(3_000_000_000), '', ''],
    [base + 4, time(0), 'key-4', 'value-4 '.repeat(20)],
  ]
}

for (const magic of [0, 1, 2] as const) {
  const codecs: readonly CompressionType[] = magic === 2 ? COMPRESSION_TYPES : LEGACY_CODECS
  for (const codec of codecs) {
    test(`format ${magic}, ${codec}, as Java writes it`, () => {
      const { headers, records } = decodeAll(fixture(`v${magic}-${codec}`))
      assert.deepEqual([headers[0]!.magic, headers[0]!.compression], [magic, codec])
      assert.deepEqual(readable(records), smallRecords(magic))
      if (codec === 'none') return
      const large = decodeAll(fixture(`v${magic}-${codec}-large`)).records
      assert.deepEqual(
        large.map(record => text(record.value)),
        Array.from({ length: 30 }, (_, index) => `large value ${index}. `.repeat(400)),
      )
    })

    if (magic === 2) continue
    test(`format ${magic}, ${codec}, as Java writes it, becomes a batch`, () => {
      const batch = upconvert(fixture(`v${magic}-${codec}`), LIMITS)
      assert.deepEqual(readable(decodeAll(batch).records), smallRecords(magic, 0))
    })
  }
}

/** Of librdkafka: snappy is raw, LZ4 has its own block sizes and, in format 0, the old header checksum. */
const FOREIGN = ['v0-lz4', 'v0-snappy', 'v1-gzip', 'v1-lz4', 'v2-gzip', 'v2-lz4', 'v2-snappy', 'v2-zstd'] as const

for (const name of FOREIGN) {
  test(`format and codec ${name} as librdkafka writes it`, () => {
    const check = (records: readonly LogRecord[]): void =>
      assert.deepEqual(
        records.map(({ offset, key, value }) => [offset, text(key), text(value)]),
        Array.from({ length: 40 }, (_, index) => [index, `key-${index}`, `librdkafka value ${index}. `.repeat(300)]),
      )
    const bytes = fixture(`librdkafka-${name}`)
    check(decodeAll(bytes).records)
    if (!name.startsWith('v2')) check(decodeAll(upconvert(bytes, LIMITS)).records)
  })
}

test('our plain batches and message sets are byte for byte those of Java', () => {
  for (const magic of [0, 1] as const) {
    const { records } = decodeAll(fixture(`v${magic}-none`))
    assert.deepEqual(
      Buffer.from(encodeMessageSet({ magic, messages: records })),
      Buffer.from(fixture(`v${magic}-none`)),
    )
  }
  const { records } = decodeAll(fixture('v2-none'))
  assert.deepEqual(Buffer.from(encodeBatch({ records, baseOffset: 1000 })), Buffer.from(fixture('v2-none')))
})

test("a producer's ids and the broker's clock are read", () => {
  const idempotent = decodeAll(fixture('v2-idempotent'))
  const [header] = idempotent.headers
  assert.deepEqual(
    [header!.producerId, header!.producerEpoch, header!.baseSequence, header!.lastSequence],
    [4_000_000_000, 3, 2 ** 31 - 1, 0],
  )
  assert.deepEqual([header!.isTransactional, header!.partitionLeaderEpoch], [false, 17])
  assert.deepEqual(
    idempotent.records.map(({ timestamp }) => timestamp),
    [TIME, TIME + 1],
  )
  for (const name of ['v2-transactional-append-time', 'v1-snappy-append-time']) {
    const { headers, records } = decodeAll(fixture(name))
    assert.equal(headers[0]!.timestampType, 'LogAppendTime')
    assert.equal(headers[0]!.isTransactional, name.startsWith('v2'))
    assert.deepEqual(
      records.map(({ timestamp }) => timestamp),
      [TIME + 99, TIME + 99],
    )
  }
})

test('the markers of transactions are byte for byte those of Java', () => {
  for (const result of ['commit', 'abort'] as const) {
    const bytes = fixture(`v2-${result}-marker`)
    const [record] = decodeAll(bytes).records
    assert.ok(readBatchHeader(bytes, 0)!.isControl)
    assert.deepEqual(decodeEndTxnMarker(record!), { result, coordinatorEpoch: 12 })
    const ours = encodeEndTxnMarker({
      result,
      coordinatorEpoch: 12,
      producerId: 4_000_000_000,
      producerEpoch: 3,
      timestamp: TIME,
      baseOffset: 1000,
      partitionLeaderEpoch: 17,
    })
    assert.deepEqual(Buffer.from(ours), Buffer.from(bytes))
  }
})
