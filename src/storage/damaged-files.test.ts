import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { type Logger, type MemoryDisk, nodeDisk, SimulatedClock, seededRandom } from '../platform/index.ts'
import { encodeEndTxnMarker } from '../protocol/index.ts'
import { append, batchOf, DIRECTORY, type Fixture, openLog, PARTITION, valuesOf } from './log.test.fixture.ts'
import type { Log } from './log.ts'
import { defaultCleanerSettings } from './log-cleaner.ts'
import { defaultLogConfig } from './log-config.ts'
import { LogManager } from './log-manager.ts'

const CONFIG = { segmentBytes: 600 }
const PATH = `${DIRECTORY}/t-0`

/** Transactions of two producers over several segments, the aborted ones across a segment's end. */
async function transacted(): Promise<Fixture> {
  const fixture = await openLog(CONFIG)
  const { log } = fixture
  for (let sequence = 0; sequence < 12; sequence++) {
    for (const producerId of [1, 2]) {
      append(log, [`${producerId}`], { producerId, producerEpoch: 0, baseSequence: sequence, isTransactional: true })
    }
    if (sequence % 3 !== 2) continue
    for (const producerId of [1, 2]) {
      const result = (sequence + producerId) % 2 === 0 ? 'commit' : 'abort'
      const marker = {
        producerId,
        producerEpoch: 0,
        result,
        coordinatorEpoch: 0,
        timestamp: 1_700_000_000_000,
      } as const
      log.appendAsLeader(encodeEndTxnMarker(marker), { leaderEpoch: 0, origin: 'coordinator' })
    }
  }
  log.highWatermark = log.logEndOffset
  return fixture
}

/** Adds a transaction of a third producer, which is aborted. */
function abort(log: Log, baseSequence: number): void {
  append(log, ['more'], { producerId: 3, producerEpoch: 0, baseSequence, isTransactional: true })
  const marker = { producerId: 3, producerEpoch: 0, result: 'abort', coordinatorEpoch: 0, timestamp: 1 } as const
  log.appendAsLeader(encodeEndTxnMarker(marker), { leaderEpoch: 0, origin: 'coordinator' })
  log.highWatermark = log.logEndOffset
}

function files(disk: MemoryDisk, ending: string): string[] {
  return disk
    .list(PATH)
    .filter(name => name.endsWith(ending))
    .sort()
    .map(name => `${PATH}/${name}`)
}

function contentOf(disk: MemoryDisk, path: string): Buffer {
  const file = disk.open(path, { readOnly: true })
  const bytes = Buffer.alloc(file.size())
  file.read(bytes, 0, bytes.length, 0)
  file.close()
  return bytes
}

function replace(disk: MemoryDisk, path: string, bytes: Uint8Array): void {
  const file = disk.open(path, { create: true })
  file.truncate(0)
  if (bytes.length > 0) file.write([bytes], 0)
  file.close()
}

/** Remembers what it was told as an error, and of which file. */
class ToldErrors implements Logger {
  readonly told: string[] = []

  error(fields: object, message: string): void {
    this.told.push(`${message} ${'file' in fields ? fields.file : ''}`)
  }

  debug(): void {}
  info(): void {}
  warn(): void {}

  child(): Logger {
    return this
  }
}

/** What a log says after it was closed, damaged, and opened again. */
async function afterwards<Answer>(
  { disk, clock }: Fixture,
  damage: () => void,
  ask: (log: Log) => Answer,
): Promise<Answer> {
  damage()
  const { log, manager } = await openLog(CONFIG, { disk, clock })
  const answer = ask(log)
  await manager.close()
  return answer
}

