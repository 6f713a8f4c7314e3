import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MemoryDisk, seededRandom } from '../platform/index.ts'
import { append, batchOf, openLog, PARTITION, readAll, valuesOf } from './log.test.fixture.ts'
import type { Log } from './log.ts'

const BOTH = { directories: ['/a', '/b'] }

/** Gives the copy all that the log has. */
function copy(log: Log, future: Log): void {
  const slice = log.read(future.logEndOffset, { maxBytes: 1 << 20, maxOffset: log.logEndOffset, minOneMessage: true })
  for (const chunk of slice.chunks) future.appendAsFollower(chunk)
}

/** A log that ends at 2 on disk, and a copy in another directory with two more records, which are synced there. */
async function copyAhead() {
  const { disk, log, manager } = await openLog({}, { disk: new MemoryDisk(), ...BOTH })
  append(log, ['a'])
  append(log, ['b'])
  await log.flush()
  const future = manager.createFutureLog(PARTITION, log.directory === '/a' ? '/b' : '/a')
  await manager.settleFutureLog(PARTITION)
  append(log, ['c'])
  append(log, ['d'])
  copy(log, future)
  await future.flush()
  await manager.checkpointHighWatermarks()
  // The recovery point of the copy goes to disk with the next checkpoint of its directory.
  manager.getOrCreateLog({ topic: 'other', partition: 0 })
  manager.getOrCreateLog({ topic: 'other', partition: 1 })
  for (const partition of [0, 1]) manager.deleteLog({ topic: 'other', partition })
  for (let turns = 0; turns < 100; turns++) await Promise.resolve()
  return { disk, home: log.directory, away: future.directory }
}

describe('a copy of a log in another directory', () => {
  it('is cut to where its log ends, which has lost records in a power cut that the copy had synced', async () => {
    const { disk } = await copyAhead()
    const left = disk.crash({ random: seededRandom(1), keep: 0 })
    const { log, manager } = await openLog({}, { disk: left, ...BOTH })
    assert.deepEqual(valuesOf(log), ['a', 'b'])
    assert.ok(manager.getFutureLog(PARTITION)!.logEndOffset <= 2)
  })

  it('is cut to where its log went on otherwise while the directory of the copy was missing', async () => {
    const { disk, home } = await copyAhead()
    const left = disk.crash({ random: seededRandom(1), keep: 0 })
    const without = await openLog({}, { disk: left, directories: [home] })
    for (const value of ['x', 'y', 'z']) {
      without.log.appendAsLeader(batchOf([value]), { leaderEpoch: 1, origin: 'client' })
    }
    await without.manager.close()
    const { log, manager } = await openLog({}, { disk: left, ...BOTH })
    const future = manager.getFutureLog(PARTITION)!
    copy(log, future)
    assert.deepEqual(readAll(future), readAll(log))
    await manager.close()
  })
})
