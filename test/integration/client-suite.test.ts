import { startCluster } from '../../src/testing/index.ts'
import { adminScenarios } from '../client-suite/admin.ts'
import { adminReplicaScenarios } from '../client-suite/admin-replicas.ts'
import { adminTransactionScenarios } from '../client-suite/admin-transactions.ts'
import { consumerScenarios } from '../client-suite/consumer.ts'
import { producerScenarios } from '../client-suite/producer.ts'
import { runScenarios, SuiteCluster } from '../client-suite/suite.ts'

const SCENARIOS = [
  ...producerScenarios,
  ...consumerScenarios,
  ...adminScenarios,
  ...adminReplicaScenarios,
  ...adminTransactionScenarios,
]

runScenarios(SCENARIOS, async () => {
  const config = { 'auto.create.topics.enable': true, 'log.dirs': '/data,/more' }
  const cluster = await startCluster({ config })
  return {
    cluster: new SuiteCluster(cluster.bootstrapServers, 'monedula'),
    close: () => cluster[Symbol.asyncDispose](),
  }
})
