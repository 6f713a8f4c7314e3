/** kafka-python's own integration tests: all that one unsecured broker can pass. */
import { compatTest } from '../compat-test.ts'
import { reportEach, sayWhatIsNotRun } from '../foreign-tests.ts'
import { collectTests, pytestSuite, runTests } from './pytest-suite.ts'

const KRAFT = 'asks what brokers in KRaft mode alone answer'
const REASSIGNMENTS = 'wants reassignments of partitions, which come with clusters'
const ADMIN = 'test/integration/test_admin_integration.py'
const CONSUMER = 'test/integration/test_consumer_integration.py'

/** Tests that run nowhere here, by the beginning of their name, and why. */
const SKIPPED: Readonly<Record<string, string>> = {
  [`${ADMIN}::test_create_describe_delete_acls`]: 'wants an authorizer, which is not there yet',
  [`${ADMIN}::test_alter_partition_reassignments`]: REASSIGNMENTS,
  [`${ADMIN}::test_list_partition_reassignments`]: REASSIGNMENTS,
  [`${ADMIN}::test_describe_metadata_quorum`]: KRAFT,
  [`${ADMIN}::test_describe_topic_partitions`]: KRAFT,
  [`${ADMIN}::test_list_config_resources`]: KRAFT,
  [`${CONSUMER}::test_kafka_version_infer`]:
    "takes Kafka's release from the versions of APIs, of which there are some here that Kafka has since 4.3",
  [`${CONSUMER}::test_kafka_consumer_offsets_for_time_old`]: 'is for Kafka before 0.10.1',
  'test/integration/test_sasl_integration.py': 'starts a Kafka with SASL',
  'test/integration/test_ssl_integration.py': 'starts a Kafka with TLS',
}

compatTest({
  tool: "kafka-python's integration tests",
  install: pytestSuite,
  version: ({ version }) => version,
  // As in the suite's own server.properties: four partitions, and sessions of three seconds are allowed.
  broker: { properties: { 'num.partitions': '4', 'group.min.session.timeout.ms': '1000' } },
  steps: async (context, broker, suite) => {
    sayWhatIsNotRun(SKIPPED, await collectTests(suite))
    await reportEach(context, await runTests(suite, broker, Object.keys(SKIPPED)))
  },
})
