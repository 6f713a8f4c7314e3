import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { COMPRESSION_TYPES } from '../compression/compression-type.ts'
import { BatchBuilder, mostRecordBytes, type RecordPart } from './batch-builder.ts'
import { readBatchHeader } from './batch-header.ts'
import { setBatchProducer } from './batch-header-writer.ts'
import { batchCrcValid } from './batches.ts'
import { decodeRecords, encodeBatch } from './record-batch.ts'

const part = fc.oneof(
  fc.constant(null),
  fc.string({ unit: 'binary', maxLength: 100 }),
  fc.string({ unit: 'binary-ascii', maxLength: 200 }),
  fc.uint8Array({ maxLength: 100 }),
)
const header = fc.record({
  key: fc.string({ unit: 'grapheme', maxLength: 10 }),
  value: fc.option(fc.uint8Array({ maxLength: 10 })),
})
const record = fc.record({
  timestamp: fc.integer({ min: 0, max: 2 ** 45 }),
  key: part,
  value: part,
  headers: fc.array(header, { maxLength: 3 }),
})

const asBytes = (given: RecordPart): Uint8Array | null => (typeof given === 'string' ? Buffer.from(given) : given)

test('a batch built record by record has the bytes of one that is encoded at once', () => {
  fc.assert(
    fc.property(
      fc.array(record, { minLength: 1, maxLength: 20 }),
      fc.constantFrom(...COMPRESSION_TYPES),
      (records, compression) => {
        const builder = new BatchBuilder(64)
        for (const { timestamp, key, value, headers } of records) {
          const before = builder.sizeBytes
          builder.append(timestamp, key, value, headers)
          assert.ok(builder.sizeBytes - before <= mostRecordBytes(key, value, headers))
        }
        const built = builder.finish({ compression })
        const whole = encodeBatch({
          compression,
          records: records.map(one => ({ ...one, key: asBytes(one.key), value: asBytes(one.value) })),
        })
        assert.deepEqual(Buffer.from(built), Buffer.from(whole))
      },
    ),
    { numRuns: 200 },
  )
})

test('a batch may become that of another producer, with a CRC that fits', () => {
  const builder = new BatchBuilder(0)
  builder.append(5, 'k', 'v', [])
  const bytes = builder.finish({ producerId: 1, producerEpoch: 0, baseSequence: 9, isTransactional: true })
  setBatchProducer(bytes, { producerId: 2 ** 40, producerEpoch: 3, baseSequence: 0 })
  const batch = readBatchHeader(bytes, 0)
  assert.ok(batch && batchCrcValid(bytes, batch))
  assert.deepEqual([batch.producerId, batch.producerEpoch, batch.baseSequence], [2 ** 40, 3, 0])
  assert.ok(batch.isTransactional)
  assert.equal([...decodeRecords(bytes, batch, { maxBytes: 100 })].length, 1)
})
