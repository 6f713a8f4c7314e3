import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { MemoryDisk, readWholeFile } from '../platform/index.ts'
import { encodeBatch } from '../protocol/index.ts'
import { readInt64 } from './int64.ts'
import { append, type Fixture, openLog, PARTITION, readAll, valuesOf } from './log.test.fixture.ts'
import type { Log } from './log.ts'
import { OffsetIndex } from './offset-index.ts'
import { TimeIndex } from './time-index.ts'

const CONFIG = { segmentBytes: 3000, indexIntervalBytes: 100 }
const FIRST = '/logs/t-0/00000000000000000000'

/** Indexes of segment 0 with their files, as far as asked. */
function indexOptions(disk: MemoryDisk, path: string) {
  return { disk, path, baseOffset: 100, maxBytes: 1 << 20, hasFile: false }
}

describe('OffsetIndex', () => {
  it('finds the last entry that is not above an offset, in memory and in the file', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(5000), { minLength: 1, maxLength: 400 }),
        fc.array(fc.nat(5200), { minLength: 1, maxLength: 20 }),
        fc.boolean(),
        (offsets, wanted, written) => {
          const index = new OffsetIndex(indexOptions(new MemoryDisk(), '/x.index'))
          const sorted = offsets.sort((a, b) => a - b).map(offset => offset + 100)
          sorted.forEach((offset, position) => {
            index.add(offset, position * 10)
          })
          if (written) index.write()
          for (const offset of wanted) {
            const expected = sorted.findLastIndex(known => known <= offset)
            const found = index.lookup(offset)
            assert.deepEqual(found, { offset: sorted[expected] ?? 100, position: Math.max(0, expected) * 10 })
          }
          const cut = wanted[0]!
          index.truncateTo(cut)
          assert.equal(index.entryCount, sorted.filter(offset => offset < cut).length)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('lies on disk as Kafka has it', () => {
    const disk = new MemoryDisk()
    const index = new OffsetIndex(indexOptions(disk, '/x.index'))
    index.add(107, 4242)
    index.write()
    const file = disk.open('/x.index')
    const bytes = Buffer.alloc(file.size())
    file.read(bytes, 0, bytes.length, 0)
    assert.equal(bytes.toString('hex'), '0000000700001092')
  })
})

describe('TimeIndex', () => {
  it('takes rising timestamps only and lies on disk as Kafka has it', () => {
    const disk = new MemoryDisk()
    const index = new TimeIndex(indexOptions(disk, '/x.timeindex'))
    index.maybeAdd(1_795_462_094_685, 113)
    index.maybeAdd(1_795_462_094_685, 114)
    index.maybeAdd(5, 115)
    assert.equal(index.entryCount, 1)
    assert.deepEqual(index.lookup(1_795_462_094_685), { timestamp: 1_795_462_094_685, offset: 113 })
    assert.deepEqual(index.lookup(1), { timestamp: -1, offset: 100 })
    index.write()
    const file = disk.open('/x.timeindex')
    const bytes = Buffer.alloc(file.size())
    file.read(bytes, 0, bytes.length, 0)
    assert.equal(bytes.toString('hex'), '000001a209e15f5d0000000d')
  })

  it('keeps an entry back for the end of its segment', () => {
    const index = new TimeIndex({ ...indexOptions(new MemoryDisk(), '/x'), maxBytes: 36 })
    for (let time = 1; time < 9; time++) index.maybeAdd(time, 100 + time)
    assert.ok(index.isFull)
    assert.equal(index.entryCount, 2)
    index.maybeAdd(20, 120, { closing: true })
    assert.equal(index.entryCount, 3)
  })
})

/** A log of several segments, cleanly closed. */
async function closedLog(): Promise<Fixture> {
  const fixture = await openLog(CONFIG)
  for (let count = 0; count < 60; count++) append(fixture.log, [`value-${count}`, `second-${count}`])
  await fixture.manager.close()
  return fixture
}

/** Replaces the content of a file. */
function overwrite(disk: MemoryDisk, path: string, change: (bytes: Buffer) => Buffer): void {
  const file = disk.open(path)
  const bytes = Buffer.alloc(file.size())
  file.read(bytes, 0, bytes.length, 0)
  file.truncate(0)
  file.write([change(bytes)], 0)
  file.close()
}

describe('indexes that are not what they should be', () => {
  const damages: [string, (disk: MemoryDisk) => void][] = [
    ['missing', disk => disk.remove(`${FIRST}.index`)],
    ['missing time index', disk => disk.remove(`${FIRST}.timeindex`)],
    ['empty', disk => overwrite(disk, `${FIRST}.index`, () => Buffer.alloc(0))],
    ['cut within an entry', disk => overwrite(disk, `${FIRST}.index`, bytes => bytes.subarray(0, bytes.length - 3))],
    ['too long', disk => overwrite(disk, `${FIRST}.index`, bytes => Buffer.concat([bytes, Buffer.alloc(4096)]))],
    ['zeros', disk => overwrite(disk, `${FIRST}.timeindex`, bytes => Buffer.alloc(bytes.length))],
    [
      'pointing behind the records',
      disk =>
        overwrite(disk, `${FIRST}.index`, bytes => {
          bytes.writeInt32BE(1 << 30, bytes.length - 4)
          return bytes
        }),
    ],
    [
      'pointing into batches and too far',
      disk =>
        overwrite(disk, `${FIRST}.index`, bytes => {
          for (let at = 4; at < bytes.length - 8; at += 8) bytes.writeInt32BE(bytes.readInt32BE(at) + 31, at)
          return bytes
        }),
    ],
  ]
  for (const [name, damage] of damages) {
    it(`are made anew: ${name}`, async () => {
      const { disk, clock } = await closedLog()
      damage(disk)
      const { log } = await openLog(CONFIG, { disk, clock, tailCacheBytes: 0 })
      for (let offset = 0; offset < 120; offset += 7) {
        const [first] = readAll(log, offset, 1)
        assert.equal(first?.offset, offset)
      }
      assert.equal(valuesOf(log).length, 120)
      assert.equal(log.offsetForTimestamp(1)?.offset, 0)
    })
  }
})

describe('index files that are removed under a log', () => {
  const removals = [['.index'], ['.timeindex'], ['.index', '.timeindex']]
  const removeAll = (disk: MemoryDisk, suffixes: readonly string[]): void => {
    for (const name of disk.list('/logs/t-0')) {
      if (suffixes.some(suffix => name.endsWith(suffix))) disk.remove(`/logs/t-0/${name}`)
    }
  }
  const appendSome = (log: Log, count: number): void => {
    for (let n = 0; n < count; n++) {
      const timestamp = log.logEndOffset
      log.appendAsLeader(encodeBatch({ records: [{ value: Buffer.alloc(20), timestamp }] }), {
        leaderEpoch: 0,
        origin: 'client',
      })
    }
    log.highWatermark = log.logEndOffset
  }
  for (const suffixes of removals) {
    it(`are made anew by the next look: ${suffixes.join(' and ')}`, async () => {
      const { disk, log, manager } = await openLog(CONFIG, { tailCacheBytes: 0 })
      appendSome(log, 200)
      const ask = [
        (offset: number) => assert.equal(readAll(log, offset, 1)[0]?.offset, offset),
        (offset: number) => assert.equal(log.offsetForTimestamp(offset)?.offset, offset),
      ]
      for (const look of ask) {
        removeAll(disk, suffixes)
        for (let offset = 0; offset < 200; offset += 7) look(offset)
      }
      assert.ok(!manager.directories()[0]!.isOffline)
      await manager.close()
    })

    it(`have all entries in the end, when it was appended to: ${suffixes.join(' and ')}`, async () => {
      const indexes = []
      for (const isDisturbed of [false, true]) {
        const { disk, log, manager } = await openLog({ segmentBytes: 200_000, indexIntervalBytes: 100 })
        // More entries than are kept in memory, before and after.
        appendSome(log, 500)
        await log.flush()
        if (isDisturbed) removeAll(disk, suffixes)
        appendSome(log, 500)
        await manager.close()
        indexes.push(readWholeFile(disk, `${FIRST}.index`).toString('hex'))
        const times = readWholeFile(disk, `${FIRST}.timeindex`)
        const keys = Array.from({ length: times.length / 12 }, (_, entry) => readInt64(times, entry * 12))
        assert.ok(keys.length > 256 && keys.every((key, entry) => entry === 0 || key > keys[entry - 1]!))
      }
      assert.equal(indexes[1], indexes[0])
    })

    it(`leave no record out of the largest timestamp: ${suffixes.join(' and ')}`, async () => {
      const { disk, log, manager } = await openLog({ segmentBytes: 200_000, indexIntervalBytes: 100 })
      for (let n = 0; n < 1000; n++) {
        if (n === 500) {
          await log.flush()
          removeAll(disk, suffixes)
        }
        // Each is the newest of all, so that the one that notices is, too.
        const records = [{ value: Buffer.alloc(20), timestamp: n }]
        log.appendAsLeader(encodeBatch({ records }), { leaderEpoch: 0, origin: 'client' })
        assert.equal(log.offsetForMaxTimestamp()?.offset, n)
      }
      await manager.close()
    })

    it(`are not missed when the log is cut, rolled and deleted: ${suffixes.join(' and ')}`, async () => {
      const { disk, log, manager } = await openLog({ ...CONFIG, retentionBytes: 3000 })
      appendSome(log, 30)
      removeAll(disk, suffixes)
      appendSome(log, 30)
      removeAll(disk, suffixes)
      await log.truncateTo(40)
      appendSome(log, 200)
      removeAll(disk, suffixes)
      await manager.deleteOldSegments()
      assert.ok(log.logStartOffset > 0)
      await manager.close()
      assert.ok(!manager.directories()[0]!.isOffline)
    })
  }
})

describe('a log that goes while its indexes, which were removed, are synced', () => {
  it('touches no file of the log that comes in its place, and takes no directory offline', async () => {
    // So many steps after the records are synced the log goes: each lands elsewhere in what follows.
    for (let steps = 0; steps < 20; steps++) {
      let held: Promise<void> | undefined
      const disk = new MemoryDisk({ syncDelay: () => held ?? Promise.resolve() })
      const { log, manager } = await openLog(CONFIG, { disk })
      for (let n = 0; n < 5; n++) append(log, ['x'.repeat(300)])
      let release = (): void => {}
      held = new Promise(resolve => {
        release = resolve
      })
      const flushed = log.flush().catch((error: unknown) => assert.match(`${error}`, /log was deleted/))
      for (const name of disk.list('/logs/t-0')) if (name.endsWith('index')) disk.remove(`/logs/t-0/${name}`)
      held = undefined
      release()
      for (let step = 0; step < steps; step++) await Promise.resolve()
      manager.deleteLog(PARTITION)
      const next = manager.getOrCreateLog(PARTITION)
      append(next, ['y'.repeat(300)])
      append(next, ['y'.repeat(300)])
      const content = (): string[] =>
        disk.list('/logs/t-0').map(name => `${name} ${disk.stat(`/logs/t-0/${name}`)!.size}`)
      const before = content()
      await flushed
      assert.deepEqual(content(), before, `${steps} steps`)
      assert.ok(!manager.directories()[0]!.isOffline, `${steps} steps`)
      await manager.close()
    }
  })
})

describe('a search by time', () => {
  it('finds what a walk over all records finds', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: -1, max: 50 }), { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 0, max: 60 }),
        fc.integer({ min: 0, max: 200 }),
        fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 2 }),
        async (times, wanted, indexIntervalBytes, deletedTo) => {
          const { log, manager } = await openLog({ segmentBytes: 600, indexIntervalBytes })
          for (const timestamp of times) {
            const batch = encodeBatch({ records: [{ value: Buffer.from('v'), timestamp }] })
            log.appendAsLeader(batch, { leaderEpoch: 3, origin: 'client' })
          }
          log.highWatermark = log.logEndOffset
          const starts = [0, ...deletedTo.map(to => Math.min(to, times.length))].sort((one, other) => one - other)
          for (const start of starts) {
            await log.advanceLogStartOffset(start)
            const offset = times.findIndex((timestamp, at) => at >= start && timestamp >= wanted)
            const expected = offset < 0 ? undefined : { timestamp: times[offset]!, offset, leaderEpoch: 3 }
            assert.deepEqual(log.offsetForTimestamp(wanted), expected)
            const newest = Math.max(-1, ...times.slice(start))
            const found = newest < 0 ? undefined : times.indexOf(newest, start)
            assert.equal(log.offsetForMaxTimestamp()?.offset, found)
          }
          await manager.close()
        },
      ),
      { numRuns: 40 },
    )
  })
})
