/** Which of librdkafka's tests run against which broker, and which do not, and why. */

/** Tests that want the same broker. */
export interface SuiteProfile {
  readonly name: string
  /** The scenario's name in librdkafka's suite. */
  readonly scenario: string
  /** Settings of the broker on top of those that every compatibility test has. */
  readonly broker: Readonly<Record<string, string>>
  /** Tests that run at the same time; most wait most of the time. */
  readonly parallel: number
  /** How many times as long as usual the tests may take; once when absent. */
  readonly patience?: number
  /** Quick ones, which CI runs. */
  readonly quick: readonly string[]
  /** Those that are run on demand only. */
  readonly long: readonly string[]
}

const BROKER = { 'num.partitions': '4' }

export const PROFILES: readonly SuiteProfile[] = [
  {
    name: 'topics created on first use',
    scenario: 'default',
    broker: BROKER,
    parallel: 3,
    // 0059 has ten seconds for up to ten lookups, each of which librdkafka may hold up for one (fetch.queue.backoff.ms), with
    // Apache Kafka, too.
    patience: 3,
    quick: [
      '0001_multiobj',
      '0002_unkpart',
      '0003_msgmaxsize',
      '0005_order',
      '0007_autotopic',
      '0008_reqacks',
      '0011_produce_batch',
      '0012_produce_consume',
      '0013_null_msgs',
      '0014_reconsume_191',
      '0015_offsets_seek',
      '0016_client_swname',
      '0017_compression',
      '0018_cgrp_term',
      '0019_list_groups',
      '0020_destroy_hang',
      '0021_rkt_destroy',
      '0022_consume_batch',
      '0029_assign_offset',
      '0030_offset_commit',
      '0031_get_offsets',
      '0034_offset_reset',
      '0035_api_version',
      '0036_partial_fetch',
      '0038_performance',
      '0039_event_dr',
      '0040_io_event',
      '0041_fetch_max_bytes',
      '0042_many_topics',
      '0044_partition_cnt',
      '0048_partitioner',
      '0051_assign_adds',
      '0053_stats',
      '0054_offset_time',
      '0056_balanced_group_mt',
      '0057_invalid_topic',
      '0059_bsearch',
      '0060_op_prio',
      '0063_clusterid',
      '0064_interceptors',
      '0065_yield',
      '0067_empty_topic',
      '0070_null_empty',
      '0073_headers',
      '0082_fetch_max_bytes',
      '0083_cb_event',
      '0084_destroy_flags',
      '0085_headers',
      '0086_purge_remote',
      '0090_idempotence',
      '0092_mixed_msgver',
      '0099_commit_metadata',
      '0110_batch_size',
      '0112_assign_unknown_part',
      '0114_sticky_partitioning',
      '0123_connections_max_idle',
      '0125_immediate_flush',
      '0129_fetch_aborted_msgs',
      '0130_store_offsets',
      '0132_strategy_ordering',
      '0137_barrier_batch_consume',
      '0140_commit_metadata',
    ],
    long: [
      '0026_consume_pause',
      '0033_regex_subscribe',
      '0045_subscribe_update',
      '0045_resubscribe_with_regex',
      '0045_subscribe_many_updates',
      '0050_subscribe_adds',
      '0052_msg_timestamps',
      '0055_producer_latency',
      '0061_consumer_lag',
      '0069_consumer_add_parts',
      '0077_compaction',
      '0091_max_poll_interval_timeout',
      '0093_holb_consumer',
      '0103_transactions',
      '0122_buffer_cleaning_after_rebalance',
      // Wants each record within 30 ms of its time, which is for a machine that does nothing else.
      '0127_fetch_queue_backoff',
    ],
  },
  {
    // Apart from the rest, one after the other. 0076 closes the sockets of librdkafka behind its back, which then reads from
    // and closes what has the number by now: the socket of another test. Answers to others get lost there and time out,
    // of ApiVersions as well, or are "Bad message format"; with Apache Kafka, too.
    name: 'disturbed network',
    scenario: 'default',
    broker: BROKER,
    parallel: 1,
    quick: ['0068_produce_timeout', '0049_consume_conn_close'],
    long: ['0075_retry', '0076_produce_retry', '0088_produce_metadata_timeout', '0094_idempotence_msg_timeout'],
  },
  {
    // Members that start together are to be in one first generation.
    name: 'group.initial.rebalance.delay.ms=3000',
    scenario: 'default',
    broker: { ...BROKER, 'group.initial.rebalance.delay.ms': '3000' },
    parallel: 3,
    quick: ['0102_static_group_rebalance', '0118_commit_rebalance'],
    long: ['0089_max_poll_interval', '0113_cooperative_rebalance'],
  },
  {
    name: 'auto.create.topics.enable=false',
    scenario: 'noautocreate',
    broker: { ...BROKER, 'auto.create.topics.enable': 'false' },
    parallel: 2,
    quick: ['0045_subscribe_update_topic_remove', '0045_subscribe_update_non_exist_and_partchange'],
    long: ['0107_topic_recreate', '0111_delay_create_topics'],
  },
  {
    // Starts Java some thirty times.
    name: "transactions of Java's producer",
    scenario: 'default',
    broker: BROKER,
    parallel: 1,
    patience: 10,
    quick: [],
    long: ['0098_consumer_txn'],
  },
]

