import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MemoryDisk } from '../platform/index.ts'
import { encodeBatch } from '../protocol/index.ts'
import { BACKOFF_MS, clean, DAY_MS, NOW_MS, openCompacted, put, recordsOf } from './compaction.test.fixture.ts'

describe('settings of the cleaner and of what it cleans', () => {
  it('goes on where a small table of keys was full, until all is clean', async () => {
    const fixture = await openCompacted({}, { cleaner: { dedupeBufferBytes: 24 * 12 } })
    const { log } = fixture
    for (let round = 0; round < 3; round++) {
      put(
        log,
        Array.from({ length: 30 }, (_, key) => [`k${key}`, `${round}`] as const),
      )
    }
    log.roll()
    for (let look = 0; look < 40 && log.cleanedUpTo !== 90; look++) await fixture.clock.advance(BACKOFF_MS)
    assert.deepEqual([log.cleanedUpTo], [90])
    put(
      log,
      Array.from({ length: 30 }, (_, key) => [`k${key}`, 'last'] as const),
    )
    log.roll()
    for (let look = 0; look < 40 && log.cleanedUpTo !== 120; look++) await fixture.clock.advance(BACKOFF_MS)
    assert.deepEqual(
      recordsOf(log),
      Array.from({ length: 30 }, (_, key) => `${90 + key}:k${key}=last`),
    )
    await fixture.manager.close()
  })

  it('keeps a tombstone that is due where the table of keys ended before it, or what it deleted would come back', async () => {
    const fixture = await openCompacted({ deleteRetentionMs: 0 }, { cleaner: { dedupeBufferBytes: 24 * 12 } })
    const { log, clock } = fixture
    put(log, [['gone', '1']])
    put(
      log,
      Array.from({ length: 40 }, (_, key) => [`k${key}`, '1'] as const),
    )
    put(log, [['gone', null]])
    log.roll()
    for (let look = 0; look < 40 && log.cleanedUpTo !== 42; look++) await clock.advance(BACKOFF_MS)
    assert.equal(log.cleanedUpTo, 42)
    put(log, [['new', '1']])
    await clean(fixture)
    assert.ok(!recordsOf(log).some(line => line.includes('gone')))
    await fixture.manager.close()
  })

  it('begins anew where its checkpoint is above the end of the log, which lost records or is another', async () => {
    const fixture = await openCompacted()
    const { log } = fixture
    log.cleanedUpTo = 1000
    put(log, [['a', '1']])
    put(log, [['a', '2']])
    await clean(fixture)
    assert.deepEqual([recordsOf(log), log.cleanedUpTo], [['1:a=2'], 2])
    await fixture.manager.close()
  })

  it('waits for min.cleanable.dirty.ratio, and for no longer than max.compaction.lag.ms', async () => {
    const fixture = await openCompacted({ minCleanableDirtyRatio: 0.5, maxCompactionLagMs: DAY_MS })
    const { log, clock } = fixture
    put(log, [['a', 'x'.repeat(1000)]])
    await clean(fixture)
    assert.equal(log.cleanedUpTo, 1)
    put(log, [
      ['b', '1'],
      ['b', '2'],
    ])
    await clean(fixture)
    assert.equal(log.cleanedUpTo, 1)
    assert.ok(fixture.manager.cleanerFigures!.maxDirtyPercent < 50)
    clock.jumpWallClock(DAY_MS)
    await clock.advance(BACKOFF_MS)
    assert.equal(log.cleanedUpTo, 3)
    await fixture.manager.close()
  })

  it('leaves records alone for min.compaction.lag.ms', async () => {
    const fixture = await openCompacted({ minCompactionLagMs: 5000 })
    const { log, clock } = fixture
    put(log, [
      ['a', '1'],
      ['a', '2'],
    ])
    await clean(fixture)
    assert.equal(recordsOf(log).length, 2)
    await clock.advance(5000)
    assert.deepEqual(recordsOf(log), ['1:a=2'])
    await fixture.manager.close()
  })

  it('hurries for no max.compaction.lag.ms where records have no time, or one of the future', async () => {
    for (const timestamp of [-1, 0, NOW_MS + 365 * DAY_MS]) {
      const fixture = await openCompacted({ minCleanableDirtyRatio: 1, maxCompactionLagMs: 1000 })
      const { log, clock } = fixture
      for (const value of ['1', '2']) {
        const records = [{ key: Buffer.from('a'), value: Buffer.from(value), timestamp }]
        log.appendAsLeader(encodeBatch({ records }), { leaderEpoch: 0, origin: 'client' })
      }
      log.highWatermark = 2
      await clean(fixture)
      clock.jumpWallClock(DAY_MS)
      await clock.advance(BACKOFF_MS)
      assert.deepEqual(recordsOf(log), ['0:a=1', '1:a=2'], `${timestamp}`)
      await fixture.manager.close()
    }
  })

  it('say by how much the log that waits longest is over its max.compaction.lag.ms', async () => {
    const fixture = await openCompacted({ maxCompactionLagMs: DAY_MS }, { cleaner: { maxBytesPerSecond: 20 } })
    const { log, clock, manager } = fixture
    put(log, [['a', '1']])
    log.roll()
    clock.jumpWallClock(DAY_MS + 7_000)
    assert.equal(manager.cleanerFigures!.maxCompactionDelaySecs, 0)
    await clock.advance(BACKOFF_MS)
    assert.equal(manager.cleanerFigures!.maxCompactionDelaySecs, 7)
    await clock.advance(60_000)
    assert.equal(log.cleanedUpTo, 1)
    assert.equal(manager.cleanerFigures!.maxCompactionDelaySecs, 0)
    await manager.close()
  })

  it('let a round take its time over log.cleaner.io.max.bytes.per.second, for what is read twice and for what is written', async () => {
    const fixture = await openCompacted({}, { cleaner: { maxBytesPerSecond: 10_000, ioBufferBytes: 0 } })
    const { log, clock } = fixture
    for (let index = 0; index < 200; index++) put(log, [[`k${index}`, 'x'.repeat(200)]])
    log.roll()
    const seconds = (3 * log.size) / 10_000
    await clock.advance(BACKOFF_MS)
    for (let second = 0; second < seconds - 2; second++) await clock.advance(1_000)
    assert.equal(log.cleanedUpTo, undefined)
    for (let second = 0; second < 4; second++) await clock.advance(1_000)
    assert.equal(log.cleanedUpTo, 200)
    await fixture.manager.close()
  })

  it('have a round read as much at once as log.cleaner.io.buffer.size says', async () => {
    const largestRead = async (ioBufferBytes: number): Promise<number> => {
      const disk = new MemoryDisk()
      const fixture = await openCompacted({}, { disk, cleaner: { ioBufferBytes } })
      for (let index = 0; index < 400; index++) put(fixture.log, [[`k${index % 9}`, 'x'.repeat(500)]])
      fixture.log.roll()
      let largest = 0
      const open = disk.open.bind(disk)
      disk.open = (path, options) => {
        const file = open(path, options)
        const read = file.read.bind(file)
        file.read = (target, start, length, position) => {
          largest = Math.max(largest, length)
          return read(target, start, length, position)
        }
        return file
      }
      await fixture.clock.advance(BACKOFF_MS)
      assert.equal(recordsOf(fixture.log).length, 9)
      await fixture.manager.close()
      return largest
    }
    assert.equal(await largestRead(20_000), 10_000)
    assert.equal(await largestRead(100_000), 50_000)
  })
})
