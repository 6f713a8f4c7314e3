import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { encodeBatch } from '../protocol/index.ts'
import { isTransactional } from './transaction-verification.ts'

const plain = encodeBatch({ records: [{ value: Buffer.from('x'), timestamp: 1 }] })
const producer = { producerId: 5, producerEpoch: 0, baseSequence: 0 }
const transactional = encodeBatch({
  ...producer,
  records: [{ value: Buffer.from('x'), timestamp: 1 }],
  isTransactional: true,
})
const entry = (records: Uint8Array | null) => ({ topic: 'a', partition: 0, records })

describe('isTransactional', () => {
  it('looks at every batch', () => {
    assert.equal(isTransactional(entry(plain)), false)
    assert.equal(isTransactional(entry(transactional)), true)
    assert.equal(isTransactional(entry(Buffer.concat([plain, plain]))), false)
    assert.equal(isTransactional(entry(Buffer.concat([plain, plain, transactional]))), true)
  })

  it('comes to an end whatever the bytes', () => {
    assert.equal(isTransactional(entry(null)), false)
    for (let length = 0; length < plain.length; length++) {
      assert.equal(isTransactional(entry(plain.subarray(0, length))), false)
    }
    for (const lie of [0, -1, -12, 2 ** 31 - 1]) {
      const bytes = Buffer.from(plain)
      bytes.writeInt32BE(lie, 8)
      assert.equal(isTransactional(entry(bytes)), false)
    }
  })
})
