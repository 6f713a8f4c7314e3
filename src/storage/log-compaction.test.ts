import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { BACKOFF_MS, openCompacted, PATH, put, recordsOf } from './compaction.test.fixture.ts'
import { type Fixture, PARTITION } from './log.test.fixture.ts'

/** Lets a round come to a moment of its own and then does something to the log. */
describe('a round of compaction', () => {
  async function interrupted(interrupt: (fixture: Fixture) => void | Promise<void>, at: RegExp): Promise<Fixture> {
    const fixture = await openCompacted({ segmentBytes: 300 })
    const { log, disk, clock } = fixture
    for (let round = 0; round < 10; round++) put(log, [[`k${round % 2}`, `${round}`.padEnd(100, 'x')]])
    log.roll()
    await log.flush()
    const trace = disk.startTrace()
    let done: Promise<void> | undefined
    const push = trace.push.bind(trace)
    trace.push = (...lines: string[]) => {
      if (done === undefined && lines.some(line => at.test(line)))
        done = Promise.resolve().then(() => interrupt(fixture))
      return push(...lines)
    }
    await clock.advance(BACKOFF_MS)
    assert.ok(done, `${at} happened`)
    await done
    await clock.advance(0)
    return fixture
  }

  const MOMENTS = [
    /create .*\.log\.cleaned/,
    /sync .*\.log\.cleaned/,
    /rename .*\.log\.cleaned/,
    /rename .*log .*\.deleted/,
    /rename .*\.log\.swap /,
  ]

  it('comes to nothing when the log is deleted', async () => {
    for (const moment of MOMENTS) {
      const fixture = await interrupted(({ manager }) => manager.deleteLog(PARTITION), moment)
      assert.equal(fixture.manager.getLog(PARTITION), undefined)
      const log = fixture.manager.getOrCreateLog(PARTITION)
      put(log, [['a', '1']])
      await fixture.clock.advance(BACKOFF_MS)
      assert.deepEqual(recordsOf(log), ['0:a=1'])
      assert.equal(log.isOffline, false)
      assert.deepEqual(
        fixture.disk.list(PATH).filter(name => /cleaned|swap/.test(name)),
        [],
      )
      await fixture.manager.close()
    }
  })

  it('brings nothing back that a cut took away', async () => {
    for (const moment of MOMENTS) {
      const fixture = await interrupted(({ log }) => log.truncateTo(3), moment)
      const { log } = fixture
      assert.equal(log.logEndOffset, 3)
      assert.ok((log.cleanedUpTo ?? 0) <= 3)
      for (const line of recordsOf(log)) assert.ok(Number(line.split(':')[0]) < 3, line)
      put(log, [['k0', 'new']])
      assert.equal(log.logEndOffset, 4)
      await fixture.manager.close()
      const again = await openCompacted({ segmentBytes: 300 }, { disk: fixture.disk })
      assert.equal(again.log.logEndOffset, 4)
      assert.equal(recordsOf(again.log).at(-1), '3:k0=new')
      await again.manager.close()
    }
  })

  it('ends when the topic is not to be compacted any more (KAFKA-12840, KAFKA-7322)', async () => {
    const fixture = await interrupted(
      ({ manager, log }) => manager.topicConfigsChanged(new Map([['t', { ...log.config, cleanupPolicy: ['delete'] }]])),
      /create .*\.log\.cleaned/,
    )
    assert.equal(recordsOf(fixture.log).length, 10)
    assert.equal(fixture.log.cleanedUpTo, undefined)
    assert.deepEqual(
      fixture.disk.list(PATH).filter(name => /cleaned|swap/.test(name)),
      [],
    )
    await fixture.manager.close()
  })

  it('survives retention that takes its segments away', async () => {
    const fixture = await interrupted(async ({ log }) => {
      await log.advanceLogStartOffset(5)
      await log.deleteOldSegments()
    }, /create .*\.log\.cleaned/)
    await fixture.clock.advance(3 * BACKOFF_MS)
    assert.equal(fixture.log.logStartOffset, 5)
    assert.deepEqual(
      recordsOf(fixture.log).map(line => line.split(':')[0]),
      ['8', '9'],
    )
    await fixture.manager.close()
  })

  it('lets a clean stop wait for nothing but the swap under way', async () => {
    for (const moment of MOMENTS) {
      const fixture = await interrupted(({ manager }) => manager.close(), moment)
      assert.deepEqual(
        fixture.disk.list(PATH).filter(name => /cleaned|swap/.test(name)),
        [],
      )
      const again = await openCompacted({ segmentBytes: 300 }, { disk: fixture.disk })
      await again.clock.advance(BACKOFF_MS)
      assert.deepEqual(
        recordsOf(again.log).map(line => line.split(':')[0]),
        ['8', '9'],
      )
      await again.manager.close()
    }
  })
})
