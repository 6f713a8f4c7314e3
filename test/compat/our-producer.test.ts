/** Our producer against Apache Kafka 3.9.1; what it wrote is read by Java. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect, type KafkaError, type ProducerOptions } from '../../src/client/index.ts'
import { nodeNetwork, seededRandom, systemClock, systemRandom } from '../../src/platform/index.ts'
import { COMPRESSION_TYPES } from '../../src/protocol/index.ts'
import { cuttingNetwork } from '../simulation/cutting-network.ts'
import { BrokerProcess } from './broker-process.ts'
import { createTopics } from './create-topics.ts'
import { kafkaJars } from './jars.ts'
import { java, javaSource } from './java.ts'
import { LONG_TEST_MS } from './process.ts'
import { toolOrSkip } from './tools.ts'

const TIME = 1_700_000_000_000
/** Records of long ago, which the broker would delete half a minute after its start. */
const KEPT = [{ name: 'retention.ms', value: '-1' }]
const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index))

/** Java's `String.hashCode`. */
function hashCode(text: string): number {
  let hash = 0
  for (let index = 0; index < text.length; index++) hash = (Math.imul(31, hash) + text.charCodeAt(index)) | 0
  return hash
}

/** Lines that Java reads in partition 0 of a topic: offset, timestamp, key, length and hash of the value, headers. */
async function readByJava(broker: BrokerProcess, topic: string): Promise<string[]> {
  const { stdout } = await java(javaSource('ProducedByUs.java'), ['read', broker.bootstrap, topic])
  return stdout.split('\n').filter(line => line !== '')
}

/** Hashes of the values that Java reads. */
const hashes = (lines: readonly string[]): number[] => lines.map(line => Number(line.split('|')[4]))

test('our producer against Apache Kafka 3.9.1', { timeout: LONG_TEST_MS }, async context => {
  if ((await toolOrSkip(context, 'Apache Kafka 3.9.1', kafkaJars)) === undefined) return
  const broker = await BrokerProcess.start({ target: 'kafka' })
  try {
    const topics = [...COMPRESSION_TYPES.map(codec => `codec-${codec}`), 'cut', 'transactions', 'small']
    await createTopics(
      broker,
      topics.map(topic => ({ topic, numPartitions: 1, configEntries: KEPT })),
    )
    const kafka = connect(broker.bootstrap)

    for (const compressionType of COMPRESSION_TYPES) {
      await context.test(`Java reads what was written with ${compressionType}`, async () => {
        await using producer = kafka.producer({ compressionType })
        const topic = `codec-${compressionType}`
        const values = numbers(500).map(number => `väl ${number} `.repeat(20))
        await producer.send(topic, { key: 'ключ', value: null, headers: { a: 'ü', b: null }, timestamp: TIME })
        const records = values.map((value, index) => ({ key: `k${index}`, value, timestamp: TIME + index }))
        const runs = await producer.sendBatch(topic, records)
        assert.equal(runs[0]?.offset, 1)
        const expected = values.map(
          (value, index) => `${index + 1}|${TIME + index}|k${index}|${value.length}|${hashCode(value)}`,
        )
        assert.deepEqual(await readByJava(broker, topic), [`0|${TIME}|ключ|null|null|a=ü|b=null`, ...expected])
      })
    }

    await context.test(
      'each record is there once and in order though answers are lost with their connections',
      async () => {
        // The first bytes are those of ApiVersions; after them answers to Produce are cut off.
        let cuts = 0
        const bytesOf = () => (cuts < 12 ? 700 + 53 * cuts : Number.POSITIVE_INFINITY)
        const network = cuttingNetwork(nodeNetwork, bytesOf, () => {
          cuts += 1
        })
        const platform = { network, clock: systemClock, random: systemRandom }
        const options: ProducerOptions = { platform, batchSize: 300, retryBackoffMs: 10, reconnectBackoffMs: 5 }
        await using producer = kafka.producer(options)
        const sent = numbers(4_000).map(value => producer.send('cut', { value }))
        const offsets = (await Promise.all(sent)).map(({ offset }) => offset)
        assert.equal(cuts, 12)
        for (const [index, offset] of offsets.entries()) assert.ok(offset === index || offset === -1)
        assert.deepEqual(hashes(await readByJava(broker, 'cut')), numbers(4_000).map(hashCode))
      },
    )

    await context.test(
      'committed transactions are there, aborted ones not, and an older producer is fenced',
      async () => {
        await using producer = kafka.producer({ transactionalId: 'ours' })
        const groupId = 'readers'
        for (const round of numbers(3)) {
          await producer.transaction(async tx => {
            await tx.send('transactions', { value: `committed ${round}` })
            await tx.sendOffsets([{ topic: 'small', partition: 0, offset: Number(round) }], { groupId })
          })
          const abort = producer.transaction(async tx => {
            await tx.send('transactions', { value: `aborted ${round}` })
            throw new Error('no')
          })
          await assert.rejects(abort, /no/)
        }
        await using younger = kafka.producer({ transactionalId: 'ours' })
        await younger.transaction(async tx => void (await tx.send('transactions', { value: 'younger' })))
        const late = producer.transaction(async tx => void (await tx.send('transactions', { value: 'late' })))
        await assert.rejects(late, (error: KafkaError) => error.fatal)
        const expected = ['committed 0', 'committed 1', 'committed 2', 'younger']
        assert.deepEqual(hashes(await readByJava(broker, 'transactions')), expected.map(hashCode))
      },
    )
  } finally {
    await broker.dispose()
  }
})

test('keys go to the partitions that Java chooses', async context => {
  if ((await toolOrSkip(context, 'Apache Kafka 3.9.1', kafkaJars)) === undefined) return
  const { partitionForKey } = await import('../../src/client/producer/murmur2.ts')
  const random = seededRandom(39)
  const keys = Array.from({ length: 10_000 }, () => Buffer.from(random.bytes(random.below(40))))
  for (const count of [7, 1_000]) {
    const input = keys.map(key => `${key.toString('hex')}\n`).join('')
    const { stdout } = await java(javaSource('ProducedByUs.java'), ['partitions', String(count)], { input })
    assert.deepEqual(
      keys.map(key => partitionForKey(key, count)),
      stdout.trim().split('\n').map(Number),
    )
  }
})
