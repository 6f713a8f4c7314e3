/** Transactions as other people's clients and tools make them, look at them and read what they leave behind. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import kafkajs from 'kafkajs'
import type { BrokerProcess } from './broker-process.ts'
import { compatTest } from './compat-test.ts'
import { createTopics } from './create-topics.ts'
import { jarVersion, kafkaJars } from './jars.ts'
import { java, javaSource } from './java.ts'
import { JavaToolRunner, ToolClass } from './java-tool-runner.ts'
import { pythonScript } from './python-script.ts'
import { pythonWith } from './tools.ts'

/** Timeouts of transactions are looked for often enough for a test to wait for one. */
const properties = { 'transaction.abort.timed.out.transaction.cleanup.interval.ms': '500' }

compatTest({
  tool: "confluent-kafka's transactions",
  broker: { properties },
  install: () => pythonWith('confluent-kafka', ['confluent-kafka==2.16.1']),
  version: ({ versions }) => versions,
  steps: async (context, broker, { python }) => {
    await context.test('commit, abort, fence, time out, offsets in a transaction', async () => {
      assert.match(await pythonScript(python, 'confluent_transactions.py', [broker.bootstrap]), /^done$/m)
    })
  },
})

for (const [jars, artifact] of [
  ['clients43', 'kafka-clients'],
  ['libs', 'kafka_2.13'],
] as const) {
  compatTest({
    tool: `the transactional Java producer of ${jars}`,
    broker: { properties },
    install: kafkaJars,
    version: () => jarVersion(jars, artifact),
    steps: async (context, broker) => {
      await context.test('commits, aborts, fences, sends offsets, describes', async () => {
        const program = javaSource('TransactionalClient.java')
        const { stdout } = await java(program, [broker.bootstrap], { jars, timeoutMs: 180_000 })
        assert.match(stdout, /^done$/m)
      })
    },
  })
}

compatTest({
  tool: 'the transactional Java producer of clients43, and kafka-features, where transaction.version is 2',
  broker: { properties },
  install: kafkaJars,
  version: () => jarVersion('clients43', 'kafka-clients'),
  steps: async (context, broker) => {
    const features = async (...options: string[]) => {
      const { stdout } = await java('org.apache.kafka.tools.FeatureCommand', [
        '--bootstrap-server',
        broker.bootstrap,
        ...options,
      ])
      return stdout
    }
    await context.test('kafka-features raises it and tells of it', async () => {
      await features('upgrade', '--feature', 'transaction.version=2')
      assert.match(await features('describe'), /Feature: transaction.version.*FinalizedVersionLevel: 2/)
    })
    await context.test('commits, aborts, fences, sends offsets, describes', async () => {
      const program = javaSource('TransactionalClient.java')
      const { stdout } = await java(program, [broker.bootstrap], { jars: 'clients43', timeoutMs: 180_000 })
      assert.match(stdout, /^done$/m)
    })
    await context.test('kafka-features lowers it', async () => {
      await features('downgrade', '--feature', 'transaction.version=0')
      assert.doesNotMatch(await features('describe'), /transaction.version.*FinalizedVersionLevel: 2/)
    })
  },
})

compatTest({
  tool: "kafkajs's transactions",
  install: async () => (createRequire(import.meta.url)('kafkajs/package.json') as { version: string }).version,
  version: version => version,
  steps: kafkajsSteps,
})

async function kafkajsSteps(context: TestContext, broker: BrokerProcess): Promise<void> {
  const client = new kafkajs.Kafka({ brokers: [broker.bootstrap], logLevel: kafkajs.logLevel.NOTHING })
  await createTopics(broker, [{ topic: 'js', numPartitions: 2 }])
  await context.test('commits, aborts, sends offsets', async () => {
    const producer = client.producer({ transactionalId: 'js', maxInFlightRequests: 1, idempotent: true })
    await producer.connect()
    const admin = client.admin()
    await admin.connect()
    for (let turn = 0; turn < 6; turn++) {
      const transaction = await producer.transaction()
      const messages = [0, 1].map(partition => ({ value: `turn ${turn}`, partition }))
      await transaction.send({ topic: 'js', messages })
      const offsets = [{ topic: 'js', partitions: [{ partition: 0, offset: `${turn}` }] }]
      await transaction.sendOffsets({ consumerGroupId: 'js-group', topics: offsets })
      if (turn % 2 === 0) await transaction.commit()
      else await transaction.abort()
    }
    const [fetched] = await admin.fetchOffsets({ groupId: 'js-group', topics: ['js'] })
    assert.equal(fetched?.partitions.find(({ partition }) => partition === 0)?.offset, '4')
    await admin.disconnect()
    await producer.disconnect()
    assert.deepEqual(
      await readCommitted(client, 'js', 6),
      [0, 0, 2, 2, 4, 4].map(turn => `turn ${turn}`),
    )
  })
}

