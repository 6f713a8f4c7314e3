/** The Java client of Apache Kafka 4.3.0: producer, consumer, groups, admin. */
import assert from 'node:assert/strict'
import { compatTest } from './compat-test.ts'
import { jarVersion, kafkaJars } from './jars.ts'
import { java, javaSource } from './java.ts'

compatTest({
  tool: 'kafka-clients 4.3.0',
  install: kafkaJars,
  version: () => jarVersion('clients43', 'kafka-clients'),
  steps: async (context, broker) => {
    await context.test('produces, consumes, commits, administers', async () => {
      const program = javaSource('ModernClient.java')
      const { stdout } = await java(program, [broker.bootstrap], { jars: 'clients43', timeoutMs: 180_000 })
      assert.match(stdout, /^done$/m)
    })
  },
})
