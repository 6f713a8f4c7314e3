/** Transactions of the second protocol (KIP-890, `transaction.version` 2): an epoch for each, partitions that are added by writing to them. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { batches, decodeRecords } from '../../protocol/index.ts'
import type { Transaction } from './transaction.ts'
import { producerOf, TransactionFixture } from './transaction-fixture.ts'
import { decodeTransactionRecord, encodeTransactionRecord } from './transaction-record.ts'

const a0 = new Map([['a', new Set([0])]])

/** As `TransactionLog.valueToBytes` of Kafka 4.3.0 gives it. */
const VALUE_OF_KAFKA =
  '000100000000000000057fff0000ea60020202610200000000000000000000000008000000000000000703000800000000000000050108000000000000000602020002'

/** A coordinator of a cluster that has finalized `transaction.version` 2; `transaction` is in the log before. */
async function started(transaction?: Partial<Transaction>): Promise<TransactionFixture> {
  const before = new TransactionFixture()
  before.transactionVersion = 2
  if (transaction !== undefined) await before.written({ startTimestamp: 1_000_000, ...transaction })
  return TransactionFixture.started(before)
}

/** The versions of the values in the log. */
function valueVersions(fixture: TransactionFixture): number[] {
  return fixture.topic
    .log(0)
    .flatMap(batch =>
      [...batches(batch)].flatMap(header =>
        [...decodeRecords(batch, header, { maxBytes: 1 << 20 })].map(({ value }) =>
          value === null ? -1 : Buffer.from(value).readInt16BE(0),
        ),
      ),
    )
}

