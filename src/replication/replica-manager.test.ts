import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../platform/index.ts'
import { ErrorCode } from '../protocol/index.ts'
import type { AppendResult } from './append.ts'
import { listOffset, OffsetSpec } from './list-offset.ts'
import { batchOf, type OneBroker, openOneBroker, params, wanted } from './one-broker.fixture.ts'

test('an append with one replica is acknowledged in the same turn and is readable at once', async () => {
  const broker = await openOneBroker({ a: 2 })
  const entries = [
    { topic: 'a', partition: 0, records: batchOf(2) },
    { topic: 'a', partition: 1, records: batchOf(3) },
  ]
  const results = broker.replicas.appendRecords({ acks: -1, timeoutMs: 1000, origin: 'client', entries })
  assert.ok(!(results instanceof Promise))
  assert.deepEqual(
    results.map(({ index, errorCode, baseOffset }) => ({ index, errorCode, baseOffset })),
    [
      { index: 0, errorCode: 0, baseOffset: 0 },
      { index: 1, errorCode: 0, baseOffset: 0 },
    ],
  )
  assert.equal(broker.replicas.partition('a', 1).fetchLimit('high_watermark'), 3)
  await broker.close()
})

test('one bad partition of a produce request does not touch the others', async () => {
  const broker = await openOneBroker({ a: 1, __consumer_offsets: 1 })
  const corrupt = batchOf(1).slice()
  corrupt[corrupt.length - 1]! ^= 1
  const entry = (topic: string, partition: number, records: Uint8Array | null = batchOf(1)) => ({
    topic,
    partition,
    records,
  })
  const entries = [
    entry('a', 0, corrupt),
    entry('a', 0),
    entry('a', 9),
    entry('nowhere', 0),
    entry('__consumer_offsets', 0),
    entry('a', 0, null),
  ]
  const results = await broker.replicas.appendRecords({ acks: 1, timeoutMs: 1000, origin: 'client', entries })
  assert.deepEqual(
    results.map(result => result.errorCode),
    [
      ErrorCode.CORRUPT_MESSAGE,
      ErrorCode.NONE,
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      ErrorCode.INVALID_TOPIC_EXCEPTION,
      ErrorCode.INVALID_RECORD,
    ],
  )
  await broker.close()
})

test('acknowledgements other than none, one and all are refused without an append', async () => {
  const broker = await openOneBroker({ a: 1 })
  const entries = [{ topic: 'a', partition: 0, records: batchOf(1) }]
  const [result] = await broker.replicas.appendRecords({ acks: 2, timeoutMs: 1000, origin: 'client', entries })
  assert.equal(result?.errorCode, ErrorCode.INVALID_REQUIRED_ACKS)
  assert.equal(broker.replicas.partition('a', 0).fetchLimit('log_end'), 0)
  await broker.close()
})

test('coordinators may write to internal topics', async () => {
  const broker = await openOneBroker({ __consumer_offsets: 1 })
  const entries = [{ topic: '__consumer_offsets', partition: 0, records: batchOf(1) }]
  const request = { acks: -1, timeoutMs: 1000, origin: 'coordinator', allowInternalTopics: true, entries } as const
  const [result] = await broker.replicas.appendRecords(request)
  assert.equal(result?.errorCode, ErrorCode.NONE)
  await broker.close()
})

test('with too few replicas in sync acks=all is refused, acks=1 is not', async () => {
  const broker = await openOneBroker({ a: 1 }, { topicConfig: { minInSyncReplicas: 2 } })
  broker.lead('a', 0, { replicas: [0, 1], isr: [0] })
  assert.equal((await broker.produce('a', 0, batchOf(1), -1)).errorCode, ErrorCode.NOT_ENOUGH_REPLICAS)
  assert.equal((await broker.produce('a', 0, batchOf(1), 1)).errorCode, ErrorCode.NONE)
  await broker.close()
})

test('acks=all waits until every in-sync replica has fetched past the records', async () => {
  const broker = await openOneBroker({ a: 1 })
  broker.lead('a', 0, { replicas: [0, 1], isr: [0, 1] })
  const partition = broker.replicas.partition('a', 0)
  const answers: AppendResult[] = []
  void Promise.resolve(broker.produce('a', 0, batchOf(2), -1)).then(answer => answers.push(answer))
  const follow = (fetchOffset: number) =>
    broker.fetch(
      [wanted('a', 0, { fetchOffset, logStartOffset: 0 })],
      params({ replicaId: 1, isolation: 'log_end', maxWaitMs: 0 }),
    )
  await follow(0)
  await broker.clock.settle()
  assert.equal(answers.length, 0)
  assert.equal(partition.fetchLimit('high_watermark'), 0)
  await follow(2)
  await broker.clock.settle()
  assert.equal(answers[0]?.errorCode, ErrorCode.NONE)
  assert.equal(answers[0]?.baseOffset, 0)
  assert.equal(partition.fetchLimit('high_watermark'), 2)
  await broker.close()
})

