/** node-rdkafka's own end-to-end tests: all of them. */
import { compatTest } from '../compat-test.ts'
import { createTopics } from '../create-topics.ts'
import { reportEach } from '../foreign-tests.ts'
import { mochaSuite, runFile, runOneByOne } from './mocha-suite.ts'

const SUITE_TIMEOUT_MS = 40 * 60_000
/** Those that the suite's own script creates. */
const TOPICS = ['test', 'test2', 'test3', 'test4', 'test5', 'test6']

compatTest({
  tool: "node-rdkafka's end-to-end tests",
  install: mochaSuite,
  version: ({ version }) => version,
  timeoutMs: SUITE_TIMEOUT_MS,
  steps: async (context, broker, suite) => {
    const topics = TOPICS.map(topic => ({ topic, numPartitions: 1 }))
    await createTopics(broker, topics)
    for (const name of ['admin', 'consumer', 'groups', 'producer', 'producer-transaction']) {
      await reportEach(context, await runFile(suite, broker, `e2e/${name}.spec.js`))
    }
    await reportEach(context, await runOneByOne(suite, broker, 'e2e/both.spec.js'))
  },
})
