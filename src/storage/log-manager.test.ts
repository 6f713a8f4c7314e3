import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MemoryDisk, SimulatedClock, seededRandom } from '../platform/index.ts'
import { append, openLog, PARTITION, readAll, TOPIC_ID, valuesOf } from './log.test.fixture.ts'
import { LogDirectoryLockedError } from './log-directory-loader.ts'

const OTHER_ID = 'O7ZO3EI9Si25QabCkc3o9w'

describe('several log directories', () => {
  it('get new logs where the fewest are', async () => {
    const { manager } = await openLog({}, { directories: ['/a', '/b', '/c'] })
    for (let partition = 0; partition < 8; partition++) manager.getOrCreateLog({ topic: 'u', partition })
    assert.deepEqual(
      manager.directories().map(({ logs }) => [...logs].length),
      [3, 3, 3],
    )
  })

  it('fail one by one, and the others go on', async () => {
    const { manager, disk } = await openLog({}, { directories: ['/a', '/b'] })
    const logs = [0, 1, 2, 3].map(partition => manager.getOrCreateLog({ topic: 'u', partition }))
    const failed: string[] = []
    manager.onDirectoryFailure((directory, partitions) => failed.push(`${directory}:${partitions.length}`))
    disk.failNext({ operation: 'write', path: path => path.startsWith('/a/'), times: 1000 })
    const outcomes = logs.map(log => {
      try {
        append(log, ['x'])
        return log.directory
      } catch {
        return 'failed'
      }
    })
    assert.deepEqual(outcomes.toSorted(), ['/b', '/b', 'failed', 'failed'])
    assert.deepEqual(failed, ['/a:3'])
    assert.equal(manager.getOrCreateLog({ topic: 'v', partition: 0 }).directory, '/b')
    await manager.close()
    assert.ok(disk.list('/b').includes('.kafka_cleanshutdown'))
    assert.ok(!disk.list('/a').includes('.kafka_cleanshutdown'))
  })

  it('are no start when each of them fails while its logs are loaded', async () => {
    const { log, disk, manager } = await openLog({}, { directories: ['/a', '/b'] })
    append(log, ['kept'])
    await manager.close()
    const cleanOf = (directory: string): string => `${directory}/.kafka_cleanshutdown`
    for (const directory of ['/a', '/b']) disk.remove(cleanOf(directory))
    const fails = (path: string): boolean => path.includes('-checkpoint')
    disk.failNext({ operation: 'write', path: fails, times: 1000 })
    await assert.rejects(openLog({}, { disk, directories: ['/a', '/b'] }), /log directory \/[ab] is offline/)
    disk.clearFaults()
    const again = await openLog({}, { disk, directories: ['/a', '/b'] })
    assert.deepEqual(readAll(again.log), [{ offset: 0, value: 'kept' }])
    await again.manager.close()
  })

  it('are refused to a second broker, and free again when the first has closed', async () => {
    const { manager, disk } = await openLog()
    await assert.rejects(openLog({}, { disk }), LogDirectoryLockedError)
    await manager.close()
    const second = await openLog({}, { disk })
    await second.manager.close()
  })

  it('may be missing at a start: what was made anew meanwhile gives way to the records that come back', async () => {
    const { manager, disk } = await openLog({}, { directories: ['/a', '/b'] })
    const there = [0, 1]
      .map(partition => manager.getOrCreateLog({ topic: 'u', partition }))
      .find(l => l.directory === '/b')!
    append(there, ['kept'])
    await manager.close()
    const without = await openLog({}, { disk, directories: ['/a'] })
    const anew = without.manager.getOrCreateLog(there.topicPartition)
    assert.equal(anew.logEndOffset, 0)
    await without.manager.close()
    const again = await openLog({}, { disk, directories: ['/a', '/b'] })
    assert.deepEqual(valuesOf(again.manager.getLog(there.topicPartition)!), ['kept'])
    assert.ok(disk.list('/a').some(name => name.endsWith('-stray')))
    await again.manager.close()

    const second = await openLog({}, { disk, directories: ['/a'] })
    append(second.manager.getOrCreateLog(there.topicPartition), ['other'])
    await second.manager.close()
    await assert.rejects(openLog({}, { disk, directories: ['/a', '/b'] }), /is in two log directories: .* move the one/)
  })

  it('may be missing while a topic is deleted and made anew: the log of the one before gives way, whatever is in it', async () => {
    const [before, after] = ['AAAAAAAAAAAAAAAAAAAAAQ', 'AAAAAAAAAAAAAAAAAAAAAg']
    for (const [old, anew] of [
      ['/a', '/b'],
      ['/b', '/a'],
    ] as const) {
      const { manager, disk } = await openLog({}, { directories: [old] })
      append(manager.getOrCreateLog({ topic: 'u', partition: 0 }, { topicId: before }), ['old'])
      await manager.close()
      const without = await openLog({}, { disk, directories: [anew] })
      append(without.manager.getOrCreateLog({ topic: 'u', partition: 0 }, { topicId: after }), ['new'])
      await without.manager.close()
      const again = await openLog({}, { disk, directories: ['/a', '/b'], topicIdOf: () => after })
      assert.deepEqual(valuesOf(again.manager.getLog({ topic: 'u', partition: 0 })!), ['new'])
      assert.ok(disk.list(old).some(name => name.endsWith('-stray')))
      await again.manager.close()
    }
  })

  it("may be missing at a start: a log that does not know its topic is no other topic's, and keeps its place", async () => {
    for (const metadata of ['empty', 'missing']) {
      const { manager, disk } = await openLog({}, { directories: ['/a'] })
      append(manager.getOrCreateLog({ topic: 'u', partition: 0 }, { topicId: OTHER_ID }), ['kept'])
      await manager.close()
      disk.remove('/a/u-0/partition.metadata')
      if (metadata === 'empty') disk.open('/a/u-0/partition.metadata', { create: true }).close()
      const without = await openLog({}, { disk, directories: ['/b'] })
      without.manager.getOrCreateLog({ topic: 'u', partition: 0 }, { topicId: OTHER_ID })
      await without.manager.close()
      const again = await openLog({}, { disk, directories: ['/a', '/b'], topicIdOf: () => OTHER_ID })
      assert.deepEqual(valuesOf(again.manager.getLog({ topic: 'u', partition: 0 })!), ['kept'], metadata)
      await again.manager.close()
    }
  })

  it('may be missing while a topic is deleted and made anew: a copy that was in the making there is set aside', async () => {
    const [before, after] = ['AAAAAAAAAAAAAAAAAAAAAQ', 'AAAAAAAAAAAAAAAAAAAAAg']
    const partition = { topic: 'u', partition: 0 }
    for (const isPartitionLeft of [true, false]) {
      const { manager, disk } = await openLog({}, { directories: ['/a', '/b'] })
      const old = manager.getOrCreateLog(partition, { topicId: before })
      append(manager.createFutureLog(partition, old.directory === '/a' ? '/b' : '/a'), ['old'])
      await manager.close()
      const without = await openLog({}, { disk, directories: [old.directory] })
      without.manager.deleteLog(partition)
      if (isPartitionLeft) append(without.manager.getOrCreateLog(partition, { topicId: after }), ['new'])
      await without.manager.close()
      const again = await openLog({}, { disk, directories: ['/a', '/b'], topicIdOf: () => after })
      assert.equal(again.manager.getFutureLog(partition), undefined)
      const log = again.manager.getLog(partition)
      assert.deepEqual(log && valuesOf(log), isPartitionLeft ? ['new'] : undefined)
      const names = ['/a', '/b'].flatMap(directory => disk.list(directory))
      assert.deepEqual(
        names.filter(name => /^u-0.*-(stray|future)$/.test(name)).map(name => name.split('-').at(-1)),
        ['stray'],
      )
      await again.manager.close()
    }
  })

  it('may hold the same partition of a topic that is no more: one log is set aside, and the broker starts', async () => {
    const { manager, disk } = await openLog({}, { directories: ['/a'] })
    append(manager.getOrCreateLog({ topic: 'u', partition: 0 }, { topicId: OTHER_ID }), ['first'])
    await manager.close()
    const without = await openLog({}, { disk, directories: ['/b'] })
    append(without.manager.getOrCreateLog({ topic: 'u', partition: 0 }, { topicId: OTHER_ID }), ['second'])
    await without.manager.close()
    const again = await openLog({}, { disk, directories: ['/a', '/b'], topicIdOf: () => undefined })
    const kept = again.manager.getLog({ topic: 'u', partition: 0 })!
    const other = kept.directory === '/a' ? '/b' : '/a'
    assert.ok(disk.list(other).some(name => name.endsWith('-stray')))
    await again.manager.close()
  })

  it('that cannot be used at all are left out while another can', async () => {
    const disk = new MemoryDisk()
    disk.failNext({ operation: 'makeDirectory', path: path => path === '/a', code: 'EACCES' })
    const { manager } = await openLog({}, { disk, directories: ['/a', '/b'] })
    assert.deepEqual(
      manager.directories().map(({ path, isOffline }) => [path, isOffline]),
      [
        ['/b', false],
        ['/a', true],
      ],
    )
    disk.failNext({ operation: 'makeDirectory', code: 'EACCES', times: 9 })
    await assert.rejects(openLog({}, { disk, directories: ['/x'] }), { code: 'EACCES' })
  })
})