test('acks=all times out when a replica in sync does not follow', async () => {
  const broker = await openOneBroker({ a: 1 })
  broker.lead('a', 0, { replicas: [0, 1], isr: [0, 1] })
  const produced = broker.produce('a', 0, batchOf(2), -1)
  await broker.clock.advance(1100)
  assert.equal((await produced).errorCode, ErrorCode.REQUEST_TIMED_OUT)
  await broker.close()
})

test('a broker that is no replica may not follow', async () => {
  const broker = await openOneBroker({ a: 1 })
  const [result] = await broker.fetch([wanted('a', 0)], params({ replicaId: 9, isolation: 'log_end' }))
  assert.equal(result?.errorCode, ErrorCode.NOT_LEADER_OR_FOLLOWER)
  await broker.close()
})

test('a partition led elsewhere is neither written nor read here, and the answer names its leader', async () => {
  const broker = await openOneBroker({ a: 1 })
  broker.lead('a', 0, { leader: 4, leaderEpoch: 3, replicas: [4, 0], isr: [4, 0] })
  const appended = await broker.produce('a', 0, batchOf(1))
  assert.equal(appended.errorCode, ErrorCode.NOT_LEADER_OR_FOLLOWER)
  assert.deepEqual(appended.currentLeader, { leaderId: 4, leaderEpoch: 3 })
  const [read] = await broker.fetch([wanted('a', 0)], params())
  assert.equal(read?.errorCode, ErrorCode.NOT_LEADER_OR_FOLLOWER)
  assert.deepEqual(read?.currentLeader, { leaderId: 4, leaderEpoch: 3 })
  await broker.close()
})

test('where the log must sync before it acknowledges, nothing is acknowledged or readable before', async () => {
  const broker = await openOneBroker({ a: 1 }, { topicConfig: { flushMessages: 1 } })
  const produced = broker.produce('a', 0, batchOf(2), 1)
  const partition = broker.replicas.partition('a', 0)
  assert.ok(produced instanceof Promise)
  assert.equal(partition.fetchLimit('high_watermark'), 0)
  assert.equal((await produced).errorCode, ErrorCode.NONE)
  await broker.clock.settle()
  assert.equal(partition.fetchLimit('high_watermark'), 2)
  await broker.close()
})

test('a topic that is deleted and made again begins empty', async () => {
  const broker = await openOneBroker({ a: 1 })
  broker.append('a', 0, batchOf(2))
  broker.deleteTopic('a')
  assert.throws(() => broker.replicas.partition('a', 0), { code: 'UNKNOWN_TOPIC_OR_PARTITION' })
  broker.createTopic('a', 1)
  assert.equal(broker.replicas.partition('a', 0).fetchLimit('log_end'), 0)
  await broker.close()
})

test('records survive a restart, and the high watermark with them', async () => {
  const first = await openOneBroker({ a: 1 })
  first.append('a', 0, batchOf(2))
  await first.close()
  const second = await first.restart()
  const partition = second.replicas.partition('a', 0)
  assert.equal(partition.fetchLimit('high_watermark'), 2)
  const [result] = await second.fetch([wanted('a', 0)], params())
  assert.equal(result?.recordBytes, batchOf(2).length)
  await second.close()
})

test('high watermarks are written to the checkpoint of their directory at every interval', async () => {
  const broker = await openOneBroker({ a: 2 })
  broker.append('a', 1, batchOf(4))
  await broker.clock.advance(5100)
  await broker.clock.settle()
  const lines = broker.file('replication-offset-checkpoint').split('\n').filter(Boolean)
  assert.deepEqual(lines.toSorted(), ['0', '2', 'a 0 0', 'a 1 4'].toSorted())
  await broker.close()
})

test('deleting records moves the log start, and only up to the high watermark', async () => {
  const broker = await openOneBroker({ a: 1, __consumer_offsets: 1 })
  broker.append('a', 0, batchOf(5))
  const deleteTo = async (topic: string, partition: number, offset: number) => {
    const [result] = await broker.replicas.deleteRecords([{ topic, partition, offset }], 1000)
    return [result?.errorCode, result?.lowWatermark]
  }
  assert.deepEqual(await deleteTo('a', 0, 2), [ErrorCode.NONE, 2])
  assert.deepEqual(await deleteTo('a', 0, 6), [ErrorCode.OFFSET_OUT_OF_RANGE, -1])
  assert.deepEqual(await deleteTo('a', 0, -2), [ErrorCode.OFFSET_OUT_OF_RANGE, -1])
  assert.deepEqual(await deleteTo('a', 1, 0), [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, -1])
  assert.deepEqual(await deleteTo('__consumer_offsets', 0, 0), [ErrorCode.INVALID_TOPIC_EXCEPTION, -1])
  const [read] = await broker.fetch([wanted('a', 0, { fetchOffset: 1 })], params())
  assert.equal(read?.errorCode, ErrorCode.OFFSET_OUT_OF_RANGE)
  assert.deepEqual(await deleteTo('a', 0, -1), [ErrorCode.NONE, 5])
  await broker.close()
})

