import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readBatchHeader } from './batch-header.ts'
import { checkProducedHeader, checkProducedRecords, RecordsRejectedError } from './produced-batch.ts'
import { type BatchInput, encodeBatch } from './record-batch.ts'

const LIMITS = { maxBytes: 1 << 20 }
const key = Buffer.from('k')

function checkHeader(batch: BatchInput): void {
  checkProducedHeader(readBatchHeader(encodeBatch(batch), 0)!)
}

test('a batch as clients make it passes', () => {
  checkHeader({ records: [{}, {}] })
  checkHeader({ records: [{}], producerId: 5, producerEpoch: 0, baseSequence: 0, isTransactional: true })
})

test('headers that only a broker or a liar writes are refused', () => {
  for (const [batch, code] of [
    [{ records: [] }, 'INVALID_RECORD'],
    [{ records: [{}], lastOffsetDelta: 1 }, 'INVALID_RECORD'],
    [{ records: [{}, {}], lastOffsetDelta: 0 }, 'INVALID_RECORD'],
    [{ records: [{}], lastOffsetDelta: 0x7fff_ffff }, 'INVALID_RECORD'],
    [{ records: [{}], isControl: true }, 'INVALID_RECORD'],
    [{ records: [{}], producerId: 5, producerEpoch: 0 }, 'INVALID_RECORD'],
    [{ records: [{}], timestampType: 'LogAppendTime', maxTimestamp: 1 }, 'INVALID_TIMESTAMP'],
  ] as const) {
    assert.throws(() => checkHeader(batch), { code })
  }
})

test('the walk finds the first record with the largest timestamp', () => {
  const records = [5, 9, 2, 9].map(timestamp => ({ key, timestamp }))
  const bytes = encodeBatch({ records, baseOffset: 30, compression: 'lz4' })
  const header = readBatchHeader(bytes, 0)!
  assert.deepEqual(checkProducedRecords(bytes, header, LIMITS), { maxTimestamp: 9, offsetOfMaxTimestamp: 31 })
})

test('a batch for a compacted topic names its records without a key', () => {
  const bytes = encodeBatch({ records: [{ key }, {}, { key: Buffer.alloc(0) }, { key: null }] })
  const header = readBatchHeader(bytes, 0)!
  checkProducedRecords(bytes, header, LIMITS)
  assert.throws(
    () => checkProducedRecords(bytes, header, { ...LIMITS, keysRequired: true }),
    (error: unknown) => {
      assert.ok(error instanceof RecordsRejectedError)
      assert.equal(error.code, 'INVALID_RECORD')
      assert.deepEqual(
        error.records.map(({ index }) => index),
        [1, 3],
      )
      return true
    },
  )
})

test('offsets with gaps are refused in what a client sends', () => {
  const bytes = encodeBatch({ records: [{ offsetDelta: 0 }, { offsetDelta: 2 }] })
  assert.throws(() => checkProducedRecords(bytes, readBatchHeader(bytes, 0)!, LIMITS), { code: 'INVALID_RECORD' })
})
