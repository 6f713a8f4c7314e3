import assert from 'node:assert/strict'
import { it } from 'node:test'
import { MemoryDisk, readWholeFile, seededRandom } from '../platform/index.ts'
import { append, batchOf, openLog, valuesOf } from './log.test.fixture.ts'

const LOG = '/logs/t-0/00000000000000000000.log'
const RECOVERY_POINTS = '/logs/recovery-point-offset-checkpoint'
const SMALL = { segmentBytes: 300 }

/** A disk whose syncs take long once `goOn` of them have come, and which says when the next one begins. */
function slowDisk(): { readonly disk: MemoryDisk; readonly syncsAreDone: (goOn: number) => void } {
  let left = Number.POSITIVE_INFINITY
  const disk = new MemoryDisk({ syncDelay: () => (left-- > 0 ? Promise.resolve() : new Promise(() => {})) })
  return {
    disk,
    syncsAreDone: goOn => {
      left = goOn
    },
  }
}

function put(disk: MemoryDisk, path: string, bytes: Uint8Array, position = 0): void {
  const file = disk.open(path, { create: true })
  file.write([bytes], position)
  file.close()
}

function segmentsOn(disk: MemoryDisk): string[] {
  return disk.list('/logs/t-0').filter(name => name.endsWith('.log'))
}

/** All that was written is on the disk. */
function settled(disk: MemoryDisk): MemoryDisk {
  return disk.crash({ random: seededRandom(1), keep: 1 })
}

/** Begins to open the logs and kills that as soon as `isDone` says. */
async function killedWhen(disk: MemoryDisk, isDone: () => boolean): Promise<MemoryDisk> {
  openLog(SMALL, { disk }).catch(() => undefined)
  for (let steps = 0; steps < 1_000 && !isDone(); steps++) await Promise.resolve()
  assert.ok(isDone())
  return disk.kill()
}

it('segments that a recovery dropped which was killed before its sync do not come back, also where it left the log empty', async () => {
  const { disk, syncsAreDone } = slowDisk()
  const { log } = await openLog(SMALL, { disk })
  for (let count = 0; count < 6; count++) append(log, [`value-${count}`.repeat(10)])
  assert.ok(log.segmentBaseOffsets.length > 2)
  // The power takes what the first segment held, and leaves the others.
  const lost = disk.kill()
  const first = lost.open(LOG)
  first.truncate(0)
  first.close()
  const left = settled(lost)
  syncsAreDone(0)
  const killed = await killedWhen(left, () => segmentsOn(left).length === 1)
  syncsAreDone(Number.POSITIVE_INFINITY)
  const { log: recovered, disk: served } = await openLog(SMALL, { disk: killed })
  assert.equal(recovered.logEndOffset, 0)
  assert.equal(segmentsOn(served.crash({ random: seededRandom(1), keep: 0 })).length, 1)
})

it('records that were cut off before a kill do not come back behind a clean stop of the log that was left empty', async () => {
  const { disk, log } = await openLog(SMALL)
  append(log, ['a'])
  await log.flush()
  await log.truncateTo(0)
  const { manager, disk: stopped } = await openLog(SMALL, { disk: disk.kill() })
  await manager.close()
  const { log: again } = await openLog(SMALL, { disk: stopped.crash({ random: seededRandom(1), keep: 0 }) })
  assert.equal(again.logEndOffset, 0)
})

it('segments that were removed before a kill do not come back behind a clean stop of the log that was left empty', async () => {
  const { disk, log } = await openLog(SMALL)
  for (let count = 0; count < 6; count++) append(log, [`value-${count}`.repeat(10)])
  await log.flush()
  await log.truncateFullyAndStartAt(4)
  const { manager, disk: stopped } = await openLog(SMALL, { disk: disk.kill() })
  await manager.close()
  const { log: again } = await openLog(SMALL, { disk: stopped.crash({ random: seededRandom(1), keep: 0 }) })
  assert.deepEqual([again.logStartOffset, again.logEndOffset], [4, 4])
})

it('what a recovery after a clean stop cut off does not come back, where the log did not bear that out and it was killed', async () => {
  const { disk, syncsAreDone } = slowDisk()
  const { log, manager } = await openLog(SMALL, { disk })
  append(log, ['a'])
  const whole = log.size
  await manager.close()
  put(disk, LOG, batchOf(['torn']).subarray(0, 70), whole)
  const left = settled(disk)
  // The mark of the clean stop is taken away for good.
  syncsAreDone(1)
  const killed = await killedWhen(left, () => left.stat(LOG)?.size === whole)
  assert.ok(killed.durableSize(LOG)! > whole)
  syncsAreDone(Number.POSITIVE_INFINITY)
  await openLog(SMALL, { disk: killed })
  assert.equal(killed.durableSize(LOG), whole)
})

it('a log that ends below its recovery point although the stop was clean is not synced to there any more', async () => {
  const { disk, log, manager } = await openLog()
  for (const value of ['a', 'b', 'c']) append(log, [value])
  await manager.close()
  const cut = disk.open(LOG)
  cut.truncate(log.size - 1)
  cut.close()
  const again = await openLog({}, { disk })
  assert.deepEqual(valuesOf(again.log), ['a', 'b'])
  const checkpoint = readWholeFile(disk, RECOVERY_POINTS)
  assert.equal(Buffer.from(checkpoint).toString(), '0\n1\nt 0 2\n')
})
