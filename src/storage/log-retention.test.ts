/** When segments are begun and when they go: `segment.ms`, `retention.ms`, `retention.bytes`. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MemoryDisk, SimulatedClock, seededRandom } from '../platform/index.ts'
import { encodeBatch } from '../protocol/index.ts'
import { append, openLog, valuesOf } from './log.test.fixture.ts'
import type { Log } from './log.ts'

const DAY_MS = 24 * 3600 * 1000
const NOW_MS = 1_700_000_000_000

/** Appends one batch with a record of each of these times. */
function putAt(log: Log, timestamps: readonly number[]): void {
  const records = timestamps.map(timestamp => ({ value: Buffer.from('value'), timestamp }))
  log.appendAsLeader(encodeBatch({ records }), { leaderEpoch: 0, origin: 'client' })
}

describe('retention', () => {
  it('drops segments that are too old, never the records above the high watermark (KAFKA-5634)', async () => {
    const { log, clock, disk } = await openLog({ segmentBytes: 300, retentionMs: DAY_MS })
    for (let count = 0; count < 10; count++) append(log, ['x'.repeat(80)])
    log.highWatermark = 4
    clock.jumpWallClock(1_700_000_000_000 + 2 * DAY_MS - clock.now())
    await log.deleteOldSegments()
    assert.equal(log.logStartOffset, 4)
    log.highWatermark = 10
    assert.ok((await log.deleteOldSegments()) > 0)
    assert.deepEqual([log.logStartOffset, log.logEndOffset], [10, 10])
    assert.equal(log.size, 0)
    assert.ok(disk.list('/logs/t-0').some(name => name.endsWith('.log.deleted')))
    await clock.advance(60_001)
    assert.ok(!disk.list('/logs/t-0').some(name => name.endsWith('.deleted')))
    append(log, ['next'])
    assert.deepEqual(valuesOf(log), ['next'])
  })

  it('goes by the newest record of a segment, to the millisecond, and by retention.ms=0 too', async () => {
    for (const retentionMs of [1000, 0]) {
      const { log, clock } = await openLog({ retentionMs })
      putAt(log, [NOW_MS, NOW_MS - DAY_MS])
      putAt(log, [NOW_MS - DAY_MS])
      log.highWatermark = log.logEndOffset
      clock.jumpWallClock(NOW_MS + retentionMs - clock.now())
      assert.equal(await log.deleteOldSegments(), 0)
      clock.jumpWallClock(1)
      assert.equal(await log.deleteOldSegments(), 1)
      assert.deepEqual([log.logStartOffset, log.size], [3, 0])
    }
  })

  it('keeps the segment that is written to while a record of it is above the high watermark (KAFKA-5634)', async () => {
    for (const limit of [{ retentionMs: 1 }, { retentionMs: -1, retentionBytes: 0 }]) {
      const { log } = await openLog(limit, { clock: new SimulatedClock(NOW_MS) })
      putAt(log, [0])
      putAt(log, [0])
      log.highWatermark = 1
      assert.equal(await log.deleteOldSegments(), 0)
      assert.deepEqual([log.logStartOffset, log.segmentBaseOffsets], [0, [0]])
      log.highWatermark = 2
      assert.equal(await log.deleteOldSegments(), 1)
      assert.equal(log.logStartOffset, 2)
    }
  })

  it('goes by the time of the last write where records have none, also after a start', async () => {
    const clock = new SimulatedClock(NOW_MS)
    const disk = new MemoryDisk({ now: () => clock.now() })
    const config = { segmentBytes: 100, retentionMs: 1000 }
    const before = await openLog(config, { clock, disk })
    putAt(before.log, [-1])
    clock.jumpWallClock(600)
    putAt(before.log, [-1])
    before.log.highWatermark = 2
    await before.manager.close()
    clock.jumpWallClock(400)
    const { log } = await openLog(config, { clock, disk })
    assert.equal(await log.deleteOldSegments(), 0)
    clock.jumpWallClock(1)
    assert.equal(await log.deleteOldSegments(), 1)
    assert.equal(log.logStartOffset, 1)
    clock.jumpWallClock(600)
    assert.equal(await log.deleteOldSegments(), 1)
    assert.equal(log.logStartOffset, 2)
  })

  it('passes over no segment that must stay, as one with a record of the future, to what is behind it', async () => {
    const { log } = await openLog({ segmentBytes: 100, retentionMs: 1000 }, { clock: new SimulatedClock(NOW_MS) })
    for (const timestamp of [0, NOW_MS + 365 * DAY_MS, 0, 0]) putAt(log, [timestamp])
    log.highWatermark = 4
    assert.equal(await log.deleteOldSegments(), 1)
    assert.deepEqual([log.logStartOffset, log.segmentBaseOffsets], [1, [1, 2, 3]])
  })

  it('keeps at least retention.bytes', async () => {
    const { log } = await openLog({ segmentBytes: 300, retentionBytes: 500, retentionMs: -1 })
    for (let count = 0; count < 20; count++) append(log, ['x'.repeat(80)])
    log.highWatermark = 20
    await log.deleteOldSegments()
    assert.ok(log.size >= 500 && log.size < 740, `${log.size} bytes left`)
  })

  it('leaves a compacted topic alone but for what is below its start', async () => {
    const { log, clock } = await openLog({
      segmentBytes: 300,
      retentionBytes: 0,
      retentionMs: 1,
      cleanupPolicy: ['compact'],
    })
    for (let count = 0; count < 6; count++) append(log, ['x'.repeat(80)])
    log.highWatermark = 6
    clock.jumpWallClock(DAY_MS)
    assert.equal(await log.deleteOldSegments(), 0)
    await log.advanceLogStartOffset(3)
    assert.equal(await log.deleteOldSegments(), 3)
    assert.equal(log.segmentBaseOffsets[0], 3)
  })

  it('runs by itself', async () => {
    const { log, clock } = await openLog(
      { segmentBytes: 300, retentionBytes: 0, retentionMs: -1 },
      { intervals: { retentionCheckMs: 1000 } },
    )
    for (let count = 0; count < 6; count++) append(log, ['x'.repeat(80)])
    log.highWatermark = 6
    await clock.advance(1001)
    assert.equal(log.logStartOffset, 6)
  })
})

