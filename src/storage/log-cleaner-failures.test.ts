import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ServiceThread } from '../platform/index.ts'
import { BACKOFF_MS, clean, openCompacted, PATH, put, recordsOf } from './compaction.test.fixture.ts'

describe('LogCleaner, when something is wrong,', () => {
  it('does not clean a log whose batch is damaged, says so, and cleans the others', async () => {
    const fixture = await openCompacted()
    const { log, manager, disk } = fixture
    const other = manager.getOrCreateLog({ topic: 'u', partition: 0 })
    put(log, [
      ['a', '1'],
      ['a', '2'],
    ])
    put(other, [
      ['a', '1'],
      ['a', '2'],
    ])
    other.roll()
    const file = disk.open(`${PATH}/00000000000000000000.log`)
    file.write([Buffer.from([1])], 70)
    file.close()
    await clean(fixture)
    assert.equal(manager.cleanerFigures!.uncleanablePartitions, 1)
    assert.ok(manager.cleanerFigures!.uncleanableBytes > 0)
    assert.equal(log.isOffline, false)
    assert.equal(log.cleanedUpTo, undefined)
    assert.deepEqual(recordsOf(other), ['1:a=2'])
    await manager.close()
  })

  it('stays as it is while the disk is full, and is cleaned when there is space again', async () => {
    const fixture = await openCompacted()
    const { log, disk, clock } = fixture
    put(log, [
      ['a', '1'],
      ['b', '1'],
    ])
    put(log, [['a', '2']])
    log.roll()
    await log.flush()
    disk.setCapacity(disk.usedBytes)
    await clock.advance(BACKOFF_MS)
    assert.equal(log.isOffline, false)
    assert.equal(recordsOf(log).length, 3)
    assert.deepEqual(
      disk.list(PATH).filter(name => name.endsWith('.cleaned')),
      [],
    )
    disk.setCapacity(Number.POSITIVE_INFINITY)
    await clock.advance(BACKOFF_MS)
    assert.deepEqual(recordsOf(log), ['1:b=1', '2:a=2'])
    await fixture.manager.close()
  })

  it('counts a cleaner whose thread has died until the thread is started again', async () => {
    const threads: ((error: Error) => void)[] = []
    const start = (): ServiceThread => ({
      post() {},
      onMessage() {},
      onFailure: die => void threads.push(die),
      end: async () => {},
    })
    const fixture = await openCompacted({}, { cleanerThreads: { start } })
    const { log, manager, clock } = fixture
    const dirty = (other: typeof log): void => {
      put(other, [['a', '1']])
      put(other, [['a', '2']])
      other.roll()
    }
    dirty(log)
    await clock.advance(BACKOFF_MS)
    assert.equal(manager.cleanerFigures!.deadThreads, 0)
    threads[0]!(new Error('out of memory'))
    await clock.settle()
    assert.equal(manager.cleanerFigures!.deadThreads, 1)
    dirty(manager.getOrCreateLog({ topic: 'u', partition: 0 }))
    await clock.advance(BACKOFF_MS)
    assert.equal(threads.length, 2)
    assert.equal(manager.cleanerFigures!.deadThreads, 0)
    threads[1]!(new Error('out of memory'))
    await clock.settle()
    await manager.close()
  })

  it('takes the directory offline when the disk fails', async () => {
    const fixture = await openCompacted()
    const { log, disk, clock } = fixture
    put(log, [
      ['a', '1'],
      ['a', '2'],
    ])
    log.roll()
    await log.flush()
    disk.failNext({ operation: 'write', path: path => path.endsWith('.cleaned') })
    await clock.advance(BACKOFF_MS)
    assert.equal(log.isOffline, true)
    await fixture.manager.close()
  })
})
