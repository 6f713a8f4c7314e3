/** Logs that hold messages of formats 0 and 1, written by brokers of before batches, or by a leader of that time. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MemoryDisk, SimulatedClock, seededRandom } from '../platform/index.ts'
import { batches, type CompressionType, encodeEndTxnMarker, encodeMessageSet } from '../protocol/index.ts'
import { clean, openCompacted, put, recordsOf } from './compaction.test.fixture.ts'
import { append, batchOf, openLog, readAll, valuesOf } from './log.test.fixture.ts'
import type { Log } from './log.ts'

const LOG = '/logs/t-0/00000000000000000000.log'
const START_MS = 1_700_000_000_000

/** Three messages from `first` on, whose times count in seconds with the offsets. */
function set(magic: 0 | 1, first: number, compression: Exclude<CompressionType, 'zstd'> = 'none'): Uint8Array {
  const messages = [first, first + 1, first + 2].map(offset => ({
    offset,
    timestamp: START_MS + offset * 1000,
    key: Buffer.from(`k${offset}`),
    value: Buffer.from(`v${offset}`),
  }))
  return encodeMessageSet({ magic, messages, compression })
}

/** Offsets 0 to 11: plain and compressed, in both formats. */
function fill(log: Log): void {
  log.appendAsFollower(set(0, 0))
  log.appendAsFollower(set(0, 3, 'gzip'))
  log.appendAsFollower(set(1, 6))
  log.appendAsFollower(set(1, 9, 'lz4'))
}

const values = (from: number, end: number): string[] => Array.from({ length: end - from }, (_, i) => `v${from + i}`)
const killed = (disk: MemoryDisk): MemoryDisk => disk.crash({ random: seededRandom(1), keep: 1 })

describe('a log of old message formats', () => {
  it('is read from each offset on, through compressed messages too', async () => {
    const { log } = await openLog({ indexIntervalBytes: 0 })
    fill(log)
    for (let from = 0; from < 12; from++) assert.deepEqual(valuesOf(log, from, 1), values(from, 12))
  })

  it('is recovered after a crash, and written on in the format of today', async () => {
    const { disk, log } = await openLog({ segmentBytes: 150 })
    fill(log)
    assert.ok(log.segmentBaseOffsets.length > 2)
    const { log: again } = await openLog({ segmentBytes: 150 }, { disk: killed(disk), clock: new SimulatedClock() })
    append(again, ['v12', 'v13'])
    assert.deepEqual(
      readAll(again),
      values(0, 14).map((value, offset) => ({ offset, value })),
    )
  })

  it('is cut behind the last whole message when its end is torn', async () => {
    const { disk, log } = await openLog()
    fill(log)
    const after = killed(disk)
    const file = after.open(LOG)
    file.truncate(log.size - 5)
    file.close()
    const { log: again } = await openLog({}, { disk: after, clock: new SimulatedClock() })
    assert.deepEqual(valuesOf(again), values(0, 9))
    assert.equal(again.logEndOffset, 9)
  })

  it('finds offsets by time where its messages have one', async () => {
    const { log } = await openLog({ indexIntervalBytes: 0 })
    fill(log)
    for (const offset of [6, 8, 10, 11]) {
      const timestamp = START_MS + offset * 1000
      assert.deepEqual(log.offsetForTimestamp(timestamp - 500), { offset, timestamp, leaderEpoch: -1 })
    }
    assert.equal(log.offsetForTimestamp(START_MS + 12_000), undefined)
    assert.equal(log.offsetForMaxTimestamp()?.offset, 11)
  })

  it('loses whole segments below its start, as any other', async () => {
    const { log } = await openLog({ segmentBytes: 150, retentionMs: -1, fileDeleteDelayMs: 0 })
    fill(log)
    log.highWatermark = 12
    await log.advanceLogStartOffset(4)
    await log.deleteOldSegments()
    assert.ok(log.segmentBaseOffsets[0]! > 0)
    assert.deepEqual(valuesOf(log), values(4, 12))
  })
})

