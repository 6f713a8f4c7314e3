import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decideInitProducerId } from './init-producer-id.ts'
import { NO_PARTITIONS } from './topic-partitions.ts'
import type { ProducerIdentity, Transaction } from './transaction.ts'
import { producerOf, TransactionFixture } from './transaction-fixture.ts'

const first = producerOf('1000/0')

const current: Transaction = {
  state: 'CompleteCommit',
  producerId: 5,
  producerEpoch: 3,
  previousProducerId: -1,
  nextProducerId: -1,
  lastProducerEpoch: -1,
  clientVersion: 0,
  timeoutMs: 1000,
  partitions: NO_PARTITIONS,
  startTimestamp: 7,
  lastUpdateTimestamp: 8,
}

function decide(
  transaction: Transaction | undefined,
  expected?: ProducerIdentity,
  newProducerId: number | undefined = 9,
) {
  return decideInitProducerId(
    transaction,
    { timeoutMs: 2000, expected },
    { now: 100, newProducerId, transactionVersion: 0 },
  )
}

const empty = {
  state: 'Empty',
  timeoutMs: 2000,
  partitions: NO_PARTITIONS,
  nextProducerId: -1,
  clientVersion: 0,
  startTimestamp: -1,
  lastUpdateTimestamp: 100,
}

