/**
 * A real Apache Kafka, with a real ZooKeeper, starts on a copy of a broker's directories and serves every record and
 * offset; the broker starts on what Kafka has left and serves that.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import kafkajs from 'kafkajs'
import { BrokerProcess, targetVersion } from './broker-process.ts'
import { segmentsOf, untilCompacted } from './compacted-topic.ts'
import { createTopics } from './create-topics.ts'
import { type BrokerInDirectory, startOnCopy, withAdmin } from './directory-copy.ts'
import { jarVersion, kafkaJars } from './jars.ts'
import { java } from './java.ts'
import { LONG_TEST_MS, run } from './process.ts'
import { kcat, toolOrSkip } from './tools.ts'

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const RECORDS_PER_CODEC = 2_000
const PARTITIONS = 3
const FIRST_KEPT_OFFSET = 100
const COMPACTED_KEYS = 50

/** What clients can see of a broker's data. */
interface Seen {
  /** Records by partition and offset, as JSON lines of kcat. */
  readonly records: readonly string[]
  readonly small: readonly string[]
  /** Of a compacted topic, when its cleaner had nothing left to do. */
  readonly compacted: readonly string[]
  readonly committed: readonly string[]
  readonly offsets: readonly string[]
  readonly topicConfig: string | undefined
}

/** Sends lines of every codec to a topic whose segments are small, so that it has many. */
async function send(broker: BrokerProcess, topic: string, from: number, count: number): Promise<void> {
  for (const codec of CODECS) {
    const lines = Array.from({ length: count }, (_, i) => `k${from + i}:${codec} ${from + i} ${'some text '.repeat(8)}`)
    const args = ['-b', broker.bootstrap, '-P', '-t', topic, '-z', codec, '-K:', '-H', `codec=${codec}`]
    await run('kcat', [...args, '-X', 'batch.num.messages=100'], { input: `${lines.join('\n')}\n` })
  }
}

const COMPACTED = Object.entries({
  'cleanup.policy': 'compact',
  'segment.bytes': '20000',
  'min.cleanable.dirty.ratio': '0.001',
}).map(([name, value]) => ({ name, value }))

/** Sends many values of few keys, the last of one key a tombstone, and waits until they are compacted. */
async function sendToCompact(broker: BrokerProcess, count: number): Promise<void> {
  const args = ['-b', broker.bootstrap, '-P', '-t', 'compacted', '-K:', '-Z', '-X', 'batch.num.messages=20']
  for (const codec of CODECS) {
    const lines = Array.from({ length: count }, (_, i) => `k${i % COMPACTED_KEYS}:${codec} ${i} ${'text '.repeat(8)}`)
    await run('kcat', [...args, '-z', codec], { input: `${[...lines, 'k0:'].join('\n')}\n` })
  }
  await untilCompacted(broker, 'compacted')
}

/** Kafka's own tool reads what a compaction has left. */
async function dumpCompacted(broker: BrokerProcess): Promise<void> {
  const files = segmentsOf(broker, 'compacted').join(',')
  const { stdout, stderr } = await java('kafka.tools.DumpLogSegments', ['--deep-iteration', '--files', files])
  assert.match(stdout, /isvalid: true/)
  assert.doesNotMatch(stdout + stderr, /Exception|isvalid: false|mismatch|out of order/i)
}

async function fill(broker: BrokerProcess): Promise<void> {
  await createTopics(broker, [
    { topic: 'kept', numPartitions: PARTITIONS, configEntries: [{ name: 'segment.bytes', value: '100000' }] },
    { topic: 'small', numPartitions: 1 },
    { topic: 'compacted', numPartitions: 1, configEntries: COMPACTED },
    { topic: 'gone', numPartitions: 1 },
  ])
  await send(broker, 'kept', 0, RECORDS_PER_CODEC)
  await send(broker, 'small', 0, 1)
  await send(broker, 'gone', 0, 1)
  await sendToCompact(broker, 1_000)
  await withAdmin(broker, async admin => {
    const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({ partition, offset: `${partition + 7}` }))
    await admin.setOffsets({ groupId: 'readers', topic: 'kept', partitions })
    await admin.deleteTopicRecords({ topic: 'kept', partitions: [{ partition: 0, offset: `${FIRST_KEPT_OFFSET}` }] })
    await admin.deleteTopics({ topics: ['gone'] })
  })
}