/** The subtests of 0081, which stops at the first that fails, so each is run by itself. */
export const ADMIN_TEST = '0081_admin'
export const ADMIN_PROFILE: SuiteProfile = {
  name: 'the admin client',
  scenario: 'default',
  broker: BROKER,
  parallel: 1,
  quick: [
    'unclean_destroy',
    'AlterConfigs',
    'CreatePartitions',
    'DeleteTopics',
    'DescribeCluster',
    'DescribeConfigs',
    'DescribeConfigs_groups',
    'IncrementalAlterConfigs',
  ],
  long: [
    'AlterConsumerGroupOffsets',
    'CreateTopics',
    'DeleteConsumerGroupOffsets',
    'DeleteGroups',
    'DeleteRecords',
    'DescribeConsumerGroups',
    'DescribeTopics',
    'ListConsumerGroupOffsets',
    'ListConsumerGroups',
    'ListOffsets',
  ],
}

const SASL = 'wants SASL, which is not there yet'
const AUTHORIZER = 'wants an authorizer, which is not there yet'
const KNOWN_ISSUE = 'librdkafka marks it as a known issue of its own'
const MOCK = "talks to librdkafka's mock cluster alone"

/** Subtests of 0081 that run nowhere here, and why. */
export const SKIPPED_ADMIN: Readonly<Record<string, string>> = {
  CreateAcls: AUTHORIZER,
  DeleteAcls: AUTHORIZER,
  DescribeAcls: AUTHORIZER,
  DescribeConsumerGroups_with_authorized_ops: SASL,
  UserScramCredentials: SASL,
}

/** Tests that run nowhere here, and why. Those that the suite itself marks as local are left out by it. */
export const SKIPPED: Readonly<Record<string, string>> = {
  '0028_long_topicnames': KNOWN_ISSUE,
  '0047_partial_buf_tmout': KNOWN_ISSUE,
  '0097_ssl_verify': 'wants TLS, which is not there yet',
  '0101_fetch_from_follower': 'wants three brokers: it fetches from followers',
  '0109_auto_create_topics': AUTHORIZER,
  '0115_producer_auth': AUTHORIZER,
  '0119_consumer_auth': AUTHORIZER,
  '0126_oauthbearer_oidc': SASL,
  '0135_sasl_credentials': SASL,
  '0139_offset_validation_mock': MOCK,
  '0142_reauthentication': SASL,
  '0150_telemetry_mock': MOCK,
  '0153_memberid': 'wants groups of KIP-848, which Kafka 3.9 has with KRaft alone',
}
