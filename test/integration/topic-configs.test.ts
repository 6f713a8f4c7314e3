/** Every setting of a topic is set, and its effect seen, or it is said to have none. */
import assert from 'node:assert/strict'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { WireClient } from '../../scripts/fuzz/wire-client.ts'
import { NO_EFFECT, TOPIC_EFFECTS } from '../../scripts/reference/topic-effects.ts'
import { type TopicKeys, topicConfig } from '../../src/config/broker.ts'
import { AdjustableClock, systemClock } from '../../src/platform/index.ts'
import { type BatchInput, batches, decodeRecords, ErrorCode, encodeBatch } from '../../src/protocol/index.ts'
import { ProduceRequest, ProduceResponse } from '../../src/protocol/messages/00-produce.ts'
import { FetchRequest, FetchResponse } from '../../src/protocol/messages/01-fetch.ts'
import {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '../../src/protocol/messages/44-incremental-alter-configs.ts'
import { until } from '../compat/process.ts'
import { TestBroker } from './test-broker.ts'

type Settings = Readonly<Record<string, string>>

const HOUR_MS = 3_600_000
const WEEK_MS = 7 * 24 * HOUR_MS
/** Segments of one batch each. */
const SMALL_SEGMENTS = { 'segment.bytes': '200' }
/** Text that each codec and each of its levels makes smaller in another way. */
const TEXT = Buffer.from(Array.from({ length: 3_000 }, (_, i) => `${(i * i) % 1_009} words, `).join(''))

const clock = new AdjustableClock(systemClock)
let broker: TestBroker
let client: WireClient
let topics = 0

/** A topic with these settings. */
async function topic(settings: Settings): Promise<string> {
  const name = `topic-${++topics}`
  await broker.createTopics({ [name]: settings })
  return name
}

const logOf = (name: string) => broker.server.services.replicas.partition(name, 0).log!
const segments = (name: string): number => logOf(name).segmentBaseOffsets.length

/** Produces a batch; one record with a key, of the broker's time, unless told otherwise. The answer is its error code. */
async function produce(name: string, batch: Partial<BatchInput> = {}): Promise<number> {
  const records = batch.records ?? [{ key: Buffer.from('k'), value: Buffer.alloc(100), timestamp: clock.now() }]
  const answer = await client.call([ProduceRequest, ProduceResponse], 9, {
    acks: -1,
    timeoutMs: 5_000,
    transactionalId: null,
    topicData: [{ name, partitionData: [{ index: 0, records: encodeBatch({ ...batch, records }) }] }],
  })
  return answer.responses[0]!.partitionResponses[0]!.errorCode
}

const at = (timestamp: number): Partial<BatchInput> => ({
  records: [{ key: Buffer.from('k'), value: Buffer.alloc(100), timestamp }],
})

const fetchFirst = (name: string, version = 12) => fetchFrom(name, 0, version)

async function fetchFrom(name: string, fetchOffset: number, version = 12) {
  const answer = await client.call([FetchRequest, FetchResponse], version, {
    maxWaitMs: 0,
    minBytes: 0,
    maxBytes: 1e7,
    topics: [{ topic: name, partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: 1e7 }] }],
  })
  const { errorCode, records } = answer.responses[0]!.partitions[0]!
  return { errorCode, bytes: records ?? new Uint8Array(0) }
}

/** The first batch as it is stored. */
async function stored(name: string) {
  const { bytes } = await fetchFirst(name)
  const [header] = batches(bytes)
  return { header: header!, records: [...decodeRecords(bytes, header!, { maxBytes: 1e7 })] }
}

/** Lets the broker look after its logs, which it does at no other time however long a test takes. */
const laterOn = (): void => clock.advance(HOUR_MS)

const filesOf = (name: string): string[] => readdirSync(join(broker.directory, 'logs', `${name}-0`))

/** Bytes of the stored batch at two levels of a codec: the lower level first. */
async function atLevels(codec: string, levels: readonly [string, string]): Promise<number[]> {
  const sizes: number[] = []
  for (const level of levels) {
    const name = await topic({ 'compression.type': codec, [`compression.${codec}.level`]: level })
    assert.equal(await produce(name, { records: [{ value: TEXT }] }), 0)
    sizes.push((await stored(name)).header.length)
  }
  return sizes
}

