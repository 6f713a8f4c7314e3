import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { encodeEndTxnMarker } from '../protocol/index.ts'
import { append, batchOf, openLog, valuesOf } from './log.test.fixture.ts'
import type { Log } from './log.ts'
import { DEFAULT_INTERVALS } from './log-manager-options.ts'
import { decodeProducerSnapshot, encodeProducerSnapshot } from './producer-snapshot.ts'

const ALL = { maxBytes: 1 << 20, maxOffset: Number.POSITIVE_INFINITY, minOneMessage: true }

function write(
  log: Log,
  producer: { id: number; epoch?: number; sequence: number; transactional?: boolean },
  count = 1,
) {
  return append(
    log,
    Array.from({ length: count }, (_, index) => `p${producer.id}-${producer.sequence + index}`),
    {
      producerId: producer.id,
      producerEpoch: producer.epoch ?? 0,
      baseSequence: producer.sequence,
      isTransactional: producer.transactional ?? false,
    },
  )
}

function end(log: Log, marker: { id: number; epoch?: number; result: 'commit' | 'abort'; coordinatorEpoch?: number }) {
  const bytes = encodeEndTxnMarker({
    producerId: marker.id,
    producerEpoch: marker.epoch ?? 0,
    result: marker.result,
    coordinatorEpoch: marker.coordinatorEpoch ?? 0,
    timestamp: 1_700_000_000_000,
  })
  return log.appendAsLeader(bytes, { leaderEpoch: 0, origin: 'coordinator' })
}

describe('an idempotent producer', () => {
  it('gets the first offsets again for a batch that it repeats, up to five batches back', async () => {
    const { log } = await openLog()
    const first = [0, 1, 2, 3, 4, 5].map(index => write(log, { id: 1, sequence: index * 3 }, 3))
    const size = log.size
    for (const index of [5, 4, 3, 2, 1]) {
      const again = write(log, { id: 1, sequence: index * 3 }, 3)
      assert.ok(again.isDuplicate)
      assert.deepEqual([again.firstOffset, again.lastOffset], [first[index]!.firstOffset, first[index]!.lastOffset])
      assert.equal(again.logAppendTimeMs, first[index]!.maxTimestamp)
    }
    assert.equal(log.size, size)
    assert.throws(() => write(log, { id: 1, sequence: 0 }, 3), { code: 'OUT_OF_ORDER_SEQUENCE_NUMBER' })
  })

  it('is refused a gap, another begin of an epoch than 0, and an epoch that is over', async () => {
    const { log } = await openLog()
    write(log, { id: 1, sequence: 0 })
    assert.throws(() => write(log, { id: 1, sequence: 2 }), { code: 'OUT_OF_ORDER_SEQUENCE_NUMBER' })
    assert.throws(() => write(log, { id: 1, epoch: 1, sequence: 1 }), { code: 'OUT_OF_ORDER_SEQUENCE_NUMBER' })
    write(log, { id: 1, epoch: 1, sequence: 0 })
    assert.throws(() => write(log, { id: 1, sequence: 1 }), { code: 'INVALID_PRODUCER_EPOCH' })
    assert.equal(log.logEndOffset, 2)
  })

  it('may begin with any sequence where the log knows nothing of it', async () => {
    const { log } = await openLog()
    write(log, { id: 1, sequence: 41 })
    write(log, { id: 1, sequence: 42 })
  })

  it('goes on at 0 after the last sequence', async () => {
    const { log } = await openLog()
    write(log, { id: 1, sequence: 2 ** 31 - 2 }, 3)
    write(log, { id: 1, sequence: 1 })
    assert.ok(write(log, { id: 1, sequence: 2 ** 31 - 2 }, 3).isDuplicate)
  })

  it('is known after a kill, from the snapshot or from the batches', async () => {
    const fixture = await openLog({ segmentBytes: 300 })
    for (let sequence = 0; sequence < 20; sequence++) write(fixture.log, { id: 1, sequence })
    const disk = fixture.disk.crash({
      random: { next: () => 0, below: () => 0, bytes: () => new Uint8Array() },
      keep: 1,
    })
    const { log } = await openLog({ segmentBytes: 300 }, { disk })
    assert.equal(log.logEndOffset, 20)
    assert.ok(write(log, { id: 1, sequence: 19 }).isDuplicate)
    write(log, { id: 1, sequence: 20 })
  })

  it('is forgotten when it wrote nothing for long, but not in a transaction', async () => {
    const { log, clock } = await openLog()
    clock.jumpWallClock(1_700_000_000_000 - clock.now())
    write(log, { id: 1, sequence: 0 })
    write(log, { id: 2, sequence: 0, transactional: true })
    clock.jumpWallClock(1000)
    assert.equal(log.expireProducers(2000), 0)
    assert.equal(log.expireProducers(500), 1)
    assert.deepEqual(
      log.producerStates().map(({ producerId }) => producerId),
      [2],
    )
  })

  it('of which only a marker is left is forgotten by the time of that, to the millisecond', async () => {
    const { log, clock } = await openLog()
    end(log, { id: 1, epoch: 3, result: 'abort' })
    clock.jumpWallClock(1_700_000_000_999 - clock.now())
    assert.equal(log.expireProducers(1000), 0)
    assert.throws(() => write(log, { id: 1, epoch: 2, sequence: 0 }), { code: 'INVALID_PRODUCER_EPOCH' })
    clock.jumpWallClock(1)
    assert.equal(log.expireProducers(1000), 1)
  })

  it('is forgotten by the producer.id.expiration.ms that there is when producers are looked at', async () => {
    let expirationMs = 1_000_000_000
    const { log, clock } = await openLog({}, { producerIdExpirationMs: () => expirationMs })
    clock.jumpWallClock(1_700_000_000_000 - clock.now())
    write(log, { id: 1, sequence: 0 })
    await clock.advance(DEFAULT_INTERVALS.producerExpirationCheckMs)
    assert.equal(log.producerStates().length, 1)
    expirationMs = 1_000
    await clock.advance(DEFAULT_INTERVALS.producerExpirationCheckMs)
    assert.equal(log.producerStates().length, 0)
  })
})

