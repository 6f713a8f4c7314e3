export { ConfigError } from '../config/index.ts'
export { KafkaError } from '../protocol/index.ts'
export type {
  GroupAssignment,
  GroupSubscription,
  MemberSubscription,
  PartitionAssignor,
} from './consumer/assignors/assignor.ts'
export { Consumer } from './consumer/consumer.ts'
export type { ConsumerBatch, ConsumerOptions, WaitOptions } from './consumer/consumer-options.ts'
export { ConsumerRecord } from './consumer/consumer-record.ts'
export type { PartitionOffset } from './consumer/offset-requests.ts'
export type { RunOptions } from './consumer/run-handler.ts'
export type { TopicPartition } from './consumer/topic-partition.ts'
export { connect, Kafka, type KafkaOptions } from './kafka.ts'
export type { PartitionChoice, Partitioner } from './producer/partitioner.ts'
export {
  Producer,
  type ProducerInterceptor,
  type ProducerOptions,
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
export type { GroupMetadata, OffsetToCommit } from './producer/transactions.ts'
export { bytes, double, integer, json, long, type Serde, string, uuid } from './serializers.ts'
