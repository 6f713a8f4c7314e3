import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type ErrorName, encodeBatch } from '../protocol/index.ts'
import type { BrokerServices } from './broker-services.ts'
import { isTransactional, verifyProduced } from './transaction-verification.ts'

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

describe('what the second protocol writes', () => {
  const batchFrom = (baseSequence: number) =>
    entry(
      encodeBatch({
        ...producer,
        baseSequence,
        records: [{ value: Buffer.from('x'), timestamp: 1 }],
        isTransactional: true,
      }),
    )
  const verified = (baseSequence: number, { knows, ...rest }: { knows: boolean; outcomeOf?: () => ErrorName }) => {
    const log = { hasOpenTransaction: () => false, knowsProducer: () => knows }
    const services = {
      config: { get: () => true },
      replicas: { hosted: { find: () => ({ log }) } },
      transactions: { verify: () => 'NONE' },
    } as unknown as BrokerServices
    return verifyProduced(batchFrom(baseSequence), { transactionalId: 'id', apiVersion: 12, ...rest }, services)
  }

  it('begins with its first batch where nothing is known of the producer: a later one does not take its place', () => {
    const outcomeOf = (): ErrorName => 'NONE'
    assert.equal(verified(0, { knows: false, outcomeOf }), 'NONE')
    assert.equal(verified(3, { knows: false, outcomeOf }), 'OUT_OF_ORDER_SEQUENCE_NUMBER')
    assert.equal(verified(3, { knows: true, outcomeOf }), 'NONE')
    assert.equal(verified(3, { knows: false }), 'NONE')
    assert.equal(verified(3, { knows: false, outcomeOf: () => 'CONCURRENT_TRANSACTIONS' }), 'CONCURRENT_TRANSACTIONS')
  })
})
