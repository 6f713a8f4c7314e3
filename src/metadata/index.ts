export type { BrokerRegistration, RegisteredEndpoint } from './broker-registration.ts'
export {
  type ClusterDelta,
  ClusterImage,
  type ImageBuilder,
  type PartitionImage,
  type TopicChange,
  type TopicImage,
} from './cluster-image.ts'
export {
  type FinalizedFeatures,
  NO_FEATURES,
  SUPPORTED_FEATURES,
  TRANSACTION_VERSION,
} from './features.ts'
export { isInternalTopic, OFFSETS_TOPIC, TRANSACTION_STATE_TOPIC } from './internal-topics.ts'
export { type ComingChange, MetadataCache, type MetadataPreparer, type MetadataPublisher } from './metadata-cache.ts'
export * from './znodes/admin-znodes.ts'
export { decodeBroker, encodeBroker } from './znodes/broker-znode.ts'
export * from './znodes/config-znodes.ts'
export * from './znodes/controller-znodes.ts'
export { decodePartitionState, encodePartitionState, type LeaderAndIsr } from './znodes/partition-state-znode.ts'
export { decodeTopic, encodeTopic, type ReplicaAssignment, type TopicAssignment } from './znodes/topic-znode.ts'
export { ZnodeFormatError } from './znodes/znode-json.ts'
export {
  CONFIG_TYPES,
  type ConfigEntityType,
  configEntity,
  DEFAULT_ENTITY,
  desanitize,
  PERSISTENT_PATHS,
  sanitize,
  ZnodePath,
} from './znodes/znode-paths.ts'