describe('a transaction index that is damaged while the broker is down', () => {
  const aborted = (log: Log): unknown => log.abortedTransactions(0, log.logEndOffset)

  it('is made anew, whichever byte is wrong, wherever it is cut off, and when it is gone', async () => {
    const fixture = await transacted()
    const { disk, log, manager } = fixture
    const expected = log.abortedTransactions(0, log.logEndOffset)
    assert.equal(expected.length, 4)
    await manager.close()
    const indexes = files(disk, '.txnindex')
    assert.ok(indexes.length > 1)
    for (const path of indexes) {
      const whole = contentOf(disk, path)
      for (let at = 0; at < whole.length; at++) {
        const flipped = Buffer.from(whole)
        flipped[at]! ^= 1 << (at % 8)
        assert.deepEqual(await afterwards(fixture, () => replace(disk, path, flipped), aborted), expected, `byte ${at}`)
        assert.deepEqual(contentOf(disk, path), whole)
      }
      for (const length of [0, 5, whole.length - 34, whole.length - 1]) {
        const cut = whole.subarray(0, length)
        assert.deepEqual(
          await afterwards(fixture, () => replace(disk, path, cut), aborted),
          expected,
          `cut at ${length}`,
        )
      }
      assert.deepEqual(await afterwards(fixture, () => disk.remove(path), aborted), expected, 'removed')
    }
  })

  it('is believed where Kafka has appended to it, and made anew without sums where it cannot be one', async () => {
    const fixture = await transacted()
    const { disk, log, manager } = fixture
    const expected = log.abortedTransactions(0, log.logEndOffset)
    await manager.close()
    const sums = `${PATH}/transaction-index-checkpoint`
    const path = files(disk, '.txnindex').at(-1)!
    const whole = contentOf(disk, path)
    for (const content of ['', '0\n9\n', 'x']) {
      assert.deepEqual(await afterwards(fixture, () => replace(disk, sums, Buffer.from(content)), aborted), expected)
      const torn = (): void => {
        replace(disk, sums, Buffer.from(content))
        replace(disk, path, whole.subarray(0, whole.length - 3))
      }
      assert.deepEqual(await afterwards(fixture, torn, aborted), expected)
    }
    const more = Buffer.concat([whole, whole.subarray(whole.length - 34)])
    more[whole.length + 25]! += 1
    const longer = await afterwards(
      fixture,
      () => replace(disk, path, more),
      log => log.abortedTransactions(0, 99).length,
    )
    assert.equal(longer, expected.length + 1)
  })
})

describe('a leader epoch file that is damaged while the broker is down', () => {
  it('is learnt anew from the batches, whichever number is wrong', async () => {
    const fixture = await openLog(CONFIG)
    const { disk, log, manager } = fixture
    for (let index = 0; index < 30; index++) {
      log.appendAsLeader(batchOf([`${index}`]), { leaderEpoch: Math.floor(index / 10) * 2 + 1, origin: 'client' })
    }
    const ends = (of: Log): unknown => [0, 1, 2, 3, 4, 5, 6].map(epoch => of.offsetForLeaderEpoch(epoch))
    const expected = ends(log)
    await manager.close()
    const path = `${PATH}/leader-epoch-checkpoint`
    const whole = contentOf(disk, path).toString()
    assert.equal(whole, '0\n3\n1 0\n3 10\n5 20\n')
    const wrong = ['1 1', '2 0', '3 11', '3 9', '2 10', '4 10', '3 15', '5 21', '5 19', '6 20', '5 99']
    for (const line of wrong) {
      const [epoch = '', offset = ''] = line.split(' ')
      const damaged = whole.replace(new RegExp(`^(?:${epoch} \\d+|\\d+ ${offset})$`, 'm'), line)
      assert.notEqual(damaged, whole)
      assert.deepEqual(await afterwards(fixture, () => replace(disk, path, Buffer.from(damaged)), ends), expected, line)
    }
    for (const content of [
      '',
      '0\n0\n',
      '0\n1\n1 0\n',
      '0\n2\n1 0\n3 10\n',
      '0\n2\n3 10\n5 20\n',
      '0\n3\n1 0\n',
      'x\n',
    ]) {
      assert.deepEqual(
        await afterwards(fixture, () => replace(disk, path, Buffer.from(content)), ends),
        expected,
        content,
      )
    }
    assert.deepEqual(await afterwards(fixture, () => disk.remove(path), ends), expected, 'removed')
  })
})

describe('a transaction index that is removed while the broker runs', () => {
  const all = (log: Log): unknown => log.abortedTransactions(0, log.logEndOffset)
  const removeAll = (disk: MemoryDisk): void => {
    for (const path of files(disk, '.txnindex')) disk.remove(path)
  }
  it('is made anew by a look, an abort, a new segment and a stop', async () => {
    const { disk, clock, log, manager } = await transacted()
    const expected = all(log)
    removeAll(disk)
    assert.deepEqual(all(log), expected)
    await log.flush()
    abort(log, 0)
    removeAll(disk)
    log.roll()
    await log.flush()
    abort(log, 1)
    const more = all(log)
    removeAll(disk)
    await manager.close()
    const again = await openLog(CONFIG, { disk, clock })
    removeAll(disk)
    again.log.highWatermark = again.log.logEndOffset
    assert.deepEqual(all(again.log), more)
    removeAll(disk)
    abort(again.log, 2)
    assert.equal(again.log.abortedTransactions(0, again.log.logEndOffset).length, 7)
    const last = all(again.log)
    await again.manager.close()
    const third = await openLog(CONFIG, { disk, clock })
    assert.deepEqual(all(third.log), last)
    assert.ok(!third.manager.directories()[0]!.isOffline)
    await third.manager.close()
  })
})

