import { test } from 'node:test'
import { adminScenarios } from '../../client-suite/admin.ts'
import { adminReplicaScenarios } from '../../client-suite/admin-replicas.ts'
import { adminTransactionScenarios } from '../../client-suite/admin-transactions.ts'
import { consumerScenarios } from '../../client-suite/consumer.ts'
import { producerScenarios } from '../../client-suite/producer.ts'
import { SCENARIO_TIMEOUT_MS, SuiteCluster } from '../../client-suite/suite.ts'
import { BrokerProcess, SMALL_INTERNAL_TOPICS, type Target, targetVersion } from '../broker-process.ts'
import { kafkaJars } from '../jars.ts'
import { LONG_TEST_MS } from '../process.ts'
import { toolOrSkip } from '../tools.ts'

const PARTS = {
  Producer: producerScenarios,
  Consumer: consumerScenarios,
  Admin: [...adminScenarios, ...adminReplicaScenarios, ...adminTransactionScenarios],
}

/** Our clients, each scenario a subtest, against one broker. */
export function clientSuite(target: Target): void {
  test(`our clients against ${targetVersion(target)}`, { timeout: LONG_TEST_MS }, async context => {
    if (target !== 'monedula' && (await toolOrSkip(context, targetVersion(target), kafkaJars)) === undefined) return
    const broker = await BrokerProcess.start({
      target,
      moreLogDirectories: ['more-logs'],
      properties: SMALL_INTERNAL_TOPICS,
    })
    try {
      const cluster = new SuiteCluster(broker.bootstrap, target)
      for (const [client, scenarios] of Object.entries(PARTS)) {
        for (const { name, lacking, run } of scenarios) {
          const options = { timeout: SCENARIO_TIMEOUT_MS, skip: lacking?.[target] ?? false }
          await context.test(`${client}: ${name}`, options, () => run(cluster))
        }
      }
    } finally {
      await broker.dispose()
    }
  })
}
