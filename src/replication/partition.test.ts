import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode } from '../protocol/index.ts'
import { legacyOffsets, listOffset, OffsetSpec } from './list-offset.ts'
import { batchOf, openOneBroker, params, wanted } from './one-broker.fixture.ts'

test('a new leader tells no latest offset before the records of its predecessor are settled', async () => {
  const broker = await openOneBroker({ a: 1 })
  broker.lead('a', 0, { replicas: [0, 1], isr: [0, 1] })
  void broker.produce('a', 0, batchOf(3), -1)
  broker.lead('a', 0, { leaderEpoch: 1 })
  const partition = broker.replicas.partition('a', 0)
  const latest = (isolation: 'high_watermark' | undefined) =>
    listOffset(partition, { timestamp: OffsetSpec.LATEST, currentLeaderEpoch: -1, isolation, requireLeader: true })
  assert.throws(() => latest('high_watermark'), { code: 'OFFSET_NOT_AVAILABLE' })
  assert.equal(latest(undefined)?.offset, 3)
  broker.lead('a', 0, { isr: [0] })
  assert.equal(latest('high_watermark')?.offset, 3)
  await broker.close()
})

test('the high watermark stays below a replica in sync that has not fetched in this leader epoch', async () => {
  const broker = await openOneBroker({ a: 1 })
  broker.lead('a', 0, { replicas: [0, 1, 2], isr: [0, 1] })
  const partition = broker.replicas.partition('a', 0)
  broker.append('a', 0, batchOf(4))
  const follow = (replicaId: number, fetchOffset: number) =>
    broker.fetch([wanted('a', 0, { fetchOffset, logStartOffset: 0 })], follower(replicaId))
  await follow(2, 4)
  assert.equal(partition.fetchLimit('high_watermark'), 0)
  await follow(1, 2)
  assert.equal(partition.fetchLimit('high_watermark'), 2)
  broker.lead('a', 0, { isr: [0, 2] })
  assert.equal(partition.fetchLimit('high_watermark'), 4)
  await broker.close()
})

test('a new term lets nobody see what is not synced yet, where records are synced before they are acknowledged', async () => {
  const broker = await openOneBroker({ a: 1 }, { topicConfig: { flushMessages: 1 } })
  const partition = broker.replicas.partition('a', 0)
  void broker.produce('a', 0, batchOf(1), -1)
  await partition.log!.flushed(1)
  void broker.produce('a', 0, batchOf(2), -1)
  broker.lead('a', 0, { leaderEpoch: 1 })
  assert.equal(partition.fetchLimit('high_watermark'), 1)
  await partition.log!.flushed(3)
  assert.equal(partition.fetchLimit('high_watermark'), 3)
  await broker.close()
})

const follower = (replicaId: number) => params({ replicaId, isolation: 'log_end', maxWaitMs: 0 })

test('what is synced while the log gives way to its copy is committed as soon as the copy is there', async () => {
  const broker = await openOneBroker({ a: 1 }, { topicConfig: { flushMessages: 1 } })
  const partition = broker.replicas.partition('a', 0)
  const produced = broker.produce('a', 0, batchOf(1), -1)
  const log = partition.detachLog()
  await log.flush()
  await broker.clock.settle()
  partition.attachLog(log)
  await broker.clock.settle()
  assert.equal(log.highWatermark, 1)
  await produced
  await broker.close()
})

test('listeners hear of commits and of the end of leadership', async () => {
  const broker = await openOneBroker({ a: 1 })
  const heard: string[] = []
  broker.replicas.partition('a', 0).addListener({
    highWatermarkAdvanced: offset => heard.push(`committed ${offset}`),
    becameLeader: epoch => heard.push(`leads in ${epoch}`),
    lostLeadership: () => heard.push('lost'),
  })
  broker.append('a', 0, batchOf(2))
  broker.lead('a', 0, { leaderEpoch: 1 })
  broker.lead('a', 0, { leaderEpoch: 2, leader: 5, replicas: [0, 5] })
  assert.deepEqual(heard, ['committed 2', 'leads in 1', 'lost'])
  await broker.close()
})

test('a state that is older than the current one is ignored', async () => {
  const broker = await openOneBroker({ a: 1 })
  const partition = broker.replicas.partition('a', 0)
  broker.lead('a', 0, { leaderEpoch: 3, partitionEpoch: 9 })
  partition.applyState({ ...partition.state, leaderEpoch: 2, leader: 7, partitionEpoch: 10 })
  partition.applyState({ ...partition.state, partitionEpoch: 8, isr: [] })
  assert.equal(partition.isLeader, true)
  assert.deepEqual(partition.state.isr, [0])
  await broker.close()
})

test('ListOffsets v0 answers with starts of segments, newest first, and the end', async () => {
  const size = batchOf(1, 100).length
  const broker = await openOneBroker({ a: 1 }, { topicConfig: { segmentBytes: 2 * size } })
  for (let count = 0; count < 5; count++) broker.append('a', 0, batchOf(1, 100, {}, 1000 * (count + 1)))
  const partition = broker.replicas.partition('a', 0)
  const nowMs = broker.clock.now()
  const list = (timestamp: number, maxOffsets = 10) =>
    legacyOffsets(partition, { timestamp, maxOffsets, isClient: true, requireLeader: true, nowMs })
  assert.deepEqual(list(OffsetSpec.LATEST), [5, 4, 2, 0])
  assert.deepEqual(list(OffsetSpec.LATEST, 2), [5, 4])
  assert.deepEqual(list(OffsetSpec.EARLIEST), [0])
  assert.deepEqual(list(nowMs), [5, 4, 2, 0])
  assert.deepEqual(list(4000), [2, 0])
  assert.deepEqual(list(3999), [0])
  assert.deepEqual(list(1), [])
  await broker.close()
})

test('a log of a former topic of the same name is set aside, not deleted and not taken over', async () => {
  const first = await openOneBroker({ a: 1 })
  first.append('a', 0, batchOf(3))
  await first.close()
  const second = await first.restart({ withoutTopics: true })
  second.createTopic('other', 1)
  second.createTopic('a', 1)
  assert.equal(second.replicas.partition('a', 0).fetchLimit('log_end'), 0)
  const names = second.disk.list('/logs').map(name => name.replace(/[0-9a-f]{32}/, 'X'))
  assert.ok(names.includes('a-0.X-stray'), names.join())
  await second.close()
})

test('while a directory is missing, a log that may be in there is not made anew elsewhere', async () => {
  const first = await openOneBroker({ a: 2 }, { directories: ['/d0', '/d1'] })
  for (const index of [0, 1]) first.append('a', index, batchOf(3))
  await first.close()
  first.disk.failNext({ operation: 'list', path: path => path === '/d0', times: 100 })
  const second = await first.restart()
  const codes = await Promise.all([0, 1].map(async index => (await second.produce('a', index, batchOf(1))).errorCode))
  assert.deepEqual(codes.toSorted(), [ErrorCode.NONE, ErrorCode.KAFKA_STORAGE_ERROR].toSorted())
  second.createTopic('new', 2)
  for (const index of [0, 1]) second.append('new', index, batchOf(1))
  await second.close()
})
