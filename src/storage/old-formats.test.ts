/** Logs that hold messages of formats 0 and 1, written by brokers of before batches, or by a leader of that time. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type MemoryDisk, SimulatedClock, seededRandom } from '../platform/index.ts'
import { type CompressionType, encodeMessageSet } from '../protocol/index.ts'
import { append, openLog, readAll, valuesOf } from './log.test.fixture.ts'
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
