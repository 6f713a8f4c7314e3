/**
 * Logs of message formats 0 and 1, as an Apache Kafka of `inter.broker.protocol.version` 2.8 writes them: the broker
 * starts on them, recovers them, finds offsets by time, serves them to readers of every age, and writes on; with that
 * setting it writes such logs itself.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { BrokerProcess, targetOfEnvironment, targetVersion } from './broker-process.ts'
import { createTopics } from './create-topics.ts'
import { jarVersion, kafkaJars } from './jars.ts'
import { java } from './java.ts'
import { LONG_TEST_MS, run } from './process.ts'
import { kcat, toolOrSkip } from './tools.ts'

const TOPICS = { zero: '0.9.0', one: '0.10.0' }
const CODECS = ['none', 'gzip', 'snappy', 'lz4']
const PER_CODEC = 500
/** Arguments that make librdkafka read as clients of that time did: Fetch v0, v2, and as it does today. */
const READERS = {
  'of format 0': ['-X', 'api.version.request=false', '-X', 'broker.version.fallback=0.9.0'],
  'of format 1': ['-X', 'api.version.request=false', '-X', 'broker.version.fallback=0.10.0'],
  'of today': [],
}
const OLD_BROKER = { 'inter.broker.protocol.version': '2.8', 'auto.create.topics.enable': 'false' }

async function send(broker: BrokerProcess, topic: string, prefix: string, count: number): Promise<void> {
  for (const codec of CODECS) {
    const lines = Array.from({ length: count }, (_, i) => `k${i}:${prefix} ${codec} ${i} ${'text '.repeat(10)}`)
    const args = ['-b', broker.bootstrap, '-P', '-t', topic, '-z', codec, '-K:', '-X', 'batch.num.messages=50']
    await run('kcat', args, { input: `${lines.join('\n')}\n` })
  }
}

/** Topics that store each of the old formats. */
function createOldTopics(broker: BrokerProcess): Promise<void> {
  const segments = { name: 'segment.bytes', value: '30000' }
  return createTopics(
    broker,
    Object.entries(TOPICS).map(([topic, value]) => {
      const configEntries = [segments, { name: 'message.format.version', value }]
      return { topic, numPartitions: 1, configEntries }
    }),
  )
}

/** Every record: offset, key and value. */
async function read(broker: BrokerProcess, topic: string, reader: readonly string[]): Promise<string[]> {
  const args = ['-b', broker.bootstrap, '-C', '-t', topic, '-o', 'beginning', '-e', '-q', '-f', '%o %k %s\n']
  return (await run('kcat', [...args, ...reader])).stdout.split('\n').filter(line => line !== '')
}

/** The offset of the first record that is not older. */
async function offsetAt(broker: BrokerProcess, topic: string, timestamp: number): Promise<string> {
  const { stdout } = await run('kcat', ['-b', broker.bootstrap, '-Q', '-t', `${topic}:0:${timestamp}`])
  return /offset (-?\d+)/.exec(stdout)?.[1] ?? stdout
}

/** The formats of the entries that begin the topic's segments. */
function formats(broker: BrokerProcess, topic: string): number[] {
  const directory = join(broker.logDirectory, `${topic}-0`)
  const logs = readdirSync(directory).filter(name => name.endsWith('.log'))
  return logs.map(name => readFileSync(join(directory, name))[16]!)
}

