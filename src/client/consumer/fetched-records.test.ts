import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeBatch, encodeEndTxnMarker, type TransactionResult } from '../../protocol/index.ts'
import { string } from '../serializers.ts'
import { FetchedRecords } from './fetched-records.ts'

const PLACE = { topic: 'orders', partition: 0 }
const READING = { serdes: { key: string, value: string }, checkCrcs: true }

function batch(baseOffset: number, values: readonly string[], producerId = -1): Uint8Array {
  const records = values.map(value => ({ value: Buffer.from(value) }))
  const transaction = producerId < 0 ? {} : { producerId, producerEpoch: 0, baseSequence: 0, isTransactional: true }
  return encodeBatch({ records, baseOffset, ...transaction })
}

function marker(baseOffset: number, result: TransactionResult, producerId: number): Uint8Array {
  return encodeEndTxnMarker({ result, coordinatorEpoch: 0, producerId, producerEpoch: 0, timestamp: 0, baseOffset })
}

type Aborted = readonly { readonly producerId: number; readonly firstOffset: number }[]

/** What a reader gets of batches one after another, and where it goes on. */
function read(batches: readonly Uint8Array[], aborted: Aborted | null, fetchOffset = 0): [string[], number] {
  const records = new FetchedRecords(PLACE, { bytes: Buffer.concat(batches), fetchOffset, aborted }, READING)
  const values: string[] = []
  for (let chunk = records.next(); chunk !== undefined; chunk = records.next()) {
    values.push(...chunk.records.map(({ offset, value }) => `${offset} ${value}`))
  }
  return [values, records.nextOffset]
}

test('records from the wanted offset on come with their offsets, markers do not', () => {
  const log = [batch(0, ['a', 'b', 'c']), marker(3, 'commit', 5), batch(4, ['d'])]
  assert.deepEqual(read(log, null, 1), [['1 b', '2 c', '4 d'], 5])
})

test('a reader of committed records gets none of an aborted transaction, and all of the next of the same producer', () => {
  const log = [
    batch(0, ['a'], 5),
    batch(1, ['b'], 6),
    marker(2, 'abort', 5),
    batch(3, ['c'], 5),
    marker(4, 'commit', 5),
  ]
  assert.deepEqual(read(log, [{ producerId: 5, firstOffset: 0 }]), [['1 b', '3 c'], 5])
  assert.deepEqual(read(log, null), [['0 a', '1 b', '3 c'], 5])
})

test('a committed transaction is read where compaction left only the marker of an aborted one before it', () => {
  const log = [marker(2, 'abort', 5), batch(3, ['c', 'd'], 5), marker(5, 'commit', 5)]
  assert.deepEqual(read(log, [{ producerId: 5, firstOffset: 0 }]), [['3 c', '4 d'], 6])
})

test('a batch that is not what was written is not given', () => {
  const bytes = Buffer.from(batch(0, ['a']))
  bytes[bytes.length - 2]! ^= 1
  assert.throws(() => read([bytes], null), { code: 'CORRUPT_MESSAGE', message: /offset 0 of orders/ })
})
