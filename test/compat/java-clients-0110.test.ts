/** The Java client of Apache Kafka 0.11.0.3: producer, consumer, groups, admin. */
import assert from 'node:assert/strict'
import { compatTest } from './compat-test.ts'
import { jarVersion, kafkaJars } from './jars.ts'
import { java, javaSource } from './java.ts'

compatTest({
  tool: 'kafka-clients 0.11.0.3',
  install: kafkaJars,
  version: () => jarVersion('clients0110', 'kafka-clients'),
  steps: async (context, broker) => {
    await context.test('produces, consumes, commits, administers', async () => {
      const program = javaSource('OldClient.java')
      const { stdout } = await java(program, [broker.bootstrap], { jars: 'clients0110', timeoutMs: 180_000 })
      assert.match(stdout, /^done$/m)
    })
  },
})
