import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../platform/index.ts'
import { batches, ErrorCode } from '../protocol/index.ts'
import { batchOf, type OneBroker, openOneBroker, params, wanted } from './one-broker.fixture.ts'

const TWO = { directories: ['/d0', '/d1'] }

const directoryOf = (broker: OneBroker): string | undefined => broker.replicas.partition('a', 0).log?.directory

const elsewhere = (broker: OneBroker): string => (directoryOf(broker) === '/d0' ? '/d1' : '/d0')

const move = (broker: OneBroker, directory: string): number | undefined =>
  broker.replicas.alterLogDirectories([{ topic: 'a', partition: 0, directory }])[0]

/** Names of what lies in a directory and belongs to partition a-0. */
const names = (broker: OneBroker, directory: string): string[] =>
  broker.disk
    .list(directory)
    .filter(name => name.startsWith('a-0'))
    .map(name => name.replace(/[0-9a-f]{32}/, 'X'))

/** Bytes of all records, read as a consumer does. */
async function readAll(broker: OneBroker): Promise<number> {
  const { log } = broker.replicas.partition('a', 0)
  let [fetchOffset, bytes] = [log!.logStartOffset, 0]
  while (fetchOffset < log!.logEndOffset) {
    const [result] = await broker.fetch([wanted('a', 0, { fetchOffset })], params({ maxWaitMs: 0 }))
    assert.equal(result?.errorCode, ErrorCode.NONE)
    bytes += result.recordBytes
    for (const batch of result.records.flatMap(chunk => [...batches(chunk)])) fetchOffset = batch.lastOffset + 1
  }
  return bytes
}

test('directories are described with their partitions, sizes and free space', async () => {
  const broker = await openOneBroker({ a: 2, b: 1 }, TWO)
  broker.append('a', 0, batchOf(3))
  const described = broker.replicas.describeLogDirectories(topic => topic === 'a')
  assert.deepEqual(
    described.map(({ logDir, errorCode }) => [logDir, errorCode]),
    [
      ['/d0', 0],
      ['/d1', 0],
    ],
  )
  const partitions = described.flatMap(({ topics }) => topics.flatMap(({ partitions: found }) => found))
  assert.deepEqual(
    partitions.toSorted((a, b) => a.partitionIndex - b.partitionIndex),
    [
      { partitionIndex: 0, partitionSize: batchOf(3).length, offsetLag: 0, isFutureKey: false },
      { partitionIndex: 1, partitionSize: 0, offsetLag: 0, isFutureKey: false },
    ],
  )
  assert.ok(described.every(({ totalBytes, usableBytes }) => totalBytes > 0 && usableBytes > 0))
  await broker.close()
})

test('a partition moves to another directory with all its records, and serves on', async () => {
  const broker = await openOneBroker({ a: 1 }, { ...TWO, topicConfig: { segmentBytes: 2000 } })
  for (let count = 0; count < 50; count++) broker.append('a', 0, batchOf(2, 100))
  const before = await readAll(broker)
  const [from, to] = [directoryOf(broker)!, elsewhere(broker)]
  assert.equal(move(broker, to), ErrorCode.NONE)
  assert.deepEqual(names(broker, to), ['a-0.X-future'])
  broker.append('a', 0, batchOf(2, 100))
  await broker.clock.settle()
  assert.equal(directoryOf(broker), to)
  assert.deepEqual(names(broker, to), ['a-0'])
  assert.deepEqual(names(broker, from), ['a-0.X-delete'])
  assert.equal(await readAll(broker), before + batchOf(2, 100).length)
  broker.append('a', 0, batchOf(1))
  const partition = broker.replicas.partition('a', 0)
  assert.equal(partition.fetchLimit('high_watermark'), 103)
  assert.deepEqual(partition.log?.offsetForLeaderEpoch(0), { epoch: 0, endOffset: 103 })
  await broker.clock.advance(61_000)
  assert.deepEqual(names(broker, from), [])
  await broker.close()
})

test('no record is lost or doubled by a move while producers go on', async () => {
  for (const flushMessages of [1, Number.MAX_SAFE_INTEGER]) {
    const broker = await openOneBroker(
      { a: 1 },
      { ...TWO, topicConfig: { segmentBytes: 200_000, flushMessages }, moveBytesPerSecond: 40_000_000 },
    )
    const produced: number[] = []
    const produce = async (): Promise<void> => {
      const result = await broker.produce('a', 0, batchOf(1, 50_000), -1)
      if (result.errorCode === ErrorCode.NONE) produced.push(result.baseOffset)
    }
    for (let count = 0; count < 60; count++) await Promise.all([produce(), broker.clock.settle()])
    const to = elsewhere(broker)
    move(broker, to)
    for (let count = 0; directoryOf(broker) !== to; count++) {
      assert.ok(count < 2000, 'the move never ends')
      const writing = produce()
      await broker.clock.advance(count % 7)
      await writing
    }
    for (let count = 0; count < 5; count++) await Promise.all([produce(), broker.clock.settle()])
    assert.deepEqual(
      produced,
      produced.map((_, index) => index),
    )
    assert.equal(await readAll(broker), produced.length * batchOf(1, 50_000).length)
    await broker.close()
  }
})