/** kafkajs reads only what is committed unless it is told otherwise. */
async function readCommitted(client: kafkajs.Kafka, topic: string, count: number): Promise<string[]> {
  const consumer = client.consumer({ groupId: `${topic}-auditor` })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  const values: string[] = []
  await new Promise<void>((resolve, reject) => {
    const run = consumer.run({
      eachMessage: async ({ message }) => {
        values.push(String(message.value))
        if (values.length === count) resolve()
      },
    })
    run.catch(reject)
  })
  await consumer.disconnect()
  return values.sort()
}

const COPIED = 3_000

compatTest({
  tool: "Kafka's TransactionalMessageCopier and transaction tools",
  broker: { properties },
  install: kafkaJars,
  version: () => jarVersion('libs', 'kafka-tools'),
  steps: async (context, broker) => {
    const runner = await JavaToolRunner.start()
    try {
      await toolSteps(context, broker, runner)
    } finally {
      await runner.stop()
    }
  },
})

async function toolSteps(context: TestContext, broker: BrokerProcess, runner: JavaToolRunner): Promise<void> {
  const at = ['--bootstrap-server', broker.bootstrap]
  await createTopics(broker, [
    { topic: 'copier-input', numPartitions: 1 },
    { topic: 'copier-output', numPartitions: 1 },
  ])
  const numbers = Array.from({ length: COPIED }, (_, index) => `number ${index}`)
  await runner.output(ToolClass.consoleProducer, [...at, '--topic', 'copier-input'], `${numbers.join('\n')}\n`)

  await context.test('copies each message once and in order, through random aborts', async () => {
    const copier = [
      ['--broker-list', broker.bootstrap, '--transactional-id', 'copier', '--consumer-group', 'copier-group'],
      ['--input-topic', 'copier-input', '--input-partition', '0', '--output-topic', 'copier-output'],
      ['--transaction-size', '50', '--enable-random-aborts', '--use-group-metadata', '--group-mode'],
    ].flat()
    const { stdout } = await java('org.apache.kafka.tools.TransactionalMessageCopier', copier, { timeoutMs: 120_000 })
    assert.match(stdout, new RegExp(`"consumed":${COPIED}|"remaining":0`))
    const consumer = ['--topic', 'copier-output', '--from-beginning', '--timeout-ms']
    const isolation = ['--isolation-level', 'read_committed']
    // What comes beyond what should would come at once, behind what is there.
    const read = await runner.tool(ToolClass.consoleConsumer, [...at, ...consumer, '15000', ...isolation])
    assert.deepEqual(read.stdout.trimEnd().split('\n'), numbers)
    const more = ['60000', '--max-messages', `${COPIED + 1}`]
    const all = await runner.tool(ToolClass.consoleConsumer, [...at, ...consumer, ...more])
    assert.ok(all.stdout.trimEnd().split('\n').length > COPIED, 'some transactions were aborted')
  })

  await context.test('kafka-transactions.sh lists and describes', async () => {
    const listed = await runner.output(ToolClass.transactions, [...at, 'list'])
    assert.match(listed, /^copier\s+0\s+\d+\s+Complete(Commit|Abort)/m)
    const described = await runner.output(ToolClass.transactions, [...at, 'describe', '--transactional-id', 'copier'])
    assert.match(described, /^0\s+copier\s+\d+\s+\d+\s+Complete(Commit|Abort)/m)
    const producers = ['describe-producers', '--topic', 'copier-output', '--partition', '0']
    assert.match(await runner.output(ToolClass.transactions, [...at, ...producers]), /^\d+\s+\d+\s+\d+/m)
    await runner.output(ToolClass.transactions, [...at, 'find-hanging', '--broker-id', '0'])
  })

  await context.test('DumpLogSegments decodes the logs of transactions and of offsets in them', async () => {
    await broker.stop()
    const dump = (topic: string, decoder: string): Promise<string> => {
      const files = readdirSync(broker.logDirectory, { recursive: true, encoding: 'utf8' })
        .filter(name => name.startsWith(`${topic}-`) && /\/\d{20}\.log$/.test(name))
        .map(name => join(broker.logDirectory, name))
      return runner.output(ToolClass.dumpLog, ['--files', files.join(','), decoder])
    }
    const dumped = await dump('__transaction_state', '--transaction-log-decoder')
    assert.match(dumped, /transaction_metadata::transactionalId=copier/)
    assert.match(dumped, /state=PrepareAbort/)
    assert.match(dumped, /state=CompleteCommit/)
    const offsets = await dump('__consumer_offsets', '--offsets-decoder')
    assert.match(offsets, /isTransactional: true/)
    assert.match(offsets, /"group":"copier-group","topic":"copier-input","partition":0/)
    assert.match(offsets, /endTxnMarker: COMMIT/)
    assert.match(offsets, /endTxnMarker: ABORT/)
    await broker.restart()
    const again = ['describe', '--transactional-id', 'copier']
    assert.match(await runner.output(ToolClass.transactions, [...at, ...again]), /^0\s+copier\s/m)
  })
}