test('KAFKA-6975: a start that lies inside a batch is read from, with the batch, and found again by a restart', async () => {
  const broker = await openOneBroker({ a: 1 })
  for (let count = 0; count < 2; count++) broker.append('a', 0, batchOf(5))
  await broker.replicas.deleteRecords([{ topic: 'a', partition: 0, offset: 7 }], 1000)
  const size = batchOf(5).length
  const read = async (one: OneBroker, fetchOffset: number) => {
    const [result] = await one.fetch([wanted('a', 0, { fetchOffset })], params())
    return [result?.errorCode, result?.logStartOffset, result?.recordBytes]
  }
  assert.deepEqual(await read(broker, 7), [ErrorCode.NONE, 7, size])
  assert.deepEqual(await read(broker, 6), [ErrorCode.OFFSET_OUT_OF_RANGE, -1, 0])
  await broker.close()
  const again = await broker.restart()
  assert.deepEqual(await read(again, 7), [ErrorCode.NONE, 7, size])
  await again.close()
})

test('deleted records do not come back when the power goes after the answer', async () => {
  for (let seed = 0; seed < 20; seed++) {
    const broker = await openOneBroker({ a: 1 }, { topicConfig: { flushMessages: 1 } })
    await Promise.all([broker.produce('a', 0, batchOf(5), -1), broker.clock.settle()])
    const deleting = Promise.resolve(broker.replicas.deleteRecords([{ topic: 'a', partition: 0, offset: 3 }], 1000))
    await Promise.all([deleting, broker.clock.settle()])
    const again = await broker.crash(seededRandom(seed))
    assert.equal(again.replicas.partition('a', 0).log?.logStartOffset, 3)
    await again.close()
  }
})

test('records of a compacted topic cannot be deleted by offset', async () => {
  const broker = await openOneBroker({ a: 1 }, { topicConfig: { cleanupPolicy: ['compact'] } })
  const [result] = await broker.replicas.deleteRecords([{ topic: 'a', partition: 0, offset: 0 }], 1000)
  assert.equal(result?.errorCode, ErrorCode.POLICY_VIOLATION)
  await broker.close()
})

test('offsets are listed by position, by timestamp and by the largest timestamp', async () => {
  const broker = await openOneBroker({ a: 1 })
  const at = (timestamp: number) => batchOf(1, 10, {}, timestamp)
  for (const timestamp of [1000, 3000, 2000]) broker.append('a', 0, at(timestamp))
  const partition = broker.replicas.partition('a', 0)
  const list = (timestamp: number) =>
    listOffset(partition, { timestamp, currentLeaderEpoch: -1, isolation: 'high_watermark', requireLeader: true })
  assert.deepEqual(list(OffsetSpec.LATEST), { timestamp: -1, offset: 3, leaderEpoch: 0 })
  assert.deepEqual(list(OffsetSpec.EARLIEST), { timestamp: -1, offset: 0, leaderEpoch: 0 })
  assert.equal(list(OffsetSpec.EARLIEST_LOCAL)?.offset, 0)
  assert.equal(list(OffsetSpec.LATEST_TIERED)?.offset, -1)
  assert.deepEqual(list(OffsetSpec.MAX_TIMESTAMP), { timestamp: 3000, offset: 1, leaderEpoch: 0 })
  assert.deepEqual(list(1500), { timestamp: 3000, offset: 1, leaderEpoch: 0 })
  assert.equal(list(3001), undefined)
  await broker.close()
})

test('a topic of a thousand partitions is hosted whole', async () => {
  const broker = await openOneBroker({})
  broker.createTopic('many', 1000)
  assert.equal([...broker.replicas.partitions()].length, 1000)
  await broker.close()
})

test('a large topic is given up in many small turns, and is gone when the last one is over', async () => {
  const broker = await openOneBroker({ wide: 2_000, other: 1 })
  const deleting = broker.deleteTopicInTurns('wide')
  const soon = broker.clock.soon.bind(broker.clock)
  let turns = 0
  let before = 2_001
  let most = 0
  broker.clock.soon = callback => {
    turns += 1
    const left = [...broker.replicas.partitions()].length
    most = Math.max(most, before - left)
    before = left
    soon(callback)
  }
  await broker.clock.settle()
  await deleting
  assert.ok(turns >= 15 && most <= 100, `${most} partitions in one of ${turns} turns`)
  assert.deepEqual(
    [...broker.replicas.partitions()].map(({ topicPartition }) => topicPartition.topic),
    ['other'],
  )
  assert.equal(broker.logs.getLog({ topic: 'wide', partition: 1_999 }), undefined)
  await broker.close()
})

test('a partition whose topic is about to go says that it is not led here, until nobody knows it', async () => {
  const broker = await openOneBroker({ wide: 300 })
  const deleting = broker.deleteTopicInTurns('wide')
  // The first turn, and no further: the clock gives the next ones.
  await new Promise(setImmediate)
  assert.throws(() => broker.replicas.partition('wide', 0), { code: 'NOT_LEADER_OR_FOLLOWER' })
  assert.ok(broker.replicas.partition('wide', 299).isLeader)
  await broker.clock.settle()
  await deleting
  assert.throws(() => broker.replicas.partition('wide', 0), { code: 'UNKNOWN_TOPIC_OR_PARTITION' })
  await broker.close()
})
