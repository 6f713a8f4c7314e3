import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type BatchInput, batches, decodeRecords, encodeBatch, encodeMessageSet } from '../protocol/index.ts'
import { batchOf, openLog, readAll, valuesOf } from './log.test.fixture.ts'
import type { Log } from './log.ts'
import { RecordValidationError } from './record-check.ts'

const ALL = { maxBytes: 1 << 20, maxOffset: Number.POSITIVE_INFINITY, minOneMessage: true }
const CLIENT = { leaderEpoch: 5, origin: 'client', apiVersion: 9 } as const

function stored(log: Log) {
  const bytes = Buffer.concat(log.read(0, ALL).chunks)
  return [...batches(bytes)].map(header => ({ header, records: [...decodeRecords(bytes, header, { maxBytes: 1e6 })] }))
}

describe('a leader', () => {
  it('leaves the log as it was when it refuses a batch', async () => {
    const { log } = await openLog({ maxMessageBytes: 500, segmentBytes: 2000 })
    const broken = Buffer.from(batchOf(['x']))
    broken[70]! ^= 1
    const lying = Buffer.from(encodeBatch({ records: [{ value: Buffer.from('x') }], lastOffsetDelta: 4 }))
    const pair = Buffer.concat([batchOf(['x']), batchOf(['y'])])
    const refused: [string, Uint8Array][] = [
      ['CORRUPT_MESSAGE', broken],
      ['MESSAGE_TOO_LARGE', batchOf(['x'.repeat(600)])],
      ['INVALID_RECORD', lying],
      ['INVALID_RECORD', pair],
      ['INVALID_RECORD', batchOf(['x'], { isControl: true })],
      ['INVALID_RECORD', batchOf(['x'], { producerId: 5, producerEpoch: 0, baseSequence: -1 })],
      ['INVALID_RECORD', batchOf(['x'], { isTransactional: true })],
      ['INVALID_RECORD', Buffer.alloc(0)],
      ['INVALID_RECORD', batchOf(['x']).subarray(0, 50)],
      ['INVALID_TIMESTAMP', batchOf(['x'], { timestampType: 'LogAppendTime', maxTimestamp: 9 })],
    ]
    for (const [code, bytes] of refused) assert.throws(() => log.appendAsLeader(bytes, CLIENT), { code })
    assert.equal(log.logEndOffset, 0)
    assert.equal(log.size, 0)
  })

  it('refuses more than a segment holds', async () => {
    const { log } = await openLog({ segmentBytes: 200 })
    assert.throws(() => log.appendAsLeader(batchOf(['x'.repeat(300)]), CLIENT), { code: 'RECORD_LIST_TOO_LARGE' })
  })

  it('stamps offset and epoch and leaves the records alone', async () => {
    const { log } = await openLog()
    log.appendAsLeader(batchOf(['a', 'b'], { compression: 'gzip' }), CLIENT)
    log.appendAsLeader(batchOf(['c']), { ...CLIENT, leaderEpoch: 6 })
    const [first, second] = stored(log)
    assert.deepEqual([first?.header.baseOffset, first?.header.partitionLeaderEpoch], [0, 5])
    assert.equal(first?.header.compression, 'gzip')
    assert.deepEqual([second?.header.baseOffset, second?.header.partitionLeaderEpoch], [2, 6])
    assert.deepEqual(log.offsetForLeaderEpoch(5), { epoch: 5, endOffset: 2 })
  })

  it('sets its own time where the topic says so', async () => {
    const { log, clock } = await openLog({ messageTimestampType: 'LogAppendTime' })
    const info = log.appendAsLeader(batchOf(['a', 'b']), CLIENT)
    assert.equal(info.logAppendTimeMs, clock.now())
    assert.deepEqual(
      stored(log)[0]?.records.map(({ timestamp }) => timestamp),
      [clock.now(), clock.now()],
    )
  })

  it('compresses anew where the topic has another codec, and keeps sequences and times', async () => {
    const { log } = await openLog({ compressionType: 'gzip' })
    const input: Partial<BatchInput> = { producerId: 8, producerEpoch: 2, baseSequence: 4 }
    log.appendAsLeader(batchOf(['a', 'b'], input), CLIENT)
    const [only] = stored(log)
    const { compression, producerId, producerEpoch, baseSequence, maxTimestamp } = only!.header
    assert.deepEqual([compression, producerId, producerEpoch, baseSequence], ['gzip', 8, 2, 4])
    assert.equal(maxTimestamp, 1_700_000_000_000)
    assert.deepEqual(valuesOf(log), ['a', 'b'])
  })

  it('names the records without a key that a compacted topic cannot take', async () => {
    const { log } = await openLog({ cleanupPolicy: ['compact'] })
    const records = [{ key: Buffer.from('k') }, { value: Buffer.from('v') }, { key: null }]
    assert.throws(
      () => log.appendAsLeader(encodeBatch({ records }), CLIENT),
      (error: unknown) => {
        assert.ok(error instanceof RecordValidationError)
        assert.equal(error.code, 'INVALID_RECORD')
        assert.deepEqual(
          error.recordErrors.map(({ batchIndex }) => batchIndex),
          [1, 2],
        )
        return true
      },
    )
  })

  it('refuses times that are too far from its own', async () => {
    const { log, clock } = await openLog({ messageTimestampBeforeMaxMs: 1000, messageTimestampAfterMaxMs: 500 })
    const at = (timestamp: number) => encodeBatch({ records: [{ value: Buffer.from('v'), timestamp }] })
    for (const far of [-1001, 501, 1e9]) {
      assert.throws(() => log.appendAsLeader(at(clock.now() + far), CLIENT), { code: 'INVALID_TIMESTAMP' })
    }
    // Only -1 is no time; others below zero are of before 1970.
    assert.throws(() => log.appendAsLeader(at(-2), CLIENT), { code: 'INVALID_TIMESTAMP' })
    for (const near of [-1000, 0, 500]) log.appendAsLeader(at(clock.now() + near), CLIENT)
    log.appendAsLeader(at(-1), CLIENT)
  })

  it('makes batches of the message sets of old clients', async () => {
    const { log } = await openLog()
    for (const magic of [0, 1] as const) {
      const messages = ['a', 'b'].map((value, offset) => ({
        offset,
        timestamp: 7,
        key: null,
        value: Buffer.from(value),
      }))
      const info = log.appendAsLeader(encodeMessageSet({ magic, messages }), { ...CLIENT, apiVersion: 2 })
      assert.equal(info.recordCount, 2)
    }
    assert.deepEqual(readAll(log), [
      { offset: 0, value: 'a' },
      { offset: 1, value: 'b' },
      { offset: 2, value: 'a' },
      { offset: 3, value: 'b' },
    ])
    assert.ok(stored(log).every(({ header }) => header.magic === 2))
  })
})
