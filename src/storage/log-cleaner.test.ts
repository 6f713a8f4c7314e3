import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { seededRandom } from '../platform/index.ts'
import { batches, encodeBatch, encodeEndTxnMarker } from '../protocol/index.ts'
import {
  BACKOFF_MS,
  batchesOf,
  clean,
  DAY_MS,
  endTransaction,
  NOW_MS,
  openCompacted,
  PATH,
  put,
  recordsOf,
} from './compaction.test.fixture.ts'
import { DIRECTORY, PARTITION } from './log.test.fixture.ts'

describe('LogCleaner', () => {
  it('keeps the last record of each key, at its offset', async () => {
    const fixture = await openCompacted()
    const { log } = fixture
    put(log, [
      ['a', '1'],
      ['b', '1'],
      ['a', '2'],
    ])
    put(log, [['c', '1']])
    put(log, [
      ['a', '3'],
      ['d', '1'],
    ])
    await clean(fixture)
    assert.deepEqual(recordsOf(log), ['1:b=1', '3:c=1', '4:a=3', '5:d=1'])
    assert.equal(log.logEndOffset, 6)
    assert.equal(log.cleanedUpTo, 6)
    assert.deepEqual(
      fixture.disk.list(PATH).filter(name => /cleaned|swap|deleted/.test(name)),
      [],
    )
    await fixture.manager.close()
  })

  it('leaves the active segment and what is above the high watermark alone', async () => {
    const fixture = await openCompacted()
    const { log } = fixture
    put(log, [['a', '1']])
    put(log, [['a', '2']])
    log.roll()
    put(log, [['a', '3']])
    await fixture.clock.advance(BACKOFF_MS)
    assert.deepEqual(recordsOf(log), ['1:a=2', '2:a=3'])
    await fixture.manager.close()
  })

  it('keeps a tombstone for delete.retention.ms from the first round that met it, and no longer (KAFKA-4529, KAFKA-8522)', async () => {
    const fixture = await openCompacted({ deleteRetentionMs: 1000 })
    const { log, clock } = fixture
    put(log, [['a', '1']])
    put(log, [
      ['a', null],
      ['b', '1'],
    ])
    await clean(fixture)
    assert.deepEqual(recordsOf(log), ['1:a=null', '2:b=1'])
    const [{ header } = assert.fail()] = batchesOf(log)
    assert.equal(header.hasDeleteHorizon, true)
    assert.equal(header.baseTimestamp, NOW_MS + BACKOFF_MS + 1000)
    assert.equal(header.maxTimestamp, NOW_MS)
    // A later round does not set the horizon anew.
    await clock.advance(800)
    put(log, [['c', '1']])
    await clean(fixture)
    assert.deepEqual(recordsOf(log), ['1:a=null', '2:b=1', '3:c=1'])
    await clock.advance(100)
    put(log, [['d', '1']])
    await clean(fixture)
    assert.deepEqual(recordsOf(log), ['2:b=1', '3:c=1', '4:d=1'])
    await fixture.manager.close()
  })

  it('drops what aborted transactions wrote, and a marker when its transaction is gone and the horizon has passed', async () => {
    const fixture = await openCompacted({ deleteRetentionMs: 1000 })
    const { log, clock } = fixture
    const transactional = { producerId: 7, producerEpoch: 0, isTransactional: true }
    put(log, [['a', '0']])
    put(
      log,
      [
        ['a', '1'],
        ['b', '1'],
      ],
      { ...transactional, baseSequence: 0 },
    )
    endTransaction(log, 7, 'abort')
    put(log, [['c', '1']], { ...transactional, baseSequence: 2 })
    endTransaction(log, 7, 'commit')
    await clean(fixture)
    assert.deepEqual(recordsOf(log), ['0:a=0', '3:marker', '4:c=1', '5:marker'])
    assert.deepEqual(
      log.abortedTransactions(0, 10).map(({ lastOffset }) => lastOffset),
      [3],
    )
    // The transaction has no record left now, so its marker gets its horizon; then it goes.
    put(log, [['d', '1']])
    await clean(fixture)
    assert.deepEqual(recordsOf(log), ['0:a=0', '3:marker', '4:c=1', '5:marker', '6:d=1'])
    assert.deepEqual(log.abortedTransactions(0, 10), [])
    await clock.advance(1000)
    put(log, [['e', '1']])
    await clean(fixture)
    assert.deepEqual(recordsOf(log), ['0:a=0', '4:c=1', '5:marker', '6:d=1', '7:e=1'])
    await fixture.manager.close()
  })

  it('never cleans past the last stable offset (an open transaction)', async () => {
    const fixture = await openCompacted()
    const { log } = fixture
    put(log, [['a', '1']])
    put(log, [['a', '2']])
    log.roll()
    put(log, [['a', '3']], { producerId: 7, producerEpoch: 0, baseSequence: 0, isTransactional: true })
    log.roll()
    put(log, [['a', '4']])
    await clean(fixture)
    assert.deepEqual(recordsOf(log), ['1:a=2', '2:a=3', '3:a=4'])
    endTransaction(log, 7, 'commit')
    await clean(fixture)
    assert.deepEqual(recordsOf(log), ['3:a=4', '4:marker'])
    await fixture.manager.close()
  })

  it('shows no aborted record to a reader whose batches were still in memory', async () => {
    const fixture = await openCompacted()
    const { log } = fixture
    const transactional = { producerId: 7, producerEpoch: 0, isTransactional: true }
    put(log, [['a', '1']], { ...transactional, baseSequence: 0 })
    endTransaction(log, 7, 'abort')
    put(log, [['b', '1']], { ...transactional, baseSequence: 1 })
    endTransaction(log, 7, 'commit')
    for (let round = 0; round < 2; round++) {
      await clean(fixture)
      put(log, [['z', '1']])
    }
    assert.deepEqual(log.abortedTransactions(0, 10), [])
    assert.deepEqual(recordsOf(log), ['1:marker', '2:b=1', '3:marker', '4:z=1', '5:z=1'])
    await fixture.manager.close()
  })

  it('keeps the last sequence and the epochs of every producer that may still write (KAFKA-5490, KAFKA-9144)', async () => {
    const fixture = await openCompacted({ deleteRetentionMs: 0 })
    const { log, clock } = fixture
    put(
      log,
      [
        ['a', '1'],
        ['b', '1'],
      ],
      { producerId: 7, producerEpoch: 0, baseSequence: 40 },
    )
    put(log, [
      ['a', '2'],
      ['b', '2'],
    ])
    put(log, [['t', '1']], { producerId: 8, producerEpoch: 0, baseSequence: 0, isTransactional: true })
    endTransaction(log, 8, 'abort', 5)
    for (let round = 0; round < 3; round++) {
      put(log, [['z', `${round}`]])
      await clean(fixture)
      await clock.advance(10)
    }
    const before = log.producerStates()
    // Without snapshots only the batches tell.
    await fixture.manager.close()
    for (const name of fixture.disk.list(PATH)) if (name.endsWith('.snapshot')) fixture.disk.remove(`${PATH}/${name}`)
    fixture.disk.remove(`${DIRECTORY}/.kafka_cleanshutdown`)
    fixture.disk.remove(`${DIRECTORY}/recovery-point-offset-checkpoint`)
    const again = await openCompacted({}, { disk: fixture.disk })
    const states = again.log.producerStates()
    assert.deepEqual(
      states.map(({ producerId, lastSequence }) => [producerId, lastSequence]),
      before.map(({ producerId, lastSequence }) => [producerId, lastSequence]),
    )
    assert.deepEqual(
      states.map(({ lastSequence }) => lastSequence),
      [41, 0],
    )
    await again.manager.close()
  })

  it('keeps the epochs of a producer of which only a marker is left', async () => {
    const fixture = await openCompacted({ deleteRetentionMs: 0 })
    const { log } = fixture
    const batch = { producerId: 8, producerEpoch: 0, baseSequence: 0, isTransactional: true }
    put(log, [['t', '1']], batch)
    const marker = { producerId: 8, producerEpoch: 1, result: 'abort', coordinatorEpoch: 5, timestamp: NOW_MS } as const
    log.appendAsLeader(encodeEndTxnMarker(marker), { leaderEpoch: 0, origin: 'coordinator' })
    for (let round = 0; round < 4; round++) {
      put(log, [['z', `${round}`]])
      await clean(fixture)
    }
    assert.deepEqual(recordsOf(log), ['1:marker', '5:z=3'])
    await fixture.manager.close()
  })

  it('keeps the last batch of what it cleaned, so that the end of the log does not move back (KAFKA-17076)', async () => {
    const fixture = await openCompacted()
    const { log } = fixture
    put(log, [['a', '1']], { producerId: 7, producerEpoch: 0, baseSequence: 0, isTransactional: true })
    put(
      log,
      [
        ['b', '1'],
        ['c', '1'],
      ],
      { producerId: 7, producerEpoch: 0, baseSequence: 1, isTransactional: true },
    )
    endTransaction(log, 7, 'abort')
    for (let round = 0; round < 3; round++) {
      await clean(fixture)
      fixture.clock.jumpWallClock(2 * DAY_MS)
      put(log, [['z', '1']])
    }
    await clean(fixture)
    assert.equal(log.logEndOffset, 7)
    await fixture.manager.close()
    const again = await openCompacted({}, { disk: fixture.disk })
    assert.equal(again.log.logEndOffset, 7)
    await again.manager.close()
  })

  it('leaves no gap between segments', async () => {
    const fixture = await openCompacted({ segmentBytes: 400 })
    const { log } = fixture
    for (let round = 0; round < 12; round++) put(log, [[`k${round % 3}`, 'x'.repeat(100)]])
    await clean(fixture)
    assert.deepEqual(
      recordsOf(log).map(line => line.split(':')[0]),
      ['9', '10', '11'],
    )
    const ends = batchesOf(log).map(({ header }) => header.lastOffset + 1)
    for (const base of log.segmentBaseOffsets.slice(1)) assert.ok(ends.includes(base), `a batch ends at ${base}`)
    await fixture.manager.close()
  })

  it('lets no reader get stuck at a segment of which only a batch without records is left', async () => {
    const fixture = await openCompacted({ segmentBytes: 400 })
    const { log } = fixture
    for (let round = 0; round < 12; round++) put(log, [['k', 'x'.repeat(100)]])
    await clean(fixture)
    for (let offset = 0; offset < log.logEndOffset; ) {
      const slice = log.read(offset, { maxBytes: 1000, maxOffset: log.logEndOffset, minOneMessage: true })
      const counts = slice.chunks.flatMap(chunk => [...batches(chunk)].map(({ recordCount }) => recordCount))
      assert.ok(
        counts.some(count => count > 0),
        `records from ${offset} on: ${counts}`,
      )
      offset = slice.nextOffset
    }
    await fixture.manager.close()
  })

  it('takes no batch without records for the newest, whether cleaned, copied, found at a start or recovered', async () => {
    const fixture = await openCompacted({ segmentBytes: 400 })
    const { log } = fixture
    // The newest record by far is replaced; of its segment a batch is left that still has its time.
    for (const [key, timestamp] of [
      ['k', 9000],
      ['k', 10],
      ['l', 40],
      ['k', 30],
      ['k', 25],
    ] as const) {
      const records = [{ key: Buffer.from(key), value: Buffer.alloc(250), timestamp }]
      log.appendAsLeader(encodeBatch({ records }), { leaderEpoch: 0, origin: 'client' })
    }
    log.highWatermark = log.logEndOffset
    await clean(fixture)
    assert.deepEqual(batchesOf(log)[0]!.header.maxTimestamp, 9000)
    const newest = { timestamp: 40, offset: 2, leaderEpoch: 0 }
    assert.deepEqual(log.offsetForMaxTimestamp(), newest)
    const copy = await openCompacted()
    for (const chunk of log.read(0, { maxBytes: 1e6, maxOffset: log.logEndOffset, minOneMessage: true }).chunks) {
      copy.log.appendAsFollower(Buffer.from(chunk))
    }
    assert.deepEqual(copy.log.offsetForMaxTimestamp(), newest)
    await copy.manager.close()
    await fixture.manager.close()
    const { disk } = fixture
    for (const name of disk.list(PATH)) if (name.endsWith('index')) disk.remove(`${PATH}/${name}`)
    const again = await openCompacted({ segmentBytes: 400 }, { disk })
    assert.deepEqual(again.log.offsetForMaxTimestamp(), newest)
    await again.log.flush()
    const killed = await openCompacted(
      { segmentBytes: 400 },
      { disk: disk.crash({ random: seededRandom(1), keep: 1 }) },
    )
    assert.deepEqual(killed.log.offsetForMaxTimestamp(), newest)
    await killed.manager.close()
  })

  it('KAFKA-4451, KAFKA-5413, KAFKA-6264: cleans a log whose offsets lie further apart than an index can tell', async () => {
    const fixture = await openCompacted()
    const { log, manager } = fixture
    const offsets = [0, 1, 2 ** 31 + 5, 2 ** 31 + 6, 2 ** 32 + 7, 2 ** 33]
    for (const [index, baseOffset] of offsets.entries()) {
      const records = [{ key: Buffer.from(`k${index % 4}`), value: Buffer.from(`${index}`), timestamp: NOW_MS }]
      log.appendAsFollower(encodeBatch({ records, baseOffset, partitionLeaderEpoch: 0 }))
    }
    log.highWatermark = log.logEndOffset
    await clean(fixture)
    assert.equal(manager.cleanerFigures!.uncleanablePartitions, 0)
    const left = [`${offsets[2]}:k2=2`, `${offsets[3]}:k3=3`, `${offsets[4]}:k0=4`, `${offsets[5]}:k1=5`]
    assert.deepEqual(recordsOf(log), left)
    await manager.close()
    const again = await openCompacted({}, { disk: fixture.disk })
    assert.deepEqual(recordsOf(again.log), left)
    assert.equal(again.log.logEndOffset, 2 ** 33 + 1)
    await again.manager.close()
  })

  it('KAFKA-5431: leaves no zeros behind the records of a topic that wants its segments preallocated', async () => {
    const fixture = await openCompacted({ preallocate: true, segmentBytes: 2000 })
    const { log, disk, manager } = fixture
    for (let round = 0; round < 30; round++) put(log, [[`k${round % 3}`, 'x'.repeat(100)]])
    await clean(fixture)
    const ends = new Map<number, number>()
    for (const { header } of batchesOf(log)) {
      const base = log.segmentBaseOffsets.findLast(offset => offset <= header.baseOffset)!
      ends.set(base, (ends.get(base) ?? 0) + header.length)
    }
    for (const [base, bytes] of ends) {
      assert.equal(disk.stat(`${PATH}/${String(base).padStart(20, '0')}.log`)?.size, bytes)
    }
    put(log, [['k0', 'last']])
    await clean(fixture)
    assert.equal(manager.cleanerFigures!.uncleanablePartitions, 0)
    assert.equal(log.cleanedUpTo, 31)
    await manager.close()
  })

  it('merges small segments up to the size of one', async () => {
    const fixture = await openCompacted({ segmentBytes: 1000 })
    const { log } = fixture
    for (let round = 0; round < 10; round++) {
      put(log, [[`k${round}`, 'x'.repeat(100)]])
      log.roll()
    }
    await clean(fixture)
    assert.equal(recordsOf(log).length, 10)
    assert.deepEqual(log.segmentBaseOffsets, [0, 5, 10])
    await fixture.manager.close()
  })

  it('copies batches of which nothing goes byte by byte, and compresses others with their own codec', async () => {
    for (const compression of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
      const fixture = await openCompacted()
      const { log } = fixture
      put(
        log,
        [
          ['a', 'x'.repeat(500)],
          ['b', 'y'.repeat(500)],
        ],
        { compression },
      )
      put(log, [['c', 'z'.repeat(500)]], { compression })
      const before = log.read(0, { maxBytes: 1 << 20, maxOffset: 3, minOneMessage: true })
      const copied = Buffer.concat(before.chunks).subarray(batches(before.chunks[0]!).next().value!.length)
      put(log, [['a', '2']])
      await clean(fixture)
      const after = log.read(2, { maxBytes: 1, maxOffset: 4, minOneMessage: true })
      assert.deepEqual(Buffer.concat(after.chunks), Buffer.from(copied))
      const [first] = batchesOf(log)
      assert.equal(first!.header.compression, compression)
      assert.deepEqual(first!.records, [`1:b=${'y'.repeat(500)}`])
      assert.deepEqual([first!.header.baseOffset, first!.header.lastOffset], [0, 1])
      await fixture.manager.close()
    }
  })

  it('keeps the timestamps and their type', async () => {
    const fixture = await openCompacted({ messageTimestampType: 'LogAppendTime' })
    const { log, clock } = fixture
    put(log, [
      ['a', '1'],
      ['b', null],
      ['c', '1'],
    ])
    await clock.advance(50)
    put(log, [['a', '2']])
    await clean(fixture)
    const [first] = batchesOf(log)
    assert.equal(first!.header.timestampType, 'LogAppendTime')
    assert.equal(first!.header.maxTimestamp, NOW_MS)
    assert.equal(log.offsetForTimestamp(NOW_MS + 1)?.offset, 3)
    await fixture.manager.close()
  })

  it('compacts and deletes where a topic wants both', async () => {
    const fixture = await openCompacted({ cleanupPolicy: ['compact', 'delete'], retentionMs: 10_000 })
    const { log, clock } = fixture
    put(log, [
      ['a', '1'],
      ['a', '2'],
    ])
    await clean(fixture)
    assert.deepEqual(recordsOf(log), ['1:a=2'])
    await clock.advance(20_000)
    assert.deepEqual(recordsOf(log), [])
    assert.equal(log.logStartOffset, 2)
    await fixture.manager.close()
  })

  it('deletes nothing by time or size where a topic is only compacted', async () => {
    const fixture = await openCompacted({ retentionMs: 1, retentionBytes: 1 })
    put(fixture.log, [['a', '1']])
    await clean(fixture)
    fixture.clock.jumpWallClock(DAY_MS)
    await fixture.clock.advance(BACKOFF_MS)
    await fixture.manager.deleteOldSegments()
    assert.deepEqual(recordsOf(fixture.log), ['0:a=1'])
    await fixture.manager.close()
  })

  it('writes how far it came in Kafka format, and reads it at the next start', async () => {
    const fixture = await openCompacted()
    put(fixture.log, [
      ['a', '1'],
      ['a', '2'],
    ])
    await clean(fixture)
    await fixture.manager.close()
    const file = fixture.disk.open(`${DIRECTORY}/cleaner-offset-checkpoint`)
    const bytes = Buffer.alloc(file.size())
    file.read(bytes, 0, bytes.length, 0)
    file.close()
    assert.equal(bytes.toString(), '0\n1\nt 0 2\n')
    const again = await openCompacted({}, { disk: fixture.disk })
    assert.equal(again.log.cleanedUpTo, 2)
    again.manager.deleteLog(PARTITION)
    await again.clock.advance(10)
    await again.manager.close()
    const empty = await openCompacted({}, { disk: fixture.disk })
    assert.equal(empty.log.cleanedUpTo, undefined)
    await empty.manager.close()
  })
})
