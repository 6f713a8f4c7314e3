/** Nothing acknowledged is lost when the broker is killed while Kafka's verifiable producer writes. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { BrokerProcess } from './broker-process.ts'
import { compatTest } from './compat-test.ts'
import { createTopics } from './create-topics.ts'
import { withAdmin } from './directory-copy.ts'
import { jarVersion, kafkaJars } from './jars.ts'
import { java, startJava } from './java.ts'
import { ToolClass } from './java-tool-runner.ts'
import { PATIENCE_MS, sleep } from './process.ts'

const RECORDS = 60_000
const PER_SECOND = 6_000
const KILLS = 2

interface Acknowledged {
  readonly value: string
  readonly partition: number
  readonly offset: number
}

/** What the producer was told is safe. */
function acknowledged(output: string): Acknowledged[] {
  return output
    .split('\n')
    .filter(line => line.includes('"producer_send_success"') && line.endsWith('}'))
    .map(line => JSON.parse(line) as Acknowledged)
}

async function steps(context: TestContext, broker: BrokerProcess): Promise<void> {
  const target = ['--bootstrap-server', broker.bootstrap, '--topic', 'survivor']

  await context.test(
    'a producer with acks=all outlives kill -9 of the broker and finds all it was promised',
    async () => {
      await createTopics(broker, [{ topic: 'survivor', numPartitions: 3 }])
      const load = ['--max-messages', `${RECORDS}`, '--throughput', `${PER_SECOND}`, '--acks', '-1']
      const producer = await startJava(ToolClass.verifiableProducer, [...target, ...load])
      try {
        for (let kill = 1; kill <= KILLS; kill++) {
          const enough = (kill * RECORDS) / (KILLS + 2)
          await producer.until(out => out.length > enough * 80)
          await broker.killHard()
          await sleep(300)
          await broker.restart()
        }
        const code = await producer.ended()
        assert.ok(code === 0 || code === 1, `the producer ended with ${code}`)
      } finally {
        producer.kill('SIGKILL')
      }
      const promised = acknowledged(producer.stdout)
      assert.ok(promised.length > RECORDS / 4, `only ${promised.length} records were acknowledged`)
      console.log(`# ${promised.length} of ${RECORDS} records acknowledged across ${KILLS} kills`)

      const shown = ['--property', 'print.partition=true', '--property', 'print.offset=true']
      const ends = await withAdmin(broker, admin => admin.fetchTopicOffsets('survivor'))
      const count = ends.reduce((sum, { high }) => sum + Number(high), 0)
      const all = ['--from-beginning', '--max-messages', `${count}`, '--timeout-ms', '60000', ...shown]
      const { stdout } = await java(ToolClass.consoleConsumer, [...target, ...all], { timeoutMs: PATIENCE_MS })
      const stored = new Map(stdout.split('\n').map(line => [line.slice(0, line.lastIndexOf('\t')), line]))
      const lost = promised.filter(
        ({ partition, offset, value }) =>
          !stored.get(`Partition:${partition}\tOffset:${offset}`)?.endsWith(`\t${value}`),
      )
      assert.deepEqual(lost.slice(0, 10), [], `${lost.length} acknowledged records are lost`)
    },
  )

  await context.test('the broker stops cleanly after it all', async () => {
    await broker.stop()
    await broker.restart()
  })
}

compatTest({
  tool: "Kafka's verifiable producer, and kill -9",
  install: kafkaJars,
  version: () => jarVersion('libs', 'kafka-tools'),
  steps,
})
