/** Groups of the consumer protocol (KIP-848) on Apache Kafka 4.3.0: our consumer by itself, and beside Java's and librdkafka's. */
import assert from 'node:assert/strict'
import { consumerProtocolScenarios } from '../../client-suite/consumer-protocol.ts'
import { SCENARIO_TIMEOUT_MS, SuiteCluster } from '../../client-suite/suite.ts'
import { SMALL_INTERNAL_TOPICS } from '../broker-process.ts'
import { compatTest } from '../compat-test.ts'
import { sleep } from '../process.ts'
import { comeAndGo, Gathering } from './come-and-go.ts'
import { memberRuntimes } from './member.ts'

const SESSION_MS = 6_000
/** The broker's word counts; librdkafka and Java refuse timeouts of their own. */
const QUICK = {
  ...SMALL_INTERNAL_TOPICS,
  'group.consumer.min.heartbeat.interval.ms': '200',
  'group.consumer.heartbeat.interval.ms': '200',
  'group.consumer.min.session.timeout.ms': '1000',
  'group.consumer.session.timeout.ms': `${SESSION_MS}`,
}
const PROTOCOL = { 'group.protocol': 'consumer' }

compatTest({
  tool: 'the consumer protocol of groups',
  install: memberRuntimes,
  version: ({ versions }) => versions,
  broker: { target: 'kafka43', properties: QUICK },
  steps: async (context, broker, runtimes) => {
    const cluster = new SuiteCluster(broker.bootstrap, 'kafka43')
    for (const { name, run } of consumerProtocolScenarios) {
      await context.test(name, { timeout: SCENARIO_TIMEOUT_MS }, () => run(cluster))
    }
    await context.test('our consumer, Java and librdkafka come and go, and ours is killed', () =>
      comeAndGo(broker, ['ours', 'java', 'librdkafka'], { more: PROTOCOL, runtimes }),
    )
    await context.test('a member that stood still for longer than its session is fenced, and joins anew', async () => {
      const gathering = new Gathering(broker, { more: PROTOCOL, runtimes })
      await gathering.open()
      try {
        await gathering.join('ours', 'stands')
        await gathering.join('ours', 'runs')
        const stands = gathering.take('stands')
        stands.freeze()
        await sleep(SESSION_MS + 500)
        // What it does not know to be lost it cannot tell of.
        gathering.group.observe({ at: process.hrtime.bigint(), member: 'stands', what: 'left', partitions: [] })
        await gathering.works()
        const before = gathering.group.countOf('stands', 'revoked')
        stands.thaw()
        gathering.putBack(stands)
        await gathering.works()
        assert.ok(gathering.group.countOf('stands', 'revoked') > before)
        gathering.assertAllRead()
      } finally {
        await gathering.close()
      }
    })
  },
})
