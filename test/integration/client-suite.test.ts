import { startCluster } from '../../src/testing/index.ts'
import { adminScenarios } from '../client-suite/admin.ts'
import { consumerScenarios } from '../client-suite/consumer.ts'
import { producerScenarios } from '../client-suite/producer.ts'
import { runScenarios, SuiteCluster } from '../client-suite/suite.ts'

runScenarios([...producerScenarios, ...consumerScenarios, ...adminScenarios], async () => {
  const cluster = await startCluster({ config: { 'auto.create.topics.enable': true } })
  return {
    cluster: new SuiteCluster(cluster.bootstrapServers),
    close: () => cluster[Symbol.asyncDispose](),
  }
})