async function read(broker: BrokerProcess, topic: string): Promise<string[]> {
  const args = ['-b', broker.bootstrap, '-C', '-t', topic, '-o', 'beginning', '-e', '-q', '-J']
  const lines = (await run('kcat', args)).stdout.split('\n').filter(line => line !== '')
  const place = (line: string): number => {
    const { partition, offset } = JSON.parse(line) as { partition: number; offset: number }
    return partition * 1e9 + offset
  }
  return lines.sort((a, b) => place(a) - place(b))
}

async function see(broker: BrokerProcess): Promise<Seen> {
  const [records, small] = [await read(broker, 'kept'), await read(broker, 'small')]
  const compacted = await read(broker, 'compacted')
  return withAdmin(broker, async admin => {
    const [group] = await admin.fetchOffsets({ groupId: 'readers', topics: ['kept'] })
    const offsets = await admin.fetchTopicOffsets('kept')
    const resource = { type: kafkajs.ConfigResourceTypes.TOPIC, name: 'kept', configNames: ['segment.bytes'] }
    const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [resource] })
    const topics = (await admin.listTopics()).filter(name => !name.startsWith('__'))
    assert.deepEqual(topics.sort(), ['compacted', 'kept', 'small'])
    return {
      records,
      small,
      compacted,
      committed: (group?.partitions ?? []).map(({ partition, offset }) => `${partition} ${offset}`).sort(),
      offsets: offsets.map(({ partition, low, high }) => `${partition} ${low} ${high}`).sort(),
      topicConfig: resources[0]?.configEntries[0]?.configValue,
    }
  })
}

const PROPERTIES = {
  'offsets.topic.num.partitions': '3',
  'auto.create.topics.enable': 'false',
  'log.cleaner.backoff.ms': '200',
}

for (const ending of ['a clean stop', 'kill -9']) {
  const name = `Apache Kafka starts on the directories of ${targetVersion()} after ${ending}, and back`
  test(name, { timeout: LONG_TEST_MS }, async context => {
    const tool = await toolOrSkip(context, 'kcat and Apache Kafka', async () => [await kcat(), await kafkaJars()])
    if (tool === undefined) return
    console.log(`# Apache Kafka ${jarVersion('libs', 'kafka_2.13')} with the ZooKeeper it brings; kcat ${tool[0]}`)
    const parent = mkdtempSync(join(tmpdir(), 'monedula-copy-'))
    const first = await BrokerProcess.start({ properties: PROPERTIES })
    const onCopy = { properties: PROPERTIES, partitions: PARTITIONS + 2 }
    const successors: BrokerInDirectory[] = []
    try {
      await fill(first)
      const before = await see(first)
      const kept = CODECS.length * RECORDS_PER_CODEC - FIRST_KEPT_OFFSET
      assert.equal(before.records.length, kept)
      assert.ok(before.compacted.length < CODECS.length * COMPACTED_KEYS * 10, `${before.compacted.length} are left`)
      await (ending === 'kill -9' ? first.killHard() : first.stop())
      await dumpCompacted(first)

      const kafka = await startOnCopy(first, 'kafka', { ...onCopy, directory: join(parent, 'kafka') })
      successors.push(kafka)
      assert.deepEqual(await see(kafka.broker), before)
      await send(kafka.broker, 'kept', RECORDS_PER_CODEC, 20)
      await sendToCompact(kafka.broker, 300)
      const after = await see(kafka.broker)
      assert.equal(after.records.length, kept + CODECS.length * 20)
      await kafka.broker.stop()
      await kafka.stop()

      const back = await startOnCopy(kafka.broker, first.target, { ...onCopy, directory: join(parent, 'back') })
      successors.push(back)
      assert.deepEqual(await see(back.broker), after)
    } finally {
      for (const { stop } of successors) await stop()
      await first.dispose()
      rmSync(parent, { recursive: true, force: true })
    }
  })
}
