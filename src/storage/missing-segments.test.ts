import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Logger, type MemoryDisk, silentLogger } from '../platform/index.ts'
import { append, openLog, readAll } from './log.test.fixture.ts'

const SMALL = { segmentBytes: 300 }
const MIDDLE = '/logs/t-0/00000000000000000003'

type Damage = (disk: MemoryDisk) => void

const DAMAGES: readonly (readonly [string, Damage, readonly number[]])[] = [
  ['removed', disk => removeSegment(disk), [3, 4, 5]],
  ['removed but for its indexes', disk => disk.remove(`${MIDDLE}.log`), [3, 4, 5]],
  ['emptied', disk => cutOff(disk, 0), [3, 4, 5]],
  ['cut off between two batches', disk => cutOff(disk, disk.stat(`${MIDDLE}.log`)!.size / 3), [4, 5]],
]

function removeSegment(disk: MemoryDisk): void {
  for (const kind of ['log', 'index', 'timeindex', 'snapshot']) {
    if (disk.stat(`${MIDDLE}.${kind}`) !== undefined) disk.remove(`${MIDDLE}.${kind}`)
  }
}

function cutOff(disk: MemoryDisk, size: number): void {
  const file = disk.open(`${MIDDLE}.log`)
  file.truncate(size)
  file.close()
}

/** Offsets 0 to 11 in segments of three, of a producer that counts; killed, with a recovery point on disk. */
async function killed(recoveryPoint: number): Promise<MemoryDisk> {
  const { disk, log } = await openLog(SMALL)
  for (let count = 0; count < 12; count++) {
    append(log, [`value-${count}`], { producerId: 7, producerEpoch: 0, baseSequence: count })
  }
  assert.deepEqual(log.segmentBaseOffsets, [0, 3, 6, 9])
  await log.flush()
  const left = disk.kill()
  const file = left.open('/logs/recovery-point-offset-checkpoint', { create: true })
  file.truncate(0)
  file.write([Buffer.from(`0\n1\nt 0 ${recoveryPoint}\n`)], 0)
  file.close()
  return left
}

async function isKept(damage: Damage, lost: readonly number[], recoveryPoint: number): Promise<void> {
  const disk = await killed(recoveryPoint)
  damage(disk)
  const told: unknown[] = []
  const logger: Logger = { ...silentLogger, error: fields => void told.push(fields), child: () => logger }
  const again = await openLog(SMALL, { disk, logger })
  const offsets = readAll(again.log).map(({ offset }) => offset)
  assert.deepEqual(
    offsets,
    [...Array(12).keys()].filter(offset => !lost.includes(offset)),
  )
  assert.equal(again.log.logEndOffset, 12)
  assert.equal(again.log.producerStates()[0]?.lastSequence, 11)
  assert.deepEqual(told, [{ partition: 't-0', missing: `${lost[0]} to 5` }])
  append(again.log, ['value-12'], { producerId: 7, producerEpoch: 0, baseSequence: 12 })
  // It stays so: another kill finds the same.
  const last = await openLog(SMALL, { disk: again.disk.kill() })
  assert.deepEqual(
    readAll(last.log).map(({ offset }) => offset),
    [...offsets, 12],
  )
}

describe('a segment in the middle of a log that somebody has', () => {
  for (const [name, damage, lost] of DAMAGES) {
    it(`${name}, of records that were synced: what is behind it is kept after a kill, as in Kafka`, async () => {
      await Promise.all([6, 9].map(recoveryPoint => isKept(damage, lost, recoveryPoint)))
    })

    it(`${name}, of records that no checkpoint says to be synced: the log ends there, as after a power cut`, async () => {
      const disk = await killed(0)
      damage(disk)
      const { log } = await openLog(SMALL, { disk })
      assert.equal(log.logEndOffset, lost[0])
      assert.equal(log.producerStates()[0]?.lastSequence, lost[0]! - 1)
    })
  }
})
