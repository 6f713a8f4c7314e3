/** The Java client of Apache Kafka 0.10.1.1: message format 1, groups. */
import { ancientClientSteps, brokerOfOldFormats, loneBrokerWithTransactions } from './ancient-java-client.ts'
import { compatTest } from './compat-test.ts'
import { jarVersion, kafkaJars } from './jars.ts'

compatTest({
  tool: 'kafka-clients 0.10.1.1',
  install: kafkaJars,
  version: () => jarVersion('clients0101', 'kafka-clients'),
  broker: { properties: loneBrokerWithTransactions },
  steps: (context, broker) => ancientClientSteps(context, broker, 'clients0101'),
})

compatTest({
  tool: 'kafka-clients 0.10.1.1 on topics of its own message format',
  install: kafkaJars,
  version: () => jarVersion('clients0101', 'kafka-clients'),
  broker: { properties: brokerOfOldFormats },
  steps: (context, broker) => ancientClientSteps(context, broker, 'clients0101', '0.10.1'),
})
