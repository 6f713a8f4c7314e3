import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLogger } from '../platform/index.ts'
import { append, batchOf, openLog, readAll, valuesOf } from './log.test.fixture.ts'

const ALL = { maxBytes: 1 << 20, maxOffset: Number.POSITIVE_INFINITY, minOneMessage: true }

test('an append gives offsets in order and readers get the batches back', async () => {
  const { log } = await openLog()
  const first = append(log, ['a', 'b'])
  assert.deepEqual([first.firstOffset, first.lastOffset, first.recordCount], [0, 1, 2])
  const second = append(log, ['c'])
  assert.deepEqual([second.firstOffset, second.lastOffset], [2, 2])
  assert.equal(log.logEndOffset, 3)
  assert.deepEqual(readAll(log), [
    { offset: 0, value: 'a' },
    { offset: 1, value: 'b' },
    { offset: 2, value: 'c' },
  ])
  assert.deepEqual(valuesOf(log, 1), ['b', 'c'])
})

test('a read ends before maxOffset and returns whole batches within maxBytes', async () => {
  for (const tailCacheBytes of [0, 1 << 20]) {
    const { log } = await openLog({}, { tailCacheBytes })
    const size = append(log, ['a']).bytes
    for (const value of ['b', 'c', 'd']) append(log, [value])
    assert.equal(log.read(0, { ...ALL, maxOffset: 2 }).nextOffset, 2)
    assert.equal(log.read(2, { ...ALL, maxOffset: 2 }).bytes, 0)
    assert.equal(log.read(0, { ...ALL, maxBytes: 2 * size + 1 }).nextOffset, 2)
    assert.equal(log.read(0, { ...ALL, maxBytes: 1 }).nextOffset, 1)
    assert.equal(log.read(0, { ...ALL, maxBytes: 1, minOneMessage: false }).bytes, 0)
    assert.equal(log.read(4, ALL).bytes, 0)
    assert.throws(() => log.read(5, ALL), { code: 'OFFSET_OUT_OF_RANGE' })
    assert.throws(() => log.read(-1, ALL), { code: 'OFFSET_OUT_OF_RANGE' })
  }
})

test('what is read keeps no memory of what may not be read yet', async () => {
  const { log } = await openLog({}, { tailCacheBytes: 0 })
  for (let count = 0; count < 100; count++) append(log, ['x'.repeat(9_000)])
  const { bytes, chunks } = log.read(0, { ...ALL, maxOffset: 1 })
  assert.equal(bytes, chunks[0]!.length)
  assert.ok(chunks[0]!.buffer.byteLength < 3 * bytes, `${chunks[0]!.buffer.byteLength} bytes for ${bytes}`)
})

test('a small read keeps no more than three times the memory that it counts for', async () => {
  const { log } = await openLog({}, { tailCacheBytes: 0 })
  for (let count = 0; count < 100; count++) append(log, ['x'.repeat(8_500)])
  for (const [from, maxBytes] of [
    [50, 9_000],
    [51, 9_000],
    [98, 1 << 20],
    [0, 40_000],
    [99, 1],
  ] as const) {
    const { bytes, chunks } = log.read(from, { ...ALL, maxBytes })
    assert.deepEqual(valuesOf(log, from, maxBytes), new Array(100 - from).fill('x'.repeat(8_500)))
    const { byteLength } = chunks[0]!.buffer
    assert.ok(bytes > 0 && byteLength <= 3 * bytes, `${byteLength} bytes for ${bytes} from ${from}`)
  }
})

test('KAFKA-12964: the snapshot of a segment that was deleted is not mistaken for one of the same name', async () => {
  const { log, disk, clock } = await openLog({ segmentBytes: 300, fileDeleteDelayMs: 1_000 })
  const producer = { producerId: 1, producerEpoch: 0 }
  for (let baseSequence = 0; baseSequence < 6; baseSequence++) append(log, ['x'], { ...producer, baseSequence })
  const snapshots = () => disk.list('/logs/t-0').filter(name => name.endsWith('.snapshot'))
  const before = snapshots()
  assert.ok(before.length > 0)
  await log.truncateFullyAndStartAt(0)
  for (let baseSequence = 0; baseSequence < 6; baseSequence++) append(log, ['x'], { ...producer, baseSequence })
  assert.deepEqual(snapshots(), before)
  await clock.advance(5_000)
  assert.deepEqual(snapshots(), before)
})

test('a full segment is rolled and reads go on across segments', async () => {
  for (const tailCacheBytes of [0, 1 << 20]) {
    const { log } = await openLog({ segmentBytes: 300, indexIntervalBytes: 100 }, { tailCacheBytes })
    const values = Array.from({ length: 50 }, (_, index) => `value-${index}`)
    for (const value of values) append(log, [value])
    assert.ok(log.segmentBaseOffsets.length > 10)
    assert.deepEqual(valuesOf(log), values)
    assert.deepEqual(valuesOf(log, 17), values.slice(17))
    assert.deepEqual(valuesOf(log, 17, 1), values.slice(17))
  }
})

test('a clean stop and start keeps everything and needs no recovery', async () => {
  const { disk, manager, log, clock } = await openLog({ segmentBytes: 300, indexIntervalBytes: 100 })
  const values = Array.from({ length: 20 }, (_, index) => `value-${index}`)
  for (const value of values) append(log, [value], { producerId: 7, producerEpoch: 0, baseSequence: log.logEndOffset })
  log.highWatermark = 18
  await manager.close({ brokerEpoch: 33 })
  assert.ok(disk.list('/logs').includes('.kafka_cleanshutdown'))
  const again = await openLog({ segmentBytes: 300, indexIntervalBytes: 100 }, { disk, clock })
  assert.ok(!disk.list('/logs').includes('.kafka_cleanshutdown'))
  assert.equal(again.log.logEndOffset, 20)
  assert.equal(again.log.recoveryPoint, 20)
  assert.equal(again.log.highWatermark, 18)
  assert.equal(again.log.latestEpoch, 0)
  assert.deepEqual(valuesOf(again.log), values)
  assert.equal(again.log.producerStates()[0]?.lastSequence, 19)
  append(again.log, ['next'], { producerId: 7, producerEpoch: 0, baseSequence: 20 })
  assert.deepEqual(valuesOf(again.log, 20), ['next'])
})

