/** The steps for Java clients of before record batches: message sets in, message sets out. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { CompressionTypes, Kafka, logLevel, Partitioners } from 'kafkajs'
import type { BrokerProcess } from './broker-process.ts'
import { createTopics } from './create-topics.ts'
import type { JarSet } from './jars.ts'
import { java, javaSource } from './java.ts'

/** Settings of a lone broker on which transactions work, also of Apache Kafka. */
export const loneBrokerWithTransactions = {
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
}

const MODERN_RECORDS = 60

/** Records with headers: plain, compressed, and in transactions, so that there are markers between and at the end. */
async function produceModern(broker: BrokerProcess): Promise<void> {
  const kafka = new Kafka({ brokers: [broker.bootstrap], logLevel: logLevel.NOTHING })
  const messages = (from: number) =>
    Array.from({ length: MODERN_RECORDS / 3 }, (_, i) => ({ value: `m${from + i}`, headers: { trace: 'x' } }))
  const plain = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner })
  const transactional = kafka.producer({
    createPartitioner: Partitioners.DefaultPartitioner,
    transactionalId: 'modern',
    maxInFlightRequests: 1,
    idempotent: true,
  })
  await Promise.all([plain.connect(), transactional.connect()])
  for (const [from, compression] of [
    [0, CompressionTypes.None],
    [MODERN_RECORDS / 3, CompressionTypes.GZIP],
  ] as const) {
    const transaction = await transactional.transaction()
    await transaction.send({ topic: 'modern', compression, messages: messages(from) })
    await transaction.commit()
  }
  const topic = 'modern'
  await plain.send({ topic, compression: CompressionTypes.GZIP, messages: messages((MODERN_RECORDS / 3) * 2) })
  await Promise.all([plain.disconnect(), transactional.disconnect()])
}

/** Settings of a broker whose topics may store message formats of their own. */
export const brokerOfOldFormats = { ...loneBrokerWithTransactions, 'inter.broker.protocol.version': '2.8' }

/** Runs the old client's program against the broker; its topics store the format of `version` where one is given. */
export async function ancientClientSteps(
  context: TestContext,
  broker: BrokerProcess,
  jars: JarSet,
  version?: string,
): Promise<void> {
  const format = version === undefined ? {} : { configEntries: [{ name: 'message.format.version', value: version }] }
  await context.test('produces, consumes, commits, shares a group, and reads what modern clients wrote', async () => {
    await createTopics(broker, [
      { topic: 'ancient', numPartitions: 2, ...format },
      { topic: 'large', numPartitions: 1, ...format },
      { topic: 'modern', numPartitions: 1 },
    ])
    await produceModern(broker)
    const args = [broker.bootstrap, `${MODERN_RECORDS}`]
    const { stdout } = await java(javaSource('AncientClient.java'), args, { jars, timeoutMs: 240_000 })
    assert.match(stdout, /^done$/m)
  })
}