test('a log whose directory fails in the moment in which its copy takes over is in one directory after a restart', async () => {
  const broker = await openOneBroker({ a: 1, b: 2 }, TWO)
  for (let count = 0; count < 3; count++) broker.append('a', 0, batchOf(1))
  const from = directoryOf(broker)!
  const beside = [0, 1].find(index => broker.replicas.partition('b', index).log?.directory === from)!
  move(broker, elsewhere(broker))
  const settling = broker.clock.settle()
  for (let turn = 0; directoryOf(broker) !== undefined; turn++) {
    assert.ok(turn < 1_000, 'the copy never takes over')
    await Promise.resolve()
  }
  broker.disk.failNext({ operation: 'write', path: path => path.startsWith(from) })
  const refused = await broker.produce('b', beside, batchOf(1), 1)
  assert.equal(refused.errorCode, ErrorCode.KAFKA_STORAGE_ERROR)
  await settling
  await broker.clock.settle()
  assert.throws(() => directoryOf(broker), { code: 'KAFKA_STORAGE_ERROR' })
  const again = await broker.crash(seededRandom(1), 1)
  await again.clock.settle()
  const lying = ['/d0', '/d1'].filter(directory => names(again, directory).includes('a-0'))
  assert.equal(lying.length, 1)
  assert.equal(await readAll(again), 3 * batchOf(1).length)
  await again.close()
})

test('what was acknowledged during a move is there after a kill or a power cut at any moment of it', async () => {
  let movedBefore = 0
  for (let moment = 0; moment < 240; moment++) {
    const random = seededRandom(moment)
    const isKill = moment % 2 === 0
    const broker = await openOneBroker({ a: 1 }, { ...TWO, topicConfig: isKill ? {} : { flushMessages: 1 } })
    let acknowledged = 0
    const produce = async (): Promise<void> => {
      const result = await broker.produce('a', 0, batchOf(1), -1)
      if (result.errorCode === ErrorCode.NONE) acknowledged++
    }
    for (let count = 0; count < 3; count++) await Promise.all([produce(), broker.clock.settle()])
    const to = elsewhere(broker)
    move(broker, to)
    void broker.clock.settle()
    for (let turn = 0; turn < moment; turn++) {
      if (random.next() < 0.3) void produce()
      await Promise.resolve()
    }
    if (directoryOf(broker) === to) movedBefore++
    const promised = acknowledged
    const again = await broker.crash(random, isKill ? 1 : undefined)
    await again.clock.settle()
    assert.ok((await readAll(again)) >= promised * batchOf(1).length, `moment ${moment}: ${promised} were acknowledged`)
    await again.close()
  }
  assert.ok(movedBefore > 10 && movedBefore < 230, `${movedBefore} moves had ended`)
})

test('a copy that a power cut tore goes on from what was synced of it, whichever of its files are left', async () => {
  const record = { key: new Uint8Array(3), value: new Uint8Array(10), timestamp: 1000 }
  const batch = batchOf(0, 0, { records: [record] })
  let torn = 0
  for (const cleanupPolicy of ['delete', 'compact'] as const) {
    for (let moment = 0; moment < 200; moment++) {
      const topicConfig = { flushMessages: 1, segmentBytes: 2 * batch.length, cleanupPolicy: [cleanupPolicy] }
      const broker = await openOneBroker({ a: 1 }, { ...TWO, topicConfig })
      for (let count = 0; count < 9; count++) {
        await Promise.all([broker.produce('a', 0, batch.slice(), -1), broker.clock.settle()])
      }
      const to = elsewhere(broker)
      move(broker, to)
      void broker.clock.settle()
      // Before most of the copy is synced.
      for (let turn = 0; turn < moment % 12; turn++) await Promise.resolve()
      const again = await broker.crash(seededRandom(moment))
      if (names(again, to).includes('a-0.X-future')) torn++
      await again.clock.settle()
      assert.equal(again.replicas.partition('a', 0).log?.logStartOffset, 0, `${cleanupPolicy} ${moment}`)
      assert.equal(await readAll(again), 9 * batch.length, `${cleanupPolicy} ${moment}`)
      await again.close()
    }
  }
  assert.ok(torn > 20, `${torn} copies were torn`)
})

test('nothing is copied while checkpoints speak of a copy that was there before', async () => {
  const topicConfig = { segmentBytes: 1_000_000 }
  const broker = await openOneBroker({ a: 1 }, { ...TWO, topicConfig, moveBytesPerSecond: 20_000 })
  for (let count = 0; count < 6; count++) broker.append('a', 0, batchOf(1, 600_000))
  const [from, to] = [directoryOf(broker)!, elsewhere(broker)]
  move(broker, to)
  await broker.clock.advance(65_000)
  const checkpoint = `${to}/recovery-point-offset-checkpoint`
  const size = broker.disk.stat(checkpoint)!.size
  assert.ok(size > '0\n0\n'.length, 'the first copy was never spoken of')
  const trace = broker.disk.startTrace()
  move(broker, from)
  move(broker, to)
  await broker.clock.settle()
  const [copied] = trace.filter(line => line.startsWith('write') && line.includes('-future/000'))
  assert.ok(copied !== undefined)
  const before = trace.slice(0, trace.indexOf(copied))
  const replaced = before.indexOf(`rename ${checkpoint}.tmp ${checkpoint}`)
  assert.ok(replaced >= 0 && before.lastIndexOf(`sync-directory ${to}`) > replaced, before.join('\n'))
  await broker.close()
})