describe('a transaction of the second protocol', () => {
  it('leaves these records, and markers in the epoch that follows', async () => {
    const fixture = await started()
    assert.equal(await fixture.init(), '1000/0')
    assert.equal(await fixture.addImplicitly(producerOf('1000/0'), ['a-0']), 'NONE')
    assert.equal(await fixture.addImplicitly(producerOf('1000/0'), ['a-0', 'b-1']), 'NONE')
    assert.equal(await fixture.endAndBump(producerOf('1000/0'), 'commit'), '1000/1')
    await fixture.clock.settle()
    assert.deepEqual(fixture.markers.written, ['commit 1000/1 a-0 by 3', 'commit 1000/1 b-1 by 3'])
    const common = {
      producerId: 1000,
      producerEpoch: 0,
      previousProducerId: 1000,
      nextProducerId: -1,
      lastProducerEpoch: -1,
      clientVersion: 2,
      timeoutMs: 60_000,
      startTimestamp: 1_000_000,
      lastUpdateTimestamp: 1_000_000,
    }
    const both = new Map([...a0, ['b', new Set([1])]])
    assert.deepEqual(fixture.records(), [
      { ...common, state: 'Empty', partitions: new Map(), startTimestamp: -1, clientVersion: 0 },
      { ...common, state: 'Ongoing', partitions: a0 },
      { ...common, state: 'Ongoing', partitions: both },
      { ...common, state: 'PrepareCommit', partitions: both, producerEpoch: 1 },
      { ...common, state: 'CompleteCommit', partitions: new Map(), producerEpoch: 1 },
    ])
    assert.deepEqual(valueVersions(fixture), [1, 1, 1, 1, 1])
  })

  it('has the next epoch at each end', async () => {
    const fixture = await started()
    let producer = await fixture.init()
    for (const [result, next] of [
      ['commit', '1000/1'],
      ['abort', '1000/2'],
      ['commit', '1000/3'],
    ] as const) {
      assert.equal(await fixture.addImplicitly(producerOf(producer), ['a-0']), 'NONE')
      assert.equal(await fixture.endAndBump(producerOf(producer), result), next)
      await fixture.clock.settle()
      producer = next
    }
  })

  it('that is ended again is answered as before, by its own result alone', async () => {
    for (const [result, other] of [
      ['commit', 'abort'],
      ['abort', 'commit'],
    ] as const) {
      const fixture = await started()
      const producer = producerOf(await fixture.init())
      await fixture.addImplicitly(producer, ['a-0'])
      fixture.markers.isHeld = true
      assert.equal(await fixture.endAndBump(producer, result), '1000/1')
      assert.equal(await fixture.endAndBump(producer, result), 'CONCURRENT_TRANSACTIONS')
      fixture.markers.release()
      await fixture.clock.settle()
      const records = fixture.records().length
      assert.equal(await fixture.endAndBump(producer, result), '1000/1')
      assert.equal(await fixture.endAndBump(producer, other), 'INVALID_TXN_STATE')
      const restarted = await TransactionFixture.started(fixture, 4)
      assert.equal(await restarted.endAndBump(producer, result), '1000/1')
      assert.equal(await restarted.endAndBump(producer, other), 'INVALID_TXN_STATE')
      assert.equal(restarted.records().length, records)
    }
  })

  it('that was never begun can be aborted, not committed', async () => {
    const fixture = await started()
    const producer = producerOf(await fixture.init())
    assert.equal(await fixture.endAndBump(producer, 'commit'), 'INVALID_TXN_STATE')
    assert.equal(await fixture.endAndBump(producer, 'abort'), '1000/1')
    await fixture.clock.settle()
    assert.equal(await fixture.endAndBump(producerOf('1000/1'), 'commit'), 'INVALID_TXN_STATE')
    assert.equal(await fixture.endAndBump(producerOf('1000/1'), 'abort'), '1000/2')
    await fixture.clock.settle()
    assert.deepEqual(fixture.markers.written, [])
    assert.deepEqual(fixture.history(), [
      'Empty 1000/0',
      'PrepareAbort 1000/1',
      'CompleteAbort 1000/1',
      'PrepareAbort 1000/2',
      'CompleteAbort 1000/2',
    ])
    assert.equal(fixture.records()[1]?.startTimestamp, 1_000_000)
  })

  it('refuses a producer of an epoch before', async () => {
    const fixture = await started({ producerEpoch: 5 })
    for (const [producer, error] of [
      ['1000/4', 'PRODUCER_FENCED'],
      ['1000/6', 'PRODUCER_FENCED'],
      ['999/5', 'INVALID_PRODUCER_ID_MAPPING'],
    ] as const) {
      assert.equal(await fixture.endAndBump(producerOf(producer), 'abort'), error)
      assert.equal(await fixture.addImplicitly(producerOf(producer), ['a-0']), error)
    }
    assert.equal(await fixture.addImplicitly(producerOf('1000/5'), ['a-0']), 'NONE')
    assert.equal(await fixture.endAndBump(producerOf('1000/4'), 'commit'), 'PRODUCER_FENCED')
    assert.equal(fixture.state(), 'Ongoing 1000/5 a-0')
  })

  it('waits for the end of the one before, and no longer than a moment', async () => {
    const fixture = await started()
    const producer = producerOf(await fixture.init())
    await fixture.addImplicitly(producer, ['a-0'])
    fixture.markers.isHeld = true
    await fixture.endAndBump(producer, 'commit')
    const next = producerOf('1000/1')
    assert.equal(await fixture.endAndBump(next, 'abort'), 'CONCURRENT_TRANSACTIONS')
    const tooEarly = fixture.addImplicitly(next, ['a-0'])
    await fixture.clock.advance(1_000)
    assert.equal(await tooEarly, 'CONCURRENT_TRANSACTIONS')
    const waiting = fixture.addImplicitly(next, ['a-0'])
    await fixture.clock.advance(20)
    fixture.markers.release()
    await fixture.clock.advance(20)
    assert.equal(await waiting, 'NONE')
    assert.equal(fixture.state(), 'Ongoing 1000/1 a-0')
  })
})