/** Segments of a topic whose second record is so much younger than the first. */
async function segmentsAfter(ageMs: number, settings: Settings): Promise<number> {
  const name = await topic({ 'retention.ms': '-1', ...settings })
  const startMs = clock.now() - WEEK_MS
  await produce(name, at(startMs))
  await produce(name, at(startMs + ageMs))
  return segments(name)
}

/** Which of three records a topic takes: of now, of an hour ago, of an hour ahead. */
async function taken(settings: Settings): Promise<string> {
  const name = await topic(settings)
  const codes = [await produce(name), await produce(name, at(clock.now() - HOUR_MS))]
  codes.push(await produce(name, at(clock.now() + HOUR_MS)))
  for (const code of codes) assert.ok(code === ErrorCode.NONE || code === ErrorCode.INVALID_TIMESTAMP)
  return codes.map(code => (code === ErrorCode.NONE ? 'yes' : 'no')).join()
}

/** Creates a topic of three closed segments and an open one. */
async function withSegments(settings: Settings, timestamp = clock.now()): Promise<string> {
  const name = await topic({ ...SMALL_SEGMENTS, ...settings })
  for (let i = 0; i < 4; i++) await produce(name, at(timestamp))
  assert.equal(segments(name), 4)
  return name
}

/** The setting is refused: a topic with it cannot be. */
async function refused(key: keyof TopicKeys): Promise<void> {
  await assert.rejects(topic({ [key]: 'true' }))
}