test('a moved log keeps where it starts and what it knows of producers', async () => {
  const broker = await openOneBroker({ a: 1 }, TWO)
  broker.append('a', 0, batchOf(5, 10, { producerId: 9, producerEpoch: 0, baseSequence: 0 }))
  await broker.replicas.deleteRecords([{ topic: 'a', partition: 0, offset: 2 }], 1000)
  move(broker, elsewhere(broker))
  await broker.clock.settle()
  const { log } = broker.replicas.partition('a', 0)
  assert.equal(log?.logStartOffset, 2)
  assert.deepEqual(
    log?.producerStates().map(({ producerId, lastSequence }) => [producerId, lastSequence]),
    [[9, 4]],
  )
  await broker.close()
})

test('a move that a stop interrupted goes on after the restart', async () => {
  const broker = await openOneBroker({ a: 1 }, TWO)
  broker.append('a', 0, batchOf(5))
  const to = elsewhere(broker)
  move(broker, to)
  await broker.close()
  const again = await broker.restart()
  await again.clock.settle()
  assert.equal(directoryOf(again), to)
  assert.equal(await readAll(again), batchOf(5).length)
  await again.close()
})

test('another wish replaces a move under way, and moving back ends it', async () => {
  const broker = await openOneBroker({ a: 1 }, { directories: ['/d0', '/d1', '/d2'] })
  broker.append('a', 0, batchOf(5))
  const from = directoryOf(broker)!
  const [first, second] = ['/d0', '/d1', '/d2'].filter(path => path !== from) as [string, string]
  assert.equal(move(broker, first), ErrorCode.NONE)
  assert.equal(move(broker, second), ErrorCode.NONE)
  assert.deepEqual(names(broker, first), ['a-0.X-delete'])
  assert.equal(move(broker, from), ErrorCode.NONE)
  await broker.clock.settle()
  assert.equal(directoryOf(broker), from)
  assert.deepEqual(names(broker, second), ['a-0.X-delete'])
  await broker.close()
})

test('a partition that is deleted takes the copy under way with it', async () => {
  const broker = await openOneBroker({ a: 1 }, TWO)
  broker.append('a', 0, batchOf(5))
  const to = elsewhere(broker)
  move(broker, to)
  broker.deleteTopic('a')
  await broker.clock.settle()
  assert.deepEqual(names(broker, to), ['a-0.X-delete'])
  await broker.close()
})

test('directories and partitions that are not there are refused', async () => {
  const broker = await openOneBroker({ a: 1 }, TWO)
  assert.equal(move(broker, '/elsewhere'), ErrorCode.LOG_DIR_NOT_FOUND)
  const [unknown] = broker.replicas.alterLogDirectories([{ topic: 'b', partition: 0, directory: '/d1' }])
  assert.equal(unknown, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  broker.createTopic('b', 1)
  assert.equal(broker.replicas.partition('b', 0).log?.directory, '/d1')
  await broker.close()
})

test('partitions of a directory whose disk failed answer KAFKA_STORAGE_ERROR, those of others go on', async () => {
  const broker = await openOneBroker({ a: 2 }, TWO)
  const [failing, well] = [0, 1].map(index => broker.replicas.partition('a', index)) as [never, never] as [
    ReturnType<OneBroker['replicas']['partition']>,
    ReturnType<OneBroker['replicas']['partition']>,
  ]
  const path = failing.log!.directory
  assert.notEqual(path, well.log!.directory)
  const waiting = broker.fetch([wanted('a', 0)], params())
  broker.disk.failNext({ operation: 'write', path: written => written.startsWith(`${path}/`), times: 100 })
  assert.equal((await broker.produce('a', 0, batchOf(1))).errorCode, ErrorCode.KAFKA_STORAGE_ERROR)
  await broker.clock.settle()
  assert.equal((await waiting)[0]?.errorCode, ErrorCode.KAFKA_STORAGE_ERROR)
  assert.equal((await broker.produce('a', 0, batchOf(1))).errorCode, ErrorCode.KAFKA_STORAGE_ERROR)
  assert.throws(() => broker.replicas.partition('a', 0), { code: 'KAFKA_STORAGE_ERROR' })
  assert.equal((await broker.produce('a', 1, batchOf(1))).errorCode, ErrorCode.NONE)
  const described = broker.replicas.describeLogDirectories(() => true)
  assert.equal(described.find(({ logDir }) => logDir === path)?.errorCode, ErrorCode.KAFKA_STORAGE_ERROR)
  await broker.close()
})
