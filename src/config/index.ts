export { BrokerConfig } from './broker-config.ts'
export { type BrokerKeys, brokerKeyThemes, kafkaConfig } from './broker-keys.ts'
export {
  Config,
  ConfigDef,
  type ConfigKey,
  type ConfigTable,
  type ConfigValueOf,
  defineConfig,
  type Importance,
  type Properties,
  type UpdateMode,
} from './config-def.ts'
export { ConfigError } from './config-error.ts'
export { type AnyConfigValue, type ConfigType, Password } from './config-value.ts'
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
export { parseProperties } from './properties.ts'
export {
  checkTopicOverrides,
  LogConfig,
  TOPIC_SERVER_KEYS,
  type TopicCompression,
  type TopicKeys,
  topicConfig,
} from './topic-config.ts'
export { atLeast, type OneOf, oneOf, oneOfAnyCase, type Validator } from './validators.ts'