describe('a transaction', () => {
  it('holds back what is left of it when its first records are deleted', async () => {
    const fixture = await openLog()
    const { log } = fixture
    write(log, { id: 1, sequence: 0, transactional: true }, 2)
    write(log, { id: 1, sequence: 2, transactional: true })
    append(log, ['plain'])
    log.highWatermark = 4
    await log.advanceLogStartOffset(1)
    assert.equal(log.lastStableOffset, 1)
    await log.advanceLogStartOffset(2)
    assert.equal(log.lastStableOffset, 2)
    await log.flush()
    const { log: reopened } = await openLog({}, { disk: fixture.disk.kill() })
    reopened.highWatermark = 4
    assert.deepEqual([reopened.logStartOffset, reopened.lastStableOffset], [2, 2])
    write(reopened, { id: 2, sequence: 0, transactional: true })
    end(reopened, { id: 2, result: 'abort' })
    end(reopened, { id: 1, result: 'abort' })
    reopened.highWatermark = 7
    assert.equal(reopened.lastStableOffset, 7)
    const aborted = reopened.abortedTransactions(2, 4)
    assert.deepEqual(
      aborted.map(({ producerId }) => producerId),
      [1],
    )
  })

  it('holds back the last stable offset until its marker is below the high watermark', async () => {
    const { log } = await openLog()
    append(log, ['plain'])
    log.highWatermark = 1
    assert.equal(log.lastStableOffset, 1)
    write(log, { id: 1, sequence: 0, transactional: true })
    write(log, { id: 2, sequence: 0, transactional: true })
    log.highWatermark = 3
    assert.equal(log.lastStableOffset, 1)
    end(log, { id: 1, result: 'commit' })
    assert.equal(log.lastStableOffset, 1)
    log.highWatermark = 4
    assert.equal(log.lastStableOffset, 2)
    end(log, { id: 2, result: 'abort' })
    log.highWatermark = 5
    assert.equal(log.lastStableOffset, 5)
    assert.deepEqual(log.abortedTransactions(0, 5), [
      { producerId: 2, firstOffset: 2, lastOffset: 4, lastStableOffset: 5 },
    ])
    assert.deepEqual(log.abortedTransactions(0, 2), [])
    assert.deepEqual(log.abortedTransactions(5, 9), [])
  })

  it('refuses plain batches of its producer, and markers of a coordinator that was replaced', async () => {
    const { log } = await openLog()
    write(log, { id: 1, sequence: 0, transactional: true })
    assert.throws(() => write(log, { id: 1, sequence: 1 }), { code: 'INVALID_TXN_STATE' })
    end(log, { id: 1, result: 'commit', coordinatorEpoch: 5 })
    assert.throws(() => end(log, { id: 1, result: 'commit', coordinatorEpoch: 4 }), {
      code: 'TRANSACTION_COORDINATOR_FENCED',
    })
    assert.equal(log.producerStates()[0]?.coordinatorEpoch, 5)
  })

  it('KAFKA-7866: gives no offset of a marker away again whose entry in the index cannot be written', async () => {
    const { log, disk } = await openLog()
    write(log, { id: 1, sequence: 0, transactional: true })
    disk.failNext({ operation: 'write', path: path => path.endsWith('.txnindex'), code: 'ENOSPC' })
    assert.throws(() => end(log, { id: 1, result: 'abort' }), { code: 'KAFKA_STORAGE_ERROR' })
    assert.throws(() => append(log, ['after']), { code: 'KAFKA_STORAGE_ERROR' })
    const { log: again } = await openLog({}, { disk: disk.kill() })
    const { firstOffset } = append(again, ['after'])
    assert.equal(firstOffset, again.logEndOffset - 1)
    const aborted = again.abortedTransactions(0, again.logEndOffset).length
    assert.deepEqual([firstOffset, aborted], firstOffset === 2 ? [2, 1] : [1, 0])
  })

  it('is open after a restart and its aborts are known', async () => {
    const { log, manager, disk, clock } = await openLog({ segmentBytes: 300 })
    write(log, { id: 1, sequence: 0, transactional: true })
    for (let count = 0; count < 10; count++) append(log, ['filler'])
    end(log, { id: 1, result: 'abort' })
    write(log, { id: 1, sequence: 1, transactional: true })
    log.highWatermark = log.logEndOffset
    const before = log.abortedTransactions(0, log.logEndOffset)
    await manager.close()
    const again = await openLog({ segmentBytes: 300 }, { disk, clock })
    assert.equal(again.log.lastStableOffset, 12)
    assert.deepEqual(again.log.abortedTransactions(0, 13), before)
    assert.equal(again.log.producerStates()[0]?.currentTxnStartOffset, 12)
    assert.equal(valuesOf(again.log).length, 12)
    assert.equal(again.log.read(0, ALL).baseOffset, 0)
  })

  it('that was cut off is open no more, and one whose marker was cut off is open again', async () => {
    const { log } = await openLog()
    write(log, { id: 1, sequence: 0, transactional: true })
    end(log, { id: 1, result: 'abort' })
    write(log, { id: 1, sequence: 1, transactional: true })
    log.highWatermark = 3
    assert.equal(log.lastStableOffset, 2)
    await log.truncateTo(2)
    assert.equal(log.lastStableOffset, 2)
    await log.truncateTo(1)
    assert.equal(log.lastStableOffset, 0)
    assert.deepEqual(log.abortedTransactions(0, 9), [])
  })
})