/** Whatever is closed is worth a cleaning. */
const COMPACTED = { ...SMALL_SEGMENTS, 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0' }

/** Writes batches, the last of them into a segment that stays open, and waits until the others are clean. */
async function cleaned(name: string, written: readonly Partial<BatchInput>[]): Promise<void> {
  for (const batch of [...written, {}, {}]) assert.equal(await produce(name, batch), 0)
  const log = logOf(name)
  await until(`${name} is cleaned`, () => log.cleanedUpTo === log.segmentBaseOffsets.at(-1))
}

/** Offsets and values' sizes of all records of a topic; null for a tombstone. */
async function left(name: string): Promise<[offset: number, bytes: number | null][]> {
  const found: [number, number | null][] = []
  for (let offset = 0; offset < logOf(name).logEndOffset; ) {
    const { bytes } = await fetchFrom(name, offset)
    for (const header of batches(bytes)) {
      for (const { offset: at, value } of decodeRecords(bytes, header, { maxBytes: 1e7 })) {
        found.push([at, value?.length ?? null])
      }
      offset = header.lastOffset + 1
    }
  }
  return found
}

/** Whether the first record of a topic is still there when that of another topic, which has a later one of its key too, is gone. */
async function outlasts(settings: Settings, others: Settings): Promise<boolean> {
  const [late, soon] = [await topic({ ...COMPACTED, ...settings }), await topic({ ...COMPACTED, ...others })]
  for (let i = 0; i < 3; i++) {
    await produce(late)
    await produce(soon)
  }
  await until('the first record is gone', () => logOf(soon).cleanedUpTo === 2)
  assert.deepEqual(
    (await left(soon)).map(([offset]) => offset),
    [1, 2],
  )
  // Whoever looks for the dirtiest log looks at both.
  return (await left(late)).length === 3
}

/** By key, a test that fails when setting it changes nothing; or settings that are accepted and said to do nothing. */
const EFFECTS: Readonly<Record<keyof TopicKeys, (() => Promise<void>) | Settings>> = {
  'cleanup.policy': async () => {
    const noKey = { records: [{ value: Buffer.alloc(1) }] }
    assert.equal(await produce(await topic({ 'cleanup.policy': 'compact' }), noKey), ErrorCode.INVALID_RECORD)
    assert.equal(await produce(await topic({ 'cleanup.policy': 'delete' }), noKey), ErrorCode.NONE)
  },
  'compression.type': async () => {
    for (const codec of ['gzip', 'snappy', 'lz4', 'zstd', 'uncompressed']) {
      const name = await topic({ 'compression.type': codec })
      assert.equal(await produce(name, { compression: codec === 'gzip' ? 'lz4' : 'gzip' }), 0)
      assert.equal((await stored(name)).header.compression, codec === 'uncompressed' ? 'none' : codec)
    }
  },
  'compression.gzip.level': async () => {
    const [low, high] = await atLevels('gzip', ['1', '9'])
    assert.ok(low! > high!, `${low} and ${high} bytes`)
  },
  'compression.lz4.level': async () => {
    const [low, high] = await atLevels('lz4', ['1', '17'])
    assert.ok(low! > high!, `${low} and ${high} bytes`)
  },
  'compression.zstd.level': async () => {
    const [low, high] = await atLevels('zstd', ['-1000', '19'])
    assert.ok(low! > high!, `${low} and ${high} bytes`)
  },
  'delete.retention.ms': async () => {
    const tombstones = async (retention: string): Promise<number> => {
      const name = await topic({ ...COMPACTED, 'delete.retention.ms': retention })
      const other = { records: [{ key: Buffer.from('other'), value: null }] }
      // The first cleaning gives it its time, the next one comes after that, or before.
      await cleaned(name, [other])
      laterOn()
      await cleaned(name, [{}])
      return (await left(name)).filter(([, bytes]) => bytes === null).length
    }
    assert.deepEqual([await tombstones('1000'), await tombstones(`${WEEK_MS}`)], [0, 1])
  },
  'file.delete.delay.ms': async () => {
    const old = clock.now() - HOUR_MS
    const soon = await withSegments({ 'retention.ms': '60000', 'file.delete.delay.ms': '0' }, old)
    const late = await withSegments({ 'retention.ms': '60000', 'file.delete.delay.ms': `${WEEK_MS}` }, old)
    laterOn()
    await until('what is too old is gone', () => segments(soon) === 1 && segments(late) === 1)
    const marked = (name: string): number => filesOf(name).filter(file => file.endsWith('.log.deleted')).length
    await until('the files are gone', () => marked(soon) === 0)
    assert.ok(marked(late) > 0)
  },
  'flush.messages': async () => {
    const [synced, not] = [await topic({ 'flush.messages': '1' }), await topic({})]
    await produce(synced)
    await produce(not)
    assert.deepEqual([logOf(synced).recoveryPoint, logOf(not).recoveryPoint], [1, 0])
  },
  'flush.ms': async () => {
    const [synced, not] = [await topic({ 'flush.ms': '1000' }), await topic({ 'flush.ms': `${WEEK_MS}` })]
    await produce(synced)
    await produce(not)
    laterOn()
    await until('it is flushed', () => logOf(synced).recoveryPoint === 1)
    assert.equal(logOf(not).recoveryPoint, 0)
  },
  'follower.replication.throttled.replicas': { 'follower.replication.throttled.replicas': '*' },
  'leader.replication.throttled.replicas': { 'leader.replication.throttled.replicas': '0:0' },
  'index.interval.bytes': async () => {
    const sizeWith = async (bytes: string): Promise<number> => {
      const name = await topic({ 'index.interval.bytes': bytes, 'segment.bytes': '2000' })
      while (segments(name) === 1) await produce(name)
      return statSync(join(broker.directory, 'logs', `${name}-0`, '00000000000000000000.index')).size
    }
    const [dense, sparse] = [await sizeWith('0'), await sizeWith('1000')]
    assert.ok(dense > 2 * sparse, `${dense} and ${sparse} bytes`)
  },
  'local.retention.bytes': { 'local.retention.bytes': '1' },
  'local.retention.ms': { 'local.retention.ms': '1' },
  'max.compaction.lag.ms': async () => {
    assert.equal(await segmentsAfter(5_000, { 'cleanup.policy': 'compact', 'max.compaction.lag.ms': '1000' }), 2)
    assert.equal(await segmentsAfter(5_000, { 'cleanup.policy': 'delete', 'max.compaction.lag.ms': '1000' }), 1)
    const patient = { 'min.cleanable.dirty.ratio': '1', 'segment.bytes': '200' }
    assert.ok(await outlasts({ ...patient }, { ...patient, 'max.compaction.lag.ms': '1' }))
  },
  'max.message.bytes': async () => {
    const name = await topic({ 'max.message.bytes': '200' })
    assert.equal(await produce(name), ErrorCode.NONE)
    assert.equal(await produce(name, { records: [{ value: Buffer.alloc(200) }] }), ErrorCode.MESSAGE_TOO_LARGE)
  },
  'message.downconversion.enable': async () => {
    const name = await topic({ 'message.downconversion.enable': 'false' })
    await produce(name)
    assert.equal((await fetchFirst(name, 3)).errorCode, ErrorCode.UNSUPPORTED_VERSION)
    assert.equal((await fetchFirst(name, 4)).errorCode, ErrorCode.NONE)
  },
  'message.format.version': async () => {
    const format = { 'message.format.version': '0.10.0' }
    const name = await topic(format)
    await produce(name)
    assert.equal((await stored(name)).header.magic, 2)
    const old = await TestBroker.start({ 'inter.broker.protocol.version': '2.8' })
    try {
      await old.createTopics({ old: format })
      const log = old.server.services.replicas.partition('old', 0).log!
      log.appendAsLeader(encodeBatch({ records: [{ value: TEXT }] }), { leaderEpoch: 0, origin: 'client' })
      const { chunks } = log.read(0, { maxBytes: 1e6, maxOffset: 1, minOneMessage: true })
      assert.equal(chunks[0]![16], 1)
    } finally {
      await old.stop()
    }
  },
  'message.timestamp.after.max.ms': async () => {
    assert.equal(await taken({ 'message.timestamp.after.max.ms': '60000' }), 'yes,yes,no')
  },
  'message.timestamp.before.max.ms': async () => {
    assert.equal(await taken({ 'message.timestamp.before.max.ms': '60000' }), 'yes,no,yes')
  },
  'message.timestamp.difference.max.ms': async () => {
    const difference = { 'message.timestamp.difference.max.ms': '60000' }
    assert.equal(await taken(difference), 'yes,no,no')
    assert.equal(await taken({ ...difference, 'message.timestamp.after.max.ms': `${2 * HOUR_MS}` }), 'yes,no,yes')
  },
  'message.timestamp.type': async () => {
    const name = await topic({ 'message.timestamp.type': 'LogAppendTime' })
    const beforeMs = clock.now()
    await produce(name, at(1))
    const { header, records } = await stored(name)
    assert.equal(header.timestampType, 'LogAppendTime')
    assert.ok(records[0]!.timestamp >= beforeMs)
  },
  'min.cleanable.dirty.ratio': async () => {
    assert.ok(await outlasts({ 'min.cleanable.dirty.ratio': '1' }, { 'min.cleanable.dirty.ratio': '0.1' }))
  },
  'min.compaction.lag.ms': async () => {
    assert.ok(await outlasts({ 'min.compaction.lag.ms': `${WEEK_MS}` }, { 'min.compaction.lag.ms': '0' }))
  },
  'min.insync.replicas': { 'min.insync.replicas': '2' },
  preallocate: { preallocate: 'true' },
  'remote.log.copy.disable': () => refused('remote.log.copy.disable'),
  'remote.log.delete.on.disable': () => refused('remote.log.delete.on.disable'),
  'remote.storage.enable': () => refused('remote.storage.enable'),
  'retention.bytes': async () => {
    const [limited, not] = [await withSegments({ 'retention.bytes': '400' }), await withSegments({})]
    laterOn()
    await until('what is too much is gone', () => logOf(limited).size < 600)
    assert.equal(segments(not), 4)
  },
  'retention.ms': async () => {
    const old = clock.now() - HOUR_MS
    const [limited, not] = [await withSegments({ 'retention.ms': '60000' }, old), await withSegments({}, old)]
    laterOn()
    await until('what is too old is gone', () => logOf(limited).logStartOffset === 4)
    assert.equal(segments(not), 4)
  },
  'segment.bytes': async () => {
    assert.equal(await segmentsAfter(0, { 'segment.bytes': '200' }), 2)
    assert.equal(await segmentsAfter(0, { 'segment.bytes': '2000' }), 1)
  },
  'segment.index.bytes': async () => {
    const settings = { 'index.interval.bytes': '0', 'segment.index.bytes': '12' }
    const name = await topic(settings)
    for (let i = 0; i < 6; i++) await produce(name)
    assert.ok(segments(name) > 1)
  },
  'segment.jitter.ms': async () => {
    // The jitter is drawn at random; that it is 0 happens once in 600 million times.
    assert.equal(await segmentsAfter(WEEK_MS, { 'segment.ms': `${WEEK_MS}`, 'segment.jitter.ms': `${WEEK_MS}` }), 2)
    assert.equal(await segmentsAfter(WEEK_MS, { 'segment.ms': `${WEEK_MS}` }), 1)
  },
  'segment.ms': async () => {
    assert.equal(await segmentsAfter(5_000, { 'segment.ms': '1000' }), 2)
    assert.equal(await segmentsAfter(500, { 'segment.ms': '1000' }), 1)
  },
  'unclean.leader.election.enable': { 'unclean.leader.election.enable': 'true' },
}

describe('the settings of a topic', () => {
  before(async () => {
    const seldom = {
      'log.initial.task.delay.ms': `${HOUR_MS}`,
      'log.retention.check.interval.ms': `${HOUR_MS}`,
      'log.flush.scheduler.interval.ms': `${HOUR_MS}`,
    }
    const patient = { 'connections.max.idle.ms': `${52 * WEEK_MS}` }
    const cleaner = { 'log.cleaner.backoff.ms': '20' }
    broker = await TestBroker.start({ ...seldom, ...patient, ...cleaner, 'log.flush.interval.ms': `${WEEK_MS}` }, clock)
    client = await broker.connect()
  })
  after(async () => {
    client.close()
    await broker.stop()
  })

  test('are all looked at here', () => {
    assert.deepEqual(Object.keys(EFFECTS).sort(), [...topicConfig.names()].sort())
  })

  for (const [key, effect] of Object.entries(EFFECTS)) {
    const said = TOPIC_EFFECTS[key as keyof TopicKeys]
    if (typeof effect === 'function') {
      test(`${key} has an effect`, async () => {
        assert.ok(!said.startsWith(NO_EFFECT), said)
        await effect()
      })
    } else {
      test(`${key} is accepted, does no harm and is said to do nothing`, async () => {
        assert.ok(said.startsWith(NO_EFFECT), said)
        const name = await topic(effect)
        assert.equal(await produce(name), ErrorCode.NONE)
        assert.equal((await stored(name)).header.magic, 2)
      })
    }
  }

  test('KAFKA-9254: stay over defaults of the broker that change again and again', async () => {
    const name = await topic({ 'cleanup.policy': 'compact', 'retention.ms': '1234' })
    const api = [IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse] as const
    for (const value of ['5000', '6000', '7000']) {
      const configs = [{ name: 'log.retention.ms', configOperation: 0, value }]
      const resources = [{ resourceType: 4, resourceName: '', configs }]
      const { responses } = await client.call(api, 1, { resources, validateOnly: false })
      assert.equal(responses[0]!.errorCode, 0)
      const plain = await topic({})
      assert.equal(logOf(plain).config.retentionMs, Number(value))
      assert.deepEqual(logOf(name).config.cleanupPolicy, ['compact'])
      assert.equal(logOf(name).config.retentionMs, 1234)
    }
    const configs = [{ name: 'log.retention.ms', configOperation: 1, value: null }]
    await client.call(api, 1, { resources: [{ resourceType: 4, resourceName: '', configs }], validateOnly: false })
  })

  test('are those of the broker where a topic sets none', async () => {
    const other = await TestBroker.start({ 'compression.type': 'gzip', 'compression.gzip.level': '1' })
    try {
      await other.createTopics({ plain: {} })
      const { config } = other.server.services.replicas.partition('plain', 0).log!
      assert.deepEqual([config.compressionType, config.compressionLevel], ['gzip', 1])
    } finally {
      await other.stop()
    }
  })
})