describe('a transaction index that nobody has looked at since the start, and that is removed', () => {
  /** Where the aborted transactions end after `work` on such a log; they do so after a stop and another start, too. */
  async function after(work: (log: Log) => Promise<unknown> | unknown): Promise<number[]> {
    const { disk, clock, manager } = await transacted()
    await manager.close()
    const again = await openLog({ segmentBytes: 60_000 }, { disk, clock })
    again.log.highWatermark = again.log.logEndOffset
    for (const path of files(disk, '.txnindex')) disk.remove(path)
    await work(again.log)
    await again.manager.close()
    assert.ok(!again.manager.directories()[0]!.isOffline)
    const last = await openLog(CONFIG, { disk, clock })
    const ends = endsOf(last.log)
    await last.manager.close()
    return ends
  }
  const endsOf = (log: Log): number[] =>
    log.abortedTransactions(0, log.logEndOffset).map(({ lastOffset }) => lastOffset)

  it('is made anew by an abort, which is in it once', async () => {
    const ends = await after(log => {
      abort(log, 0)
      append(log, ['what follows'])
      assert.deepEqual(endsOf(log), [6, 15, 22, 31, 33])
    })
    assert.deepEqual(ends, [6, 15, 22, 31, 33])
  })

  it('is made anew by a sync, and by a stop', async () => {
    const expected = [6, 15, 22, 31]
    const addOne = (log: Log): unknown => append(log, ['what follows'])
    assert.deepEqual(await after(addOne), expected)
    const addAndRoll = (log: Log): Promise<void> => {
      addOne(log)
      log.roll()
      return log.flush()
    }
    assert.deepEqual(await after(addAndRoll), expected)
  })

  it('is made anew by a cut', async () => {
    const ends = await after(log => log.truncateTo(log.logEndOffset - 1))
    assert.deepEqual(ends, [6, 15, 22])
  })
})

describe('a producer snapshot that is removed while the broker runs', () => {
  it('is done without by a cut and by retention', async () => {
    const { disk, log, manager } = await transacted()
    const expected = log.producerStates()
    append(log, ['more'])
    for (const path of files(disk, '.snapshot')) disk.remove(path)
    await log.truncateTo(log.logEndOffset - 1)
    assert.deepEqual(log.producerStates(), expected)
    log.highWatermark = log.logEndOffset
    await log.advanceLogStartOffset(log.logEndOffset)
    await manager.deleteOldSegments()
    assert.equal(log.segmentBaseOffsets.length, 1)
    await manager.close()
    assert.ok(!manager.directories()[0]!.isOffline)
  })
})