for (const ending of ['a clean stop', 'kill -9']) {
  const name = `${targetVersion()} starts on logs of message formats 0 and 1 after ${ending}`
  test(name, { timeout: LONG_TEST_MS }, async context => {
    const tool = await toolOrSkip(context, 'kcat and Apache Kafka', async () => [await kcat(), await kafkaJars()])
    if (tool === undefined) return
    console.log(`# written by Apache Kafka ${jarVersion('libs', 'kafka_2.13')}; kcat ${tool[0]}`)
    const directory = mkdtempSync(join(tmpdir(), 'monedula-formats-'))
    const old = await BrokerProcess.start({ target: 'kafka', directory, properties: OLD_BROKER })
    let broker: BrokerProcess | undefined
    try {
      await createOldTopics(old)
      const startMs = Date.now()
      for (const topic of Object.keys(TOPICS)) await send(old, topic, 'old', PER_CODEC)
      const written = { zero: await read(old, 'zero', []), one: await read(old, 'one', []) }
      const times = [startMs, startMs + 1e7]
      const found = await Promise.all(times.map(time => offsetAt(old, 'one', time)))
      assert.ok(formats(old, 'zero').every(format => format === 0) && formats(old, 'zero').length > 2)
      assert.ok(formats(old, 'one').every(format => format === 1))
      await (ending === 'kill -9' ? old.killHard() : old.stop())
      await old.dispose()

      const target = targetOfEnvironment()
      if (target === 'monedula') renameSync(join(directory, 'zookeeper'), `${old.logDirectory}-zookeeper`)
      broker = await BrokerProcess.start({ target, directory, properties: { 'auto.create.topics.enable': 'false' } })
      assert.deepEqual(await Promise.all(times.map(time => offsetAt(broker!, 'one', time))), found)
      for (const [reader, args] of Object.entries(READERS)) {
        for (const topic of ['zero', 'one'] as const) {
          assert.deepEqual(await read(broker, topic, args), written[topic], `${topic} by a reader ${reader}`)
        }
      }
      for (const topic of ['zero', 'one'] as const) {
        await send(broker, topic, 'new', 10)
        await broker.killHard()
        await broker.restart()
        for (const args of Object.values(READERS)) {
          const records = await read(broker, topic, args)
          assert.deepEqual(records.slice(0, written[topic].length), written[topic])
          assert.equal(records.length, written[topic].length + CODECS.length * 10)
        }
      }
    } finally {
      await broker?.dispose()
      await old.dispose()
      rmSync(directory, { recursive: true, force: true })
    }
  })
}

const writes = `${targetVersion()} stores message formats 0 and 1 with inter.broker.protocol.version 2.8`
test(writes, { timeout: LONG_TEST_MS }, async context => {
  const tool = await toolOrSkip(context, 'kcat and Apache Kafka', async () => [await kcat(), await kafkaJars()])
  if (tool === undefined) return
  console.log(`# read by DumpLogSegments ${jarVersion('libs', 'kafka_2.13')}; kcat ${tool[0]}`)
  const broker = await BrokerProcess.start({ properties: OLD_BROKER })
  try {
    await createOldTopics(broker)
    for (const [format, topic] of Object.keys(TOPICS).entries()) {
      await send(broker, topic, 'ours', PER_CODEC)
      await broker.killHard()
      await broker.restart()
      await send(broker, topic, 'more', 10)
      assert.ok(formats(broker, topic).length > 2)
      assert.ok(formats(broker, topic).every(found => found === format))
      const expected = ['ours', 'more'].flatMap(prefix =>
        CODECS.flatMap(codec =>
          Array.from({ length: prefix === 'ours' ? PER_CODEC : 10 }, (_, i) => `k${i} ${prefix} ${codec} ${i}`),
        ),
      )
      for (const args of Object.values(READERS)) {
        const records = await read(broker, topic, args)
        const starts = records.map((record, offset) => record.slice(`${offset} `.length).replace(/ text.*$/, ''))
        assert.deepEqual(starts, expected)
        for (const [offset, record] of records.entries()) assert.ok(record.startsWith(`${offset} `), record)
      }
      const directory = join(broker.logDirectory, `${topic}-0`)
      const logs = readdirSync(directory).filter(name => name.endsWith('.log'))
      const files = logs.map(name => join(directory, name)).join(',')
      const dump = await java('kafka.tools.DumpLogSegments', ['--deep-iteration', '--print-data-log', '--files', files])
      assert.doesNotMatch(dump.stdout + dump.stderr, /Exception|isvalid: false|mismatch|out of order/i)
      assert.equal([...dump.stdout.matchAll(/payload: (ours|more) /g)].length, expected.length)
      for (const codec of CODECS) assert.match(dump.stdout, new RegExp(`magic: ${format} compresscodec: ${codec} `))
    }
  } finally {
    await broker.dispose()
  }
})
