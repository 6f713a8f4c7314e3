import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { json, string } from '../serializers.ts'
import { ConsumerRecord } from './consumer-record.ts'

function orderWith(value: string): ConsumerRecord<string, { id: number }> {
  const parts = { offset: 7, timestamp: 17, key: Buffer.from('anna'), value: Buffer.from(value) }
  const place = { topic: 'orders', partition: 1 }
  return new ConsumerRecord(place, { ...parts, headers: [], headerCount: 0 }, 3, { key: string, value: json() })
}

test('a record that is printed, or turned into JSON, shows its key and value as they are read', () => {
  const said = { topic: 'orders', partition: 1, offset: 7, timestamp: 17, leaderEpoch: 3, headers: [] }
  const all = { ...said, key: 'anna', value: { id: 1 } }
  assert.deepEqual(JSON.parse(JSON.stringify(orderWith('{"id":1}'))), all)
  assert.equal(inspect(orderWith('{"id":1}')), inspect(all))
})

test('a record that cannot be read is printed with its bytes', () => {
  const broken = orderWith('{')
  assert.throws(() => JSON.stringify(broken), { code: 'INVALID_RECORD' })
  assert.match(inspect(broken), /valueBytes: <Buffer 7b>/)
})
