/** Settings of brokers, topics and entities: what a client need not load. */
export { BrokerConfig } from './broker-config.ts'
export { type BrokerKeys, brokerKeyThemes, kafkaConfig } from './broker-keys.ts'
export {
  CONFIG_TYPE_IDS,
  ConfigSource,
  type DescribedConfig,
  type DescribedSynonym,
  describeBroker,
  describeBrokerDefaults,
  describeTopic,
} from './describe.ts'
export {
  type BrokerConfigSubscriber,
  DynamicBrokerConfig,
  type DynamicScope,
  isDynamic,
  updateMode,
} from './dynamic-config.ts'
export { brokerQuotaConfig, clientConfig, ipConfig, userConfig } from './entity-config.ts'
export { type BrokerEndpoint, isEveryInterface, type SecurityProtocol } from './listeners.ts'
export { METADATA_VERSIONS, metadataVersion } from './metadata-version.ts'
export {
  checkTopicOverrides,
  LogConfig,
  TOPIC_SERVER_KEYS,
  type TopicCompression,
  type TopicKeys,
  topicConfig,
} from './topic-config.ts'