describe('InitProducerId', () => {
  it('gives a new id to a new transactional id', () => {
    const asked = decideInitProducerId(
      undefined,
      { timeoutMs: 1, expected: undefined },
      { now: 1, newProducerId: undefined, transactionVersion: 0 },
    )
    assert.deepEqual(asked, { needsProducerId: true })
    const ids = { producerId: 9, producerEpoch: 0, previousProducerId: -1, lastProducerEpoch: -1 }
    assert.deepEqual(decide(undefined), { next: { ...empty, ...ids } })
  })

  it('raises the epoch of a known one', () => {
    const ids = { producerId: 5, producerEpoch: 4, previousProducerId: 5, lastProducerEpoch: -1 }
    for (const state of ['Empty', 'CompleteCommit', 'CompleteAbort'] as const) {
      assert.deepEqual(decide({ ...current, state }), { next: { ...empty, ...ids } })
    }
  })

  it('KIP-360: raises the epoch for a producer that goes on, once however often it asks', () => {
    const expected = { producerId: 5, producerEpoch: 3 }
    const ids = { producerId: 5, producerEpoch: 4, previousProducerId: 5, lastProducerEpoch: 3 }
    const bumped = decide(current, expected)
    assert.deepEqual(bumped, { next: { ...empty, ...ids } })
    assert.deepEqual(decide({ ...current, ...ids }, expected), bumped)
    assert.deepEqual(decide({ ...current, ...ids, lastProducerEpoch: -1 }, expected), { error: 'PRODUCER_FENCED' })
  })

  it('KIP-360: fences a producer that another came after', () => {
    assert.deepEqual(decide(current, { producerId: 5, producerEpoch: 2 }), { error: 'PRODUCER_FENCED' })
    assert.deepEqual(decide(current, { producerId: 4, producerEpoch: 3 }), { error: 'PRODUCER_FENCED' })
    const ongoing: Transaction = { ...current, state: 'Ongoing' }
    assert.deepEqual(decide(ongoing, { producerId: 5, producerEpoch: 2 }), { error: 'PRODUCER_FENCED' })
  })

  it('gives a new id when the epochs are used up', () => {
    const used = { ...current, producerEpoch: 32766 }
    const ids = { producerId: 9, producerEpoch: 0, previousProducerId: 5, lastProducerEpoch: -1 }
    assert.deepEqual(decide(used), { next: { ...empty, ...ids } })
    const continued = { next: { ...empty, ...ids, lastProducerEpoch: 32766 } }
    assert.deepEqual(decide(used, { producerId: 5, producerEpoch: 32766 }), continued)
    assert.deepEqual(decide(used, { producerId: 5, producerEpoch: 100 }), { error: 'PRODUCER_FENCED' })
    const retried = decide({ ...current, ...continued.next } as Transaction, { producerId: 5, producerEpoch: 32766 })
    assert.deepEqual(retried, continued, 'the answer was lost')
    // Who had the old id in an epoch that did not lead to the new one is not the producer, whatever the number.
    const successor = { ...current, ...ids, lastProducerEpoch: 32766 }
    for (const producerEpoch of [0, 3, 32765]) {
      assert.deepEqual(decide(successor, { producerId: 5, producerEpoch }), { error: 'PRODUCER_FENCED' })
    }
    assert.deepEqual(decide({ ...current, producerEpoch: 32765 }), {
      next: { ...empty, producerId: 5, producerEpoch: 32766, previousProducerId: 5, lastProducerEpoch: -1 },
    })
  })

  it('KAFKA-20090: gives a new id after the very last epoch', () => {
    const fenced = decide({ ...current, state: 'Ongoing', producerEpoch: 32767 })
    assert.ok('fence' in fenced)
    assert.equal(fenced.fence.producerEpoch, 32767)
    const next = decide({ ...current, state: 'CompleteAbort', producerEpoch: 32767 })
    assert.ok('next' in next)
    assert.deepEqual([next.next.producerId, next.next.producerEpoch], [9, 0])
  })

  it('waits for a transaction that is being ended', () => {
    for (const state of ['PrepareCommit', 'PrepareAbort'] as const) {
      assert.deepEqual(decide({ ...current, state }), { error: 'CONCURRENT_TRANSACTIONS' })
    }
  })

  it('aborts what a predecessor left open, in an epoch that nobody gets', async () => {
    const fixture = await TransactionFixture.started()
    await fixture.init()
    await fixture.add(first, ['a-0'])
    assert.equal(await fixture.init(), 'CONCURRENT_TRANSACTIONS')
    await fixture.clock.settle()
    assert.equal(await fixture.init(), '1000/2')
    assert.deepEqual(fixture.markers.written, ['abort 1000/1 a-0 by 3'])
    assert.deepEqual(fixture.history(), [
      'Empty 1000/0',
      'Ongoing 1000/0 a-0',
      'PrepareAbort 1000/1 a-0',
      'CompleteAbort 1000/1',
      'Empty 1000/2',
    ])
  })

  it('KAFKA-9600: the epoch of a request must be the current one, not just as high', async () => {
    const fixture = await TransactionFixture.started()
    await fixture.init()
    await fixture.add(first, ['a-0'])
    for (const producerEpoch of [1, -1, 32767]) {
      assert.equal(await fixture.end({ producerId: 1000, producerEpoch }, 'commit'), 'PRODUCER_FENCED')
      assert.deepEqual(await fixture.add({ producerId: 1000, producerEpoch }, ['b-0']), ['PRODUCER_FENCED'])
    }
    assert.deepEqual(await fixture.add({ producerId: 1000, producerEpoch: 1 }, ['b-0'], 1), ['INVALID_PRODUCER_EPOCH'])
    assert.equal(await fixture.end({ producerId: 1, producerEpoch: 0 }, 'commit'), 'INVALID_PRODUCER_ID_MAPPING')
    assert.equal(fixture.state(), 'Ongoing 1000/0 a-0')
  })

  it('KAFKA-9666: takes no epoch for a change that the log refuses, however often', async () => {
    const fixture = await TransactionFixture.started()
    await fixture.init()
    await fixture.add(first, ['a-0'])
    for (let attempt = 0; attempt < 10; attempt++) {
      fixture.topic.failNext('NOT_ENOUGH_REPLICAS')
      assert.equal(await fixture.init(), 'COORDINATOR_NOT_AVAILABLE')
      assert.equal(fixture.state(), 'Ongoing 1000/0 a-0')
    }
    assert.equal(await fixture.init(), 'CONCURRENT_TRANSACTIONS')
    await fixture.clock.settle()
    fixture.topic.failNext('NOT_ENOUGH_REPLICAS')
    assert.equal(await fixture.init(), 'COORDINATOR_NOT_AVAILABLE')
    assert.equal(await fixture.init(), '1000/2')
  })

  it('lets one of several at once through', async () => {
    const fixture = await TransactionFixture.started()
    const results = await Promise.all([fixture.init(), fixture.init(), fixture.init()])
    assert.deepEqual(results, ['1000/0', 'CONCURRENT_TRANSACTIONS', 'CONCURRENT_TRANSACTIONS'])
  })

  it('leaves nothing of an id whose first record is refused', async () => {
    const fixture = await TransactionFixture.started()
    fixture.topic.failNext('NOT_ENOUGH_REPLICAS')
    assert.equal(await fixture.init(), 'COORDINATOR_NOT_AVAILABLE')
    assert.equal(fixture.state(), 'TRANSACTIONAL_ID_NOT_FOUND')
    assert.equal(await fixture.init(), '1001/0')
  })

  it('refuses what makes no sense', async () => {
    const fixture = await TransactionFixture.started()
    assert.equal(await fixture.init({ timeoutMs: 900_001 }), 'INVALID_TRANSACTION_TIMEOUT')
    assert.equal(await fixture.init({ timeoutMs: 0 }), 'INVALID_TRANSACTION_TIMEOUT')
    assert.equal(await fixture.init({ transactionalId: '' }), 'INVALID_REQUEST')
    assert.equal(await fixture.init({ transactionalId: 'x'.repeat(10_001) }), 'INVALID_REQUEST')
    assert.equal(await fixture.init({ as: { producerId: 1, producerEpoch: -1 } }), 'INVALID_REQUEST')
    await fixture.init()
    const zombie = { producerId: 1, producerEpoch: 0 }
    assert.equal(await fixture.init({ as: zombie }), 'PRODUCER_FENCED')
    assert.equal(await fixture.init({ as: zombie, apiVersion: 3 }), 'INVALID_PRODUCER_EPOCH')
  })
})