describe('a records file that is damaged while the broker has it open', () => {
  it('gives CORRUPT_MESSAGE where records were cut off while the log is open, and serves and takes the rest', async () => {
    const { disk, log, manager } = await openLog({ segmentBytes: 60_000 })
    const large = (name: string): string[] => [name.padEnd(6_000, '.')]
    for (let count = 0; count < 6; count++) append(log, large(`${count}`))
    assert.deepEqual(log.segmentBaseOffsets, [0, 4])
    const [closed] = files(disk, '.log')
    const file = disk.open(closed!)
    file.truncate(20_000)
    file.close()
    append(log, large('6'))
    const read = (offset: number) => log.read(offset, { maxBytes: 1, maxOffset: 9, minOneMessage: true })
    for (const offset of [1, 2, 3]) assert.throws(() => read(offset), { code: 'CORRUPT_MESSAGE' }, `${offset}`)
    for (const offset of [0, 4, 5, 6]) assert.equal(read(offset).nextOffset, offset + 1)
    assert.equal(log.isOffline, false)
    await manager.close()
  })

  it('is served as long as it is open when it was removed, and named in the log by the next sync', async () => {
    const logger = new ToldErrors()
    const directory = mkdtempSync(join(tmpdir(), 'monedula-removed-'))
    const manager = await LogManager.open({
      // The twin in memory lets nobody remove a file that is open.
      disk: nodeDisk,
      clock: new SimulatedClock(),
      random: seededRandom(1),
      logger,
      directories: [directory],
      configOf: () => ({ ...defaultLogConfig, ...CONFIG }),
      tailCacheBytes: 0,
    })
    const log = manager.getOrCreateLog(PARTITION)
    append(log, ['1'])
    const removed = join(directory, 't-0', '00000000000000000000.log')
    rmSync(removed)
    append(log, ['2'])
    for (let count = 0; count < 2; count++) {
      log.roll()
      await log.flush()
      append(log, ['3'])
    }
    assert.deepEqual(valuesOf(log), ['1', '2', '3', '3'])
    assert.deepEqual(logger.told, [`records file was removed: its records are lost when it is closed ${removed}`])
    await manager.close()
    rmSync(directory, { recursive: true })
  })

  it('costs its own records and nothing else when it was removed while it was not open', async () => {
    const { disk, clock, log, manager } = await openLog(
      { segmentBytes: 60_000, retentionBytes: 20_000 },
      { tailCacheBytes: 0, maxOpenFiles: 1 },
    )
    const other = manager.getOrCreateLog({ topic: 't', partition: 1 })
    const large = [''.padEnd(6_000, '.')]
    for (let count = 0; count < 6; count++) append(log, large)
    const read = (offset: number) => log.read(offset, { maxBytes: 1, maxOffset: 99, minOneMessage: true })
    // Of the last segment and of one before it.
    append(other, ['closes the file'])
    for (const path of files(disk, '.log')) disk.remove(path)
    for (const offset of [0, 3, 4, 5]) assert.throws(() => read(offset), { code: 'CORRUPT_MESSAGE' }, `${offset}`)
    for (let offset = 6; offset < 14; offset++) {
      append(log, large)
      assert.equal(read(offset).nextOffset, offset + 1)
    }
    log.highWatermark = log.logEndOffset
    await log.flush()
    await manager.deleteOldSegments()
    assert.ok(log.logStartOffset >= 6)
    assert.ok(!manager.directories()[0]!.isOffline)
    await manager.close()
    const again = await openLog(CONFIG, { disk, clock })
    assert.deepEqual(valuesOf(again.log).length, log.logEndOffset - log.logStartOffset)
    await again.manager.close()
  })

  it('is no loss of one file where its directory is gone, too: the log directory goes offline', async () => {
    const { disk, log, manager } = await openLog({}, { tailCacheBytes: 0, maxOpenFiles: 1 })
    append(log, ['a'])
    await log.flush()
    append(log, ['b'])
    append(manager.getOrCreateLog({ topic: 't', partition: 1 }), ['closes the file'])
    disk.rename(PATH, '/logs/elsewhere')
    await assert.rejects(log.flush(), { code: 'KAFKA_STORAGE_ERROR' })
    assert.ok(manager.directories()[0]!.isOffline)
    await manager.close()
  })

  it('keeps neither retention by time nor the cleaner from their work when all of its segment is gone', async () => {
    for (const config of [
      { retentionMs: 1_000 },
      { cleanupPolicy: ['compact'], maxCompactionLagMs: 1_000 },
      { cleanupPolicy: ['compact'], minCompactionLagMs: 1 },
    ] as const) {
      const first = await openLog(CONFIG)
      for (let count = 0; count < 30; count++) append(first.log, [`${count}`])
      await first.manager.close()
      const clock = new SimulatedClock(1_800_000_000_000)
      const cleaner = () => ({ ...defaultCleanerSettings, backoffMs: 100, dedupeBufferBytes: 1 << 20 })
      const options = { disk: first.disk, clock, cleaner, maxOpenFiles: 1 }
      const { log, manager, disk } = await openLog({ ...CONFIG, ...config }, options)
      log.highWatermark = log.logEndOffset
      append(manager.getOrCreateLog({ topic: 't', partition: 1 }), ['closes the file'])
      for (const path of files(disk, '')) if (path.includes('/0000000000000000000')) disk.remove(path)
      // When they were written nobody knows any more, but that it was before the start.
      await clock.advance(2_000)
      await manager.deleteOldSegments()
      if ('retentionMs' in config) assert.equal(log.logStartOffset, 30)
      assert.ok(!manager.directories()[0]!.isOffline)
      await manager.close()
    }
  })
})
