import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  addToSequence,
  patchBatch,
  readBatchHeader,
  readInt64,
  setMaxTimestamp,
  writeBatchCrc,
  writeInt32,
  writeInt64,
} from './batch-header.ts'
import { batchCrcValid, batches } from './batches.ts'

/** A batch without records, its header fields as given. */
function emptyBatch(): Buffer {
  const bytes = Buffer.alloc(61)
  bytes.writeInt32BE(49, 8)
  bytes[16] = 2
  bytes.writeBigInt64BE(-1n, 43)
  bytes.writeInt16BE(-1, 51)
  bytes.writeInt32BE(-1, 53)
  writeBatchCrc(bytes, 0)
  return bytes
}

test('a header reads as it was written', () => {
  const bytes = Buffer.concat([Buffer.alloc(3), emptyBatch()])
  bytes.writeBigInt64BE(4_294_967_297n, 3)
  bytes.writeInt32BE(7, 3 + 12)
  bytes.writeInt16BE(0x3c, 3 + 21)
  bytes.writeInt32BE(4, 3 + 23)
  bytes.writeBigInt64BE(-1n, 3 + 27)
  bytes.writeBigInt64BE(1_700_000_000_000n, 3 + 35)
  bytes.writeBigInt64BE(9000n, 3 + 43)
  bytes.writeInt16BE(-2, 3 + 51)
  bytes.writeInt32BE(0x7fff_fffe, 3 + 53)
  bytes.writeInt32BE(5, 3 + 57)
  const header = readBatchHeader(bytes, 3)
  assert.deepEqual(header, {
    position: 3,
    length: 61,
    magic: 2,
    baseOffset: 4_294_967_297,
    lastOffset: 4_294_967_301,
    lastOffsetDelta: 4,
    partitionLeaderEpoch: 7,
    crc: bytes.readUInt32BE(3 + 17),
    attributes: 0x3c,
    compression: 'zstd',
    timestampType: 'LogAppendTime',
    isTransactional: true,
    isControl: true,
    hasDeleteHorizon: false,
    baseTimestamp: -1,
    maxTimestamp: 1_700_000_000_000,
    producerId: 9000,
    producerEpoch: -2,
    baseSequence: 0x7fff_fffe,
    lastSequence: 2,
    recordCount: 5,
  })
})

test('placing a batch keeps its CRC valid, and a changed byte breaks it', () => {
  const bytes = emptyBatch()
  patchBatch(bytes, 0, { baseOffset: 12_345_678_901, partitionLeaderEpoch: 3 })
  const header = readBatchHeader(bytes, 0)!
  assert.equal(header.baseOffset, 12_345_678_901)
  assert.equal(header.partitionLeaderEpoch, 3)
  assert.ok(batchCrcValid(bytes, header))
  bytes[40]! ^= 1
  assert.ok(!batchCrcValid(bytes, header))
  assert.ok(!batchCrcValid(bytes.subarray(0, 60), header))
})

test('the append time is set and unset with a right CRC', () => {
  const bytes = emptyBatch()
  setMaxTimestamp(bytes, 0, { timestampType: 'LogAppendTime', maxTimestamp: 99 })
  const stamped = readBatchHeader(bytes, 0)!
  assert.deepEqual([stamped.timestampType, stamped.maxTimestamp], ['LogAppendTime', 99])
  assert.ok(batchCrcValid(bytes, stamped))
  setMaxTimestamp(bytes, 0, { timestampType: 'CreateTime', maxTimestamp: -1 })
  const unstamped = readBatchHeader(bytes, 0)!
  assert.deepEqual([unstamped.timestampType, unstamped.maxTimestamp], ['CreateTime', -1])
  assert.ok(batchCrcValid(bytes, unstamped))
})

test('iteration ends before a partial batch, however little of it there is', () => {
  const one = emptyBatch()
  const two = Buffer.concat([one, one])
  for (let cut = 0; cut < 61; cut++) assert.equal([...batches(two.subarray(0, 61 + cut))].length, 1)
  assert.deepEqual(
    [...batches(two)].map(header => header.position),
    [0, 61],
  )
})

test('a length below the header, an unknown magic and impossible fields are refused', () => {
  const broken: [(bytes: Buffer) => void, string][] = [
    [bytes => bytes.writeInt32BE(48, 8), 'CORRUPT_MESSAGE'],
    [bytes => bytes.writeInt32BE(-1, 8), 'CORRUPT_MESSAGE'],
    [bytes => bytes.writeInt32BE(-0x8000_0000, 8), 'CORRUPT_MESSAGE'],
    [bytes => bytes.writeInt8(3, 16), 'CORRUPT_MESSAGE'],
    [bytes => bytes.writeInt8(-1, 16), 'CORRUPT_MESSAGE'],
    [bytes => bytes.writeInt32BE(-1, 23), 'INVALID_RECORD'],
    [bytes => bytes.writeInt32BE(-1, 57), 'INVALID_RECORD'],
    [bytes => bytes.writeInt16BE(5, 21), 'INVALID_RECORD'],
    [bytes => bytes.writeBigInt64BE(2n ** 53n, 35), 'INVALID_RECORD'],
    [bytes => bytes.writeBigInt64BE(-(2n ** 63n), 43), 'INVALID_RECORD'],
    [
      bytes => {
        bytes.writeBigInt64BE(2n ** 53n - 1n, 0)
        bytes.writeInt32BE(1, 23)
      },
      'INVALID_RECORD',
    ],
  ]
  for (const [damage, code] of broken) {
    const bytes = emptyBatch()
    damage(bytes)
    assert.equal(readBatchHeader(bytes, 0), undefined)
    assert.throws(() => [...batches(bytes)], { code })
  }
})

test('no bytes make the reader of headers throw or the iteration run past the end', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(3), (bytes, magic) => {
      if (bytes.length > 16) bytes[16] = magic
      readBatchHeader(bytes, 0)
      try {
        for (const header of batches(bytes)) assert.ok(header.position + header.length <= bytes.length)
      } catch (error) {
        assert.match((error as { code: string }).code, /^(CORRUPT_MESSAGE|INVALID_RECORD)$/)
      }
    }),
  )
})

test('an int64 is written and read exactly within ±(2^53 - 1)', () => {
  const bytes = Buffer.alloc(8)
  fc.assert(
    fc.property(fc.maxSafeInteger(), value => {
      writeInt64(bytes, 0, value)
      assert.equal(bytes.readBigInt64BE(), BigInt(value))
      assert.equal(readInt64(bytes, 0), value)
    }),
  )
  writeInt32(bytes, 4, -2)
  assert.equal(bytes.readInt32BE(4), -2)
})

test('a sequence begins again at 0 after 2^31 - 1', () => {
  assert.equal(addToSequence(0x7fff_ffff, 1), 0)
  assert.equal(addToSequence(0x7fff_fffe, 1), 0x7fff_ffff)
  assert.equal(addToSequence(10, 5), 15)
})