describe('the last epoch of a producer id', () => {
  const last = { producerId: 5, producerEpoch: 32766, state: 'Ongoing', partitions: a0 } as const
  const producer = producerOf('5/32766')
  const next = producerOf('1000/0')

  it('ends with a new id, and markers of the old one', async () => {
    const fixture = await started(last)
    fixture.markers.isHeld = true
    assert.equal(await fixture.endAndBump(producer, 'commit'), '1000/0')
    const waiting = fixture.addImplicitly(next, ['b-0'])
    assert.equal(await fixture.endAndBump(next, 'abort'), 'CONCURRENT_TRANSACTIONS')
    assert.equal(await fixture.init({ as: next }), 'CONCURRENT_TRANSACTIONS')
    fixture.markers.release()
    await fixture.clock.advance(10)
    assert.equal(await waiting, 'NONE')
    assert.deepEqual(fixture.markers.written, ['commit 5/32767 a-0 by 3'])
    const [, prepared, completed, ongoing] = fixture.records()
    assert.deepEqual(
      [prepared, completed, ongoing].map(record => [
        `${record?.state} ${record?.producerId}/${record?.producerEpoch}`,
        record?.previousProducerId,
        record?.nextProducerId,
      ]),
      [
        ['PrepareCommit 5/32767', 5, 1000],
        ['CompleteCommit 1000/0', 5, -1],
        ['Ongoing 1000/0', 1000, -1],
      ],
    )
    assert.equal(await fixture.addImplicitly(producer, ['a-0']), 'INVALID_PRODUCER_ID_MAPPING')
  })

  it('is answered with the same new id when it is ended again', async () => {
    const fixture = await started(last)
    assert.equal(await fixture.endAndBump(producer, 'abort'), '1000/0')
    await fixture.clock.settle()
    assert.equal(await fixture.endAndBump(producer, 'abort'), '1000/0')
    const restarted = await TransactionFixture.started(fixture, 4)
    assert.equal(await restarted.endAndBump(producer, 'abort'), '1000/0')
    assert.equal(await restarted.endAndBump(producer, 'commit'), 'INVALID_TXN_STATE')
    assert.equal(await restarted.endAndBump(next, 'abort'), '1000/1')
    await restarted.clock.settle()
    assert.equal(await restarted.endAndBump(producer, 'abort'), 'INVALID_PRODUCER_ID_MAPPING')
  })

  it('does not end while there is no new id, and then does', async () => {
    const fixture = await started(last)
    fixture.isWithoutProducerIds = true
    assert.equal(await fixture.endAndBump(producer, 'commit'), 'COORDINATOR_NOT_AVAILABLE')
    assert.equal(fixture.state(), 'Ongoing 5/32766 a-0')
    fixture.isWithoutProducerIds = false
    assert.equal(await fixture.endAndBump(producer, 'commit'), '1000/0')
  })
})

describe('what interrupts transactions of the second protocol', () => {
  it('a coordinator that comes after goes on from every record', async () => {
    for (const [found, end, marker] of [
      [{ state: 'PrepareCommit', producerEpoch: 1, partitions: a0 }, 'CompleteCommit 1000/1', 'commit 1000/1 a-0 by 3'],
      [{ state: 'PrepareAbort', producerEpoch: 1, partitions: a0 }, 'CompleteAbort 1000/1', 'abort 1000/1 a-0 by 3'],
      [
        { state: 'PrepareCommit', producerEpoch: 32767, partitions: a0, nextProducerId: 2000 },
        'CompleteCommit 2000/0',
        'commit 1000/32767 a-0 by 3',
      ],
      [{ state: 'PrepareAbort', producerEpoch: 1 }, 'CompleteAbort 1000/1', undefined],
    ] as const) {
      const fixture = await started(found)
      await fixture.clock.settle()
      assert.equal(fixture.history().at(-1), end)
      assert.deepEqual(fixture.markers.written, marker === undefined ? [] : [marker])
    }
    const ongoing = await started({ state: 'Ongoing', partitions: a0 })
    assert.equal(await ongoing.endAndBump(producerOf('1000/0'), 'commit'), '1000/1')
  })

  it('a producer that comes after fences: an end of the one before, which comes late, is no end asked for again', async () => {
    const fixture = await started({ state: 'Ongoing', producerEpoch: 5, partitions: a0 })
    assert.equal(await fixture.init(), 'CONCURRENT_TRANSACTIONS')
    await fixture.clock.settle()
    assert.deepEqual(fixture.markers.written, ['abort 1000/7 a-0 by 3'])
    for (const result of ['abort', 'commit'] as const) {
      assert.equal(await fixture.endAndBump(producerOf('1000/5'), result), 'PRODUCER_FENCED')
    }
    assert.equal(await fixture.init(), '1000/8')
    assert.equal(await fixture.endAndBump(producerOf('1000/7'), 'abort'), 'PRODUCER_FENCED')
  })

  it('a timeout fences, in the last epoch of an id too', async () => {
    for (const [epoch, fenced, after] of [
      [5, '1000/7', '1000/8'],
      [32765, '1000/32767', '2000/0'],
      [32766, '1000/32767', '2000/0'],
    ] as const) {
      const fixture = await started({ state: 'Ongoing', producerEpoch: epoch, partitions: a0, timeoutMs: 10 })
      fixture.nextProducerId = 2000
      await fixture.clock.advance(11)
      await fixture.coordinator.abortTimedOut()
      await fixture.clock.settle()
      assert.equal(fixture.history().at(-1), `CompleteAbort ${fenced}`)
      for (const result of ['abort', 'commit'] as const) {
        assert.equal(await fixture.endAndBump({ producerId: 1000, producerEpoch: epoch }, result), 'PRODUCER_FENCED')
      }
      assert.equal(await fixture.init(), after)
    }
  })

  it('KIP-360: a producer that lost the answer to its end goes on in the epoch of that', async () => {
    const fixture = await started()
    const producer = producerOf(await fixture.init())
    await fixture.addImplicitly(producer, ['a-0'])
    await fixture.endAndBump(producer, 'commit')
    await fixture.clock.settle()
    assert.equal(await fixture.init({ as: producer }), '1000/1')
  })
})