describe('a topic of an old message format', () => {
  const CODECS = ['none', 'gzip', 'snappy', 'lz4'] as const
  const readsOf = (log: Log): string[] => readAll(log).map(({ offset, value }) => `${offset} ${value}`)

  for (const messageFormat of [0, 1] as const) {
    it(`stores what comes in format ${messageFormat}, in its codec, at the offsets that follow`, async () => {
      const { log, disk, manager } = await openLog({ messageFormat, indexIntervalBytes: 0, segmentBytes: 1000 })
      const expected: string[] = []
      const send = (bytes: Uint8Array, values: readonly string[]): void => {
        const first = log.logEndOffset
        const info = log.appendAsLeader(bytes, { leaderEpoch: 3, origin: 'client' })
        assert.deepEqual([info.firstOffset, info.lastOffset], [first, first + values.length - 1])
        for (const [index, value] of values.entries()) expected.push(`${first + index} ${value}`)
      }
      for (const compression of CODECS) {
        const batch = batchOf(['a', 'b', 'c'], { compression })
        send(batch, ['a', 'b', 'c'])
        for (const magic of [0, 1] as const) send(set(magic, 0, compression), ['v0', 'v1', 'v2'])
        send(Buffer.concat([batchOf(['d', 'e'], { compression }), batchOf(['f'], { compression })]), ['d', 'e', 'f'])
      }
      assert.deepEqual(readsOf(log), expected)
      for (let from = 0; from < expected.length; from++) {
        assert.deepEqual(readAll(log, from, 1)[0], { offset: from, value: expected[from]!.split(' ')[1]! })
      }
      await manager.close()
      const again = await openLog({ messageFormat, segmentBytes: 1000 }, { disk, clock: new SimulatedClock() })
      assert.deepEqual(readsOf(again.log), expected)
      for (const base of again.log.segmentBaseOffsets) {
        const { chunks } = again.log.read(base, { maxBytes: 1 << 20, maxOffset: 1000, minOneMessage: true })
        for (const { magic } of chunks.flatMap(chunk => [...batches(chunk)])) assert.equal(magic, messageFormat)
      }
    })
  }

  it('has the time of the append in format 1, and of the producer without it', async () => {
    for (const compression of CODECS) {
      const clock = new SimulatedClock(START_MS * 2)
      const { log } = await openLog({ messageFormat: 1, messageTimestampType: 'LogAppendTime' }, { clock })
      append(log, ['a', 'b'], { compression })
      assert.equal(log.offsetForTimestamp(START_MS * 2)?.offset, 0)
      const { log: plain } = await openLog({ messageFormat: 1 })
      append(plain, ['a', 'b'], { compression })
      assert.equal(plain.offsetForTimestamp(1)?.timestamp, START_MS)
    }
  })

  it('refuses what the format has no place for', async () => {
    const { log } = await openLog({ messageFormat: 1 })
    const refused = (input: Parameters<typeof append>[2], code: string): void => {
      assert.throws(() => append(log, ['a'], input), { code })
    }
    refused({ producerId: 7, producerEpoch: 0, baseSequence: 0 }, 'UNSUPPORTED_FOR_MESSAGE_FORMAT')
    refused({ compression: 'zstd' }, 'UNSUPPORTED_COMPRESSION_TYPE')
    const marker = { producerId: 7, producerEpoch: 0, result: 'abort', coordinatorEpoch: 0, timestamp: 0 } as const
    const mark = (): unknown =>
      log.appendAsLeader(encodeEndTxnMarker(marker), { leaderEpoch: 0, origin: 'coordinator' })
    assert.throws(mark, { code: 'UNSUPPORTED_FOR_MESSAGE_FORMAT' })
    const { log: timed } = await openLog(
      { messageFormat: 0, messageTimestampBeforeMaxMs: 1000 },
      { clock: new SimulatedClock(START_MS * 2) },
    )
    assert.throws(() => append(timed, ['a']), { code: 'INVALID_TIMESTAMP' })
    assert.deepEqual([log.logEndOffset, timed.logEndOffset], [0, 0])
  })

  it('is compacted', async () => {
    for (const messageFormat of [0, 1] as const) {
      const fixture = await openCompacted({ messageFormat, messageTimestampType: 'CreateTime' })
      for (const compression of CODECS) {
        put(
          fixture.log,
          [
            ['a', compression],
            ['b', compression],
          ],
          { compression },
        )
      }
      await clean(fixture)
      assert.deepEqual(recordsOf(fixture.log), ['6:a=lz4', '7:b=lz4'])
      await fixture.manager.close()
    }
  })

  it('keeps tombstones, which have no horizon here, until a segment written delete.retention.ms later is clean', async () => {
    const clock = new SimulatedClock(START_MS)
    const disk = new MemoryDisk({ now: () => clock.now() })
    const formats = { messageFormat: 1, messageTimestampType: 'CreateTime', segmentBytes: 200 } as const
    const fixture = await openCompacted({ ...formats, deleteRetentionMs: 1000 }, { clock, disk })
    const { log } = fixture
    put(log, [['a', '1']])
    put(log, [
      ['a', null],
      ['c', '1'],
    ])
    await clean(fixture)
    assert.deepEqual(recordsOf(log), ['1:a=null', '2:c=1'])
    for (const [waitMs, tombstones] of [
      [500, 1],
      [1000, 1],
      [0, 0],
    ] as const) {
      clock.jumpWallClock(waitMs)
      put(log, [['b', 'x'.repeat(150)]])
      await clean(fixture)
      assert.equal(recordsOf(log).filter(line => line.endsWith('null')).length, tombstones, `after ${waitMs} ms`)
    }
    await fixture.manager.close()
  })
})