test('truncation keeps what is below and the log goes on from there', async () => {
  for (const tailCacheBytes of [0, 1 << 20]) {
    const { log } = await openLog({ segmentBytes: 300, indexIntervalBytes: 100 }, { tailCacheBytes })
    for (let index = 0; index < 30; index++) append(log, [`value-${index}`])
    log.highWatermark = 30
    await log.truncateTo(13)
    assert.equal(log.logEndOffset, 13)
    assert.equal(log.highWatermark, 13)
    append(log, ['new'])
    assert.deepEqual(valuesOf(log, 11), ['value-11', 'value-12', 'new'])
  }
})

test('KAFKA-10706: a cut at the end of the log takes no batch, and the epochs that wrote none', async () => {
  const { log } = await openLog()
  append(log, ['a'])
  log.assignLeaderEpoch(3, 1)
  await log.truncateTo(1)
  assert.deepEqual([log.logEndOffset, log.latestEpoch], [1, 0])
})

test('a group of flushes shares a sync', async () => {
  const { disk, log } = await openLog({ flushMessages: 1 })
  assert.ok(log.mustSyncBeforeAck)
  append(log, ['warm'])
  await log.flush()
  const trace = disk.startTrace()
  append(log, ['a'])
  const flushes = [log.flushed(2)]
  for (let index = 0; index < 10; index++) {
    append(log, ['b'])
    flushes.push(log.flushed(log.logEndOffset))
  }
  await Promise.all(flushes)
  assert.equal(log.recoveryPoint, 12)
  assert.equal(trace.filter(line => line.startsWith('sync ')).length, 2)
})

test('KAFKA-10778: a full disk fails the append, leaves no part of it and takes the directory offline before the next one', async () => {
  const { disk, manager, log } = await openLog()
  append(log, ['a'])
  const failures: string[] = []
  manager.onDirectoryFailure((directory, partitions) => failures.push(`${directory} ${partitions.length}`))
  const size = log.size
  disk.setCapacity(disk.usedBytes + 20)
  assert.throws(() => append(log, ['b']), { code: 'KAFKA_STORAGE_ERROR' })
  assert.equal(disk.stat('/logs/t-0/00000000000000000000.log')?.size, size)
  assert.deepEqual(failures, ['/logs 1'])
  assert.ok(log.isOffline)
  disk.setCapacity(Number.POSITIVE_INFINITY)
  assert.throws(() => append(log, ['b']), { code: 'KAFKA_STORAGE_ERROR' })
  assert.throws(() => log.read(0, ALL), { code: 'KAFKA_STORAGE_ERROR' })
  assert.equal(manager.getLog(log.topicPartition), undefined)
  assert.throws(() => manager.getOrCreateLog({ topic: 'u', partition: 0 }), { code: 'KAFKA_STORAGE_ERROR' })
})

test('a failed sync takes the directory offline and is never tried again', async () => {
  const { disk, log } = await openLog()
  append(log, ['a'])
  disk.failNext({ operation: 'sync', path: path => path.endsWith('.log') })
  await assert.rejects(log.flush(), { code: 'KAFKA_STORAGE_ERROR' })
  await assert.rejects(log.flush(), { code: 'KAFKA_STORAGE_ERROR' })
  assert.throws(() => append(log, ['b']), { code: 'KAFKA_STORAGE_ERROR' })
  assert.equal(log.recoveryPoint, 0)
})

test('a deleted log is gone at once, also while it is being written, and can be made again', async () => {
  const { manager, log, disk, clock } = await openLog()
  append(log, ['a'])
  const flush = Promise.allSettled([log.flush()])
  manager.deleteLog(log.topicPartition)
  const again = manager.getOrCreateLog(log.topicPartition, { topicId: 'O7ZO3EI9Si25QabCkc3o9w' })
  await flush
  append(again, ['b'])
  await again.flush()
  assert.deepEqual(valuesOf(again), ['b'])
  assert.equal(disk.list('/logs').filter(name => name.endsWith('-delete')).length, 1)
  await clock.advance(60_001)
  assert.equal(disk.list('/logs').filter(name => name.endsWith('-delete')).length, 0)
  assert.equal(log.isOffline, false)
})

test('a flush that waits for another one fails when the log is deleted, and misses no file', async () => {
  const errors: string[] = []
  const logger = { ...silentLogger, child: () => logger, error: (_: object, message: string) => errors.push(message) }
  const { manager, log } = await openLog({}, { logger })
  append(log, ['a'])
  const first = Promise.allSettled([log.flush()])
  append(log, ['b'])
  const second = assert.rejects(log.flush(), { code: 'NOT_LEADER_OR_FOLLOWER' })
  manager.deleteLog(log.topicPartition)
  await Promise.all([first, second])
  assert.deepEqual(errors, [])
})

test('bytes that the log gave out do not change with later appends', async () => {
  const { log } = await openLog()
  append(log, ['a'])
  const slice = log.read(0, ALL)
  const before = Buffer.concat(slice.chunks)
  for (let index = 0; index < 100; index++) append(log, ['more'])
  assert.deepEqual(Buffer.concat(slice.chunks), before)
  assert.equal(before.length, batchOf(['a']).length)
})