describe('a topic made anew under an old name', () => {
  it('has nothing of the old one, also after a kill', async () => {
    const { manager, disk, clock, log } = await openLog()
    append(log, ['old'])
    append(log, ['old'])
    log.highWatermark = 2
    await log.advanceLogStartOffset(2)
    await log.flush()
    manager.deleteLog(PARTITION)
    const fresh = manager.getOrCreateLog(PARTITION, { topicId: OTHER_ID })
    append(fresh, ['new'])
    await fresh.flush()
    const again = await openLog(
      {},
      { disk: disk.crash({ random: seededRandom(4) }), clock: new SimulatedClock(clock.now()) },
    ).catch(error => assert.equal(error.code, 'INCONSISTENT_TOPIC_ID'))
    assert.equal(again, undefined)
  })

  it('is not mixed up with the old one: the id tells (KAFKA-12257, KAFKA-13972)', async () => {
    const { manager } = await openLog()
    assert.throws(() => manager.getOrCreateLog(PARTITION, { topicId: OTHER_ID }), { code: 'INCONSISTENT_TOPIC_ID' })
    assert.equal(manager.getOrCreateLog(PARTITION).topicId, TOPIC_ID)
  })
})

describe('flush.ms', () => {
  it('brings what is older to disk', async () => {
    const { log, clock } = await openLog({ flushMs: 500 }, { intervals: { flushCheckMs: 100 } })
    append(log, ['a'])
    await clock.advance(300)
    assert.equal(log.recoveryPoint, 0)
    await clock.advance(400)
    assert.equal(log.recoveryPoint, 1)
  })

  it('goes by the time that has passed, also when the wall clock went back', async () => {
    const { log, clock } = await openLog({ flushMs: 500 }, { intervals: { flushCheckMs: 100 } })
    append(log, ['a'])
    clock.jumpWallClock(-3_600_000)
    await clock.advance(700)
    assert.equal(log.recoveryPoint, 1)
  })
})

describe('checkpoints', () => {
  it('of high watermarks are written now and then, and never with logs left out (KAFKA-1647)', async () => {
    const { manager, disk, clock, log } = await openLog()
    append(log, ['a'])
    log.highWatermark = 1
    for (let partition = 1; partition < 4; partition++) manager.getOrCreateLog({ topic: 't', partition })
    await clock.advance(5001)
    const again = await openLog({}, { disk: disk.crash({ random: seededRandom(1), keep: 1 }) })
    assert.equal(again.log.highWatermark, 1)
    assert.equal([...again.manager.allLogs()].length, 4)
  })
})
