/** Kafka's DumpLogSegments reads the files of a data directory without complaint, after kill -9 as after a clean stop. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import kafkajs from 'kafkajs'
import type { BrokerProcess } from './broker-process.ts'
import { compatTest } from './compat-test.ts'
import { createTopics } from './create-topics.ts'
import { jarVersion, kafkaJars } from './jars.ts'
import { JavaToolRunner, ToolClass } from './java-tool-runner.ts'
import { run } from './process.ts'
import { kcat } from './tools.ts'

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const RECORDS_PER_CODEC = 3_000

/** Files below a data directory: `topic-0/00000000000000000000.log`. */
function dataFiles(broker: BrokerProcess, pattern: RegExp): string[] {
  return readdirSync(broker.logDirectory, { recursive: true, encoding: 'utf8' })
    .filter(name => pattern.test(name))
    .sort()
    .map(name => join(broker.logDirectory, name))
}

/** Fills a topic that rolls often, with every codec, and commits offsets in a group. */
async function fill(broker: BrokerProcess): Promise<void> {
  await createTopics(broker, [
    { topic: 'dumped', numPartitions: 2, configEntries: [{ name: 'segment.bytes', value: '100000' }] },
  ])
  for (const codec of CODECS) {
    const lines = Array.from(
      { length: RECORDS_PER_CODEC },
      (_, i) => `key${i}:${codec} value ${i} ${'abcdefg'.repeat(9)}`,
    )
    const args = ['-b', broker.bootstrap, '-P', '-t', 'dumped', '-z', codec, '-K:', '-X', 'batch.num.messages=50']
    await run('kcat', args, { input: `${lines.join('\n')}\n` })
  }
  const admin = new kafkajs.Kafka({ brokers: [broker.bootstrap], logLevel: kafkajs.logLevel.NOTHING }).admin()
  await admin.connect()
  await admin.setOffsets({ groupId: 'dumped-group', topic: 'dumped', partitions: [{ partition: 0, offset: '42' }] })
  await admin.disconnect()
}

async function inspect(broker: BrokerProcess, runner: JavaToolRunner): Promise<void> {
  const dump = async (files: readonly string[], ...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await runner.tool(ToolClass.dumpLog, ['--files', files.join(','), ...args])
    assert.equal(code, 0, stderr)
    assert.doesNotMatch(
      stdout + stderr,
      /Exception|isvalid: false|Found timestamp mismatch|Found out of order|mismatch/i,
    )
    return stdout
  }
  const logs = dataFiles(broker, /^dumped-\d\/\d{20}\.log$/)
  assert.ok(logs.length >= 4, `the topic has rolled: ${logs.length} segments`)
  const records = await dump(logs, '--deep-iteration', '--print-data-log')
  assert.equal([...records.matchAll(/^\| offset: /gm)].length, CODECS.length * RECORDS_PER_CODEC)
  for (const codec of CODECS) {
    assert.match(records, new RegExp(`compresscodec: ${codec} crc: \\d+ isvalid: true`))
    const values = records.match(new RegExp(`key: key\\d+ payload: ${codec} value \\d+ (abcdefg){9}$`, 'gm'))
    assert.equal(values?.length, RECORDS_PER_CODEC)
  }
  for (const index of dataFiles(broker, /^dumped-\d\/\d{20}\.(time)?index$/)) {
    const output = await dump([index], '--index-sanity-check')
    assert.match(output, /passed sanity check\./)
    await dump([index], '--verify-index-only')
  }
  const committed = await dump(dataFiles(broker, /^__consumer_offsets-\d+\/\d{20}\.log$/), '--offsets-decoder')
  assert.match(committed, /"group":"dumped-group","topic":"dumped","partition":0/)
  assert.match(committed, /"offset":42/)
}

async function steps(context: TestContext, broker: BrokerProcess): Promise<void> {
  const runner = await JavaToolRunner.start()
  try {
    await kcat()
    await fill(broker)
    await context.test('after a clean stop', async () => {
      await broker.stop()
      await inspect(broker, runner)
    })
    await context.test('after a start, kill -9 and recovery', async () => {
      await broker.restart()
      await broker.killHard()
      await broker.restart()
      await broker.stop()
      await inspect(broker, runner)
    })
  } finally {
    await runner.stop()
  }
}

compatTest({
  tool: 'DumpLogSegments',
  install: kafkaJars,
  version: () => jarVersion('libs', 'kafka_2.13'),
  broker: { properties: { 'offsets.topic.num.partitions': '3' } },
  steps,
})