describe('segments by time', () => {
  it('are rolled when their records span segment.ms', async () => {
    const { log } = await openLog({ segmentMs: 1000 })
    append(log, ['a'])
    append(log, ['b'])
    assert.equal(log.segmentBaseOffsets.length, 1)
    const late = encodeBatch({ records: [{ value: Buffer.from('c'), timestamp: 1_700_000_001_001 }] })
    log.appendAsLeader(late, { leaderEpoch: 0, origin: 'client' })
    assert.deepEqual(log.segmentBaseOffsets, [0, 2])
  })

  it('are as old as the newest record of their first batch, and by the clock where that has no time', async () => {
    const { log } = await openLog({ segmentMs: 1000 })
    putAt(log, [0, 500, 100])
    for (const timestamp of [0, 9, 1500]) putAt(log, [timestamp])
    assert.deepEqual(log.segmentBaseOffsets, [0])
    putAt(log, [1501])
    assert.deepEqual(log.segmentBaseOffsets, [0, 6])
    const first = await openLog({ segmentMs: 1000 })
    putAt(first.log, [0])
    putAt(first.log, [1000])
    putAt(first.log, [1001])
    assert.deepEqual(first.log.segmentBaseOffsets, [0, 2])
    const timeless = await openLog({ segmentMs: 1000 })
    putAt(timeless.log, [-1])
    putAt(timeless.log, [NOW_MS])
    timeless.clock.jumpWallClock(1000)
    putAt(timeless.log, [NOW_MS])
    timeless.clock.jumpWallClock(1)
    putAt(timeless.log, [-1])
    assert.deepEqual(timeless.log.segmentBaseOffsets, [0, 3])
  })

  it('are rolled earlier by less than segment.jitter.ms, and by less than segment.ms', async () => {
    const ages = new Set<number>()
    for (let seed = 0; seed < 40; seed++) {
      const jitter = { segmentMs: 10, segmentJitterMs: seed % 2 === 0 ? 5 : 1000 }
      const { log } = await openLog(jitter, { random: seededRandom(seed) })
      let age = 0
      for (; log.segmentBaseOffsets.length === 1; age++) putAt(log, [age])
      assert.ok(age >= (seed % 2 === 0 ? 8 : 3) && age <= 12, `rolled at ${age - 1}`)
      ages.add(age)
    }
    assert.ok(ages.size > 5, `${[...ages]}`)
  })
})
