/** librdkafka: its own example programs built from source, and confluent-kafka for Python, which carries a ready one. */
import assert from 'node:assert/strict'
import { compatTest } from './compat-test.ts'
import { createTopics } from './create-topics.ts'
import { run } from './process.ts'
import { pythonScript } from './python-script.ts'
import { BUILD_TIMEOUT_MS, librdkafkaExamples, pythonWith } from './tools.ts'

const RECORDS = 100_000

compatTest({
  tool: "librdkafka's example programs",
  install: librdkafkaExamples,
  version: ({ version }) => version,
  timeoutMs: BUILD_TIMEOUT_MS,
  steps: async (context, broker, { performance, example }) => {
    await createTopics(broker, [
      { topic: 'performance', numPartitions: 2 },
      { topic: 'example', numPartitions: 1 },
    ])
    const load = ['-b', broker.bootstrap, '-t', 'performance', '-c', `${RECORDS}`]

    for (const [index, codec] of ['none', 'gzip', 'snappy', 'lz4'].entries()) {
      await context.test(`rdkafka_performance produces and consumes every record, codec ${codec}`, async () => {
        const producer = ['-P', ...load, '-s', '100', '-a', '-1', '-z', codec, '-q']
        const sent = await run(performance, producer)
        assert.match(sent.stdout + sent.stderr, new RegExp(`${RECORDS} messages produced`))
        const all = `${RECORDS * (index + 1)}`
        const consumer = [
          '-G',
          `group-${codec}`,
          '-b',
          broker.bootstrap,
          '-t',
          'performance',
          '-c',
          all,
          '-o',
          'beginning',
        ]
        const settings = ['-X', 'auto.offset.reset=earliest', '-q']
        const received = await run(performance, [...consumer, ...settings])
        assert.match(received.stdout + received.stderr, new RegExp(`% ${all} messages \\(`))
      })
    }

    await context.test('rdkafka_example produces lines and consumes them to the end of the partition', async () => {
      const at = ['-b', broker.bootstrap, '-t', 'example', '-p', '0']
      const producer = await run(example, ['-P', ...at], { input: 'one\ntwo\nthree\n' })
      assert.doesNotMatch(producer.stderr, /delivery failed/i)
      const { stdout, stderr } = await run(example, ['-C', ...at, '-o', 'beginning', '-e'])
      for (const value of ['one', 'two', 'three']) assert.match(stdout + stderr, new RegExp(`\\b${value}\\b`))
      const listed = await run(example, ['-L', '-b', broker.bootstrap, '-t', 'example'])
      assert.match(listed.stdout + listed.stderr, new RegExp(`broker 0 at ${broker.bootstrap}`))
    })
  },
})

compatTest({
  tool: 'confluent-kafka for Python',
  install: () => pythonWith('confluent-kafka', ['confluent-kafka==2.16.1']),
  version: ({ versions }) => versions,
  steps: async (context, broker, { python }) => {
    await context.test('idempotence, cooperative and static groups, administration', async () => {
      assert.match(await pythonScript(python, 'confluent_check.py', [broker.bootstrap]), /^done$/m)
    })
  },
})