describe('a snapshot of producers', () => {
  // Written by Apache Kafka 3.9.1 as 00000000000000000014.snapshot.
  const KAFKA = Buffer.from(
    '0001dc21777d0000000100000000000000000000' +
      '0000000d000000000000000d00000001000001a209e15f5dffffffffffffffffffffffff',
    'hex',
  )

  it("reads Kafka's bytes and writes them again", () => {
    const producers = decodeProducerSnapshot(KAFKA)
    assert.deepEqual(
      producers?.map(({ producerId, lastSequence }) => [producerId, lastSequence]),
      [[0, 13]],
    )
    assert.deepEqual(encodeProducerSnapshot(producers!), KAFKA)
  })

  it('is not believed when a byte of it is another', () => {
    for (let at = 0; at < KAFKA.length; at++) {
      const bytes = Buffer.from(KAFKA)
      bytes[at]! ^= 1
      assert.equal(decodeProducerSnapshot(bytes), undefined)
    }
    assert.equal(decodeProducerSnapshot(KAFKA.subarray(0, 40)), undefined)
    assert.equal(decodeProducerSnapshot(Buffer.alloc(56)), undefined)
  })
})

describe('a follower', () => {
  it('learns producers from what it fetches, without refusing anything', async () => {
    const leader = await openLog()
    write(leader.log, { id: 1, sequence: 7 })
    write(leader.log, { id: 1, epoch: 3, sequence: 0 })
    const follower = await openLog()
    follower.log.appendAsFollower(Buffer.concat(leader.log.read(0, ALL).chunks))
    assert.deepEqual(follower.log.producerStates(), leader.log.producerStates())
    assert.throws(() => follower.log.appendAsFollower(batchOf(['again'])), { code: 'OFFSET_OUT_OF_RANGE' })
  })
})