describe('transactions of both protocols', () => {
  it('go on beside each other, and one after the other', async () => {
    const fixture = await started()
    const producer = producerOf(await fixture.init())
    assert.deepEqual(await fixture.add(producer, ['a-0']), ['NONE'])
    assert.equal(await fixture.end(producer, 'commit'), 'NONE')
    await fixture.clock.settle()
    assert.equal(await fixture.end(producer, 'commit'), 'NONE')
    assert.equal(await fixture.addImplicitly(producer, ['b-0']), 'NONE')
    assert.equal(await fixture.endAndBump(producer, 'commit'), '1000/1')
    await fixture.clock.settle()
    assert.deepEqual(await fixture.add(producerOf('1000/1'), ['a-0']), ['NONE'])
    assert.equal(await fixture.end(producerOf('1000/1'), 'abort'), 'NONE')
    await fixture.clock.settle()
    assert.deepEqual(fixture.markers.written, [
      'commit 1000/0 a-0 by 3',
      'commit 1000/1 b-0 by 3',
      'abort 1000/1 a-0 by 3',
    ])
  })

  it('a producer of the second is not taken for one of the first that came after it', async () => {
    const fixture = await started()
    const former = producerOf(await fixture.init())
    const producer = producerOf(await fixture.init())
    await fixture.add(producer, ['a-0'])
    await fixture.end(producer, 'commit')
    await fixture.clock.settle()
    assert.equal(await fixture.endAndBump(former, 'commit'), 'PRODUCER_FENCED')
  })

  it('lowering transaction.version leaves an end whose next id is decided to be brought to it', async () => {
    const fixture = await started({ producerId: 5, producerEpoch: 32766, state: 'Ongoing', partitions: a0 })
    fixture.transactionVersion = 0
    fixture.markers.isHeld = true
    assert.equal(await fixture.endAndBump(producerOf('5/32766'), 'commit'), '1000/0')
    const restarted = await TransactionFixture.started(fixture, 4)
    await restarted.clock.settle()
    assert.equal(restarted.history().at(-1), 'CompleteCommit 1000/0')
  })

  it('of the first leave values of version 0 until transaction.version is raised, by which they are still read', async () => {
    const fixture = await TransactionFixture.started()
    const producer = producerOf(await fixture.init())
    await fixture.add(producer, ['a-0'])
    fixture.transactionVersion = 1
    await fixture.end(producer, 'commit')
    await fixture.clock.settle()
    assert.deepEqual(valueVersions(fixture), [0, 0, 1, 1])
    const restarted = await TransactionFixture.started(fixture, 4)
    assert.equal(restarted.state(), 'CompleteCommit 1000/0')
  })
})

describe('a value of __transaction_state', () => {
  it('has the bytes of Kafka 4.3', () => {
    const transaction: Transaction = {
      state: 'PrepareCommit',
      producerId: 5,
      producerEpoch: 32767,
      previousProducerId: 5,
      nextProducerId: 6,
      lastProducerEpoch: 32766,
      clientVersion: 2,
      timeoutMs: 60_000,
      partitions: a0,
      startTimestamp: 7,
      lastUpdateTimestamp: 8,
    }
    const { key, value } = encodeTransactionRecord({ transactionalId: 'id', transaction }, 2)
    assert.equal(Buffer.from(value ?? []).toString('hex'), VALUE_OF_KAFKA)
    assert.deepEqual(decodeTransactionRecord(key, value)?.transaction, { ...transaction, lastProducerEpoch: -1 })
  })
})
