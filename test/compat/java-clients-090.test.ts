/** The Java client of Apache Kafka 0.9.0.1: message format 0, groups. */
import { ancientClientSteps, brokerOfOldFormats, loneBrokerWithTransactions } from './ancient-java-client.ts'
import { compatTest } from './compat-test.ts'
import { jarVersion, kafkaJars } from './jars.ts'

compatTest({
  tool: 'kafka-clients 0.9.0.1',
  install: kafkaJars,
  version: () => jarVersion('clients090', 'kafka-clients'),
  broker: { properties: loneBrokerWithTransactions },
  steps: (context, broker) => ancientClientSteps(context, broker, 'clients090'),
})

compatTest({
  tool: 'kafka-clients 0.9.0.1 on topics of its own message format',
  install: kafkaJars,
  version: () => jarVersion('clients090', 'kafka-clients'),
  broker: { properties: brokerOfOldFormats },
  steps: (context, broker) => ancientClientSteps(context, broker, 'clients090', '0.9.0'),
})
