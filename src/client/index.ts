/// <reference types="node" preserve="true" />
export { ConfigError } from '../config/index.ts'
export type { Logger, LogLevels, Pem, TlsOptions, TlsVersion } from '../platform/index.ts'
export { type ErrorName, KafkaError, type RecordHeader } from '../protocol/index.ts'
export type { OAuthToken, SaslOptions, ScramMechanismName, SecurityParts, TokenProvider } from '../security/index.ts'
export { addressOptions, environmentOptions } from './address.ts'
export type {
  AclBinding,
  AclFilter,
  AclOperation,
  AclPermission,
  AclResourceType,
  NewAcl,
} from './admin/acls.ts'
export { Admin, type AdminFigures, type AdminOptions } from './admin/admin.ts'
export { type CallOptions, ItemsFailed } from './admin/admin-call.ts'
export type {
  ClientQuotaChange,
  ClientQuotaFilter,
  ClientQuotas,
  QuotaEntity,
  QuotaEntityType,
} from './admin/client-quotas.ts'
export type { ClusterDescription } from './admin/cluster-info.ts'
export type {
  ConfigChange,
  ConfigEntry,
  ConfigResource,
  ConfigSynonym,
  DescribeConfigsOptions,
  ResourceChanges,
  ResourceConfigs,
} from './admin/configs.ts'
export type { CreateTokenOptions, DelegationToken } from './admin/delegation-tokens.ts'
export type { FeatureDescription, FeatureRange, FeatureUpdate } from './admin/features.ts'
export type { ListGroupOffsetsOptions } from './admin/group-offsets.ts'
export type {
  DescribeOptions,
  GroupDescription,
  GroupListing,
  GroupMember,
  GroupType,
  ListGroupsOptions,
  MemberToRemove,
} from './admin/groups.ts'
export type { LogDir, Replica, ReplicaInfo, ReplicaLogDirs, ReplicaMove, ReplicaPlace } from './admin/log-dirs.ts'
export type {
  ListedOffset,
  ListOffsetsOptions,
  LowWatermark,
  OffsetQuery,
  RecordsToDelete,
} from './admin/partitions.ts'
export type { NewReassignment, PartitionReassignment } from './admin/reassignments.ts'
export type { ScramCredential, ScramCredentialChange, UserScramCredentials } from './admin/scram-users.ts'
export type {
  CreatedTopic,
  NewPartitions,
  NewTopic,
  QuotaOptions,
  TopicDescription,
  TopicRef,
  ValidatedOptions,
} from './admin/topics.ts'
export type {
  DescribeProducersOptions,
  FencedProducer,
  HangingTransaction,
  ListTransactionsOptions,
  PartitionProducers,
  ProducerState,
  TransactionDescription,
  TransactionListing,
} from './admin/transactions.ts'
export type { ClientParts, ConfigInput, KafkaOptions } from './client-options.ts'
export type { BrokerInfo, PartitionInfo, TopicInfo } from './cluster-metadata.ts'
export type {
  GroupAssignment,
  GroupSubscription,
  MemberSubscription,
  PartitionAssignor,
  RebalanceProtocol,
} from './consumer/assignors/assignor.ts'
export { Consumer } from './consumer/consumer.ts'
export type { ConsumerFigures } from './consumer/consumer-metrics.ts'
export type { BatchesOptions, ConsumerBatch, ConsumerOptions, WaitOptions } from './consumer/consumer-options.ts'
export { ConsumerRecord } from './consumer/consumer-record.ts'
export type { Committer, FoundOffset, OffsetAndEpoch, PartitionOffset } from './consumer/offset-requests.ts'
export { LogTruncationError, PositionError } from './consumer/position-error.ts'
export type { RebalanceEvent } from './consumer/rebalance-listeners.ts'
export type { RunOptions } from './consumer/run-handler.ts'
export { type Subscription, SubscriptionPattern } from './consumer/topic-pattern.ts'
export type { GroupMetadata } from './group-metadata.ts'
export { connect, Kafka } from './kafka.ts'
export type { PartitionChoice, Partitioner } from './producer/partitioner.ts'
export {
  Producer,
  type ProducerInterceptor,
  type ProducerOptions,
  type ProducerParts,
  type SendOptions,
} from './producer/producer.ts'
export type { ProduceEvent } from './producer/producer-events.ts'
export type { ProducerFigures } from './producer/producer-metrics.ts'
export type {
  BatchMetadata,
  HeadersInput,
  ProducerRecord,
  Raw,
  RecordMetadata,
  TopicRecord,
} from './producer/record-input.ts'
export { type FileOptions, propertiesFile } from './properties-file.ts'
export type { ClientConnectionEvent, ClientRequestEvent } from './request-events.ts'
export { bytes, double, integer, json, long, type Serde, string, uuid } from './serializers.ts'
export type { TopicPartition } from './topic-partition.ts'
