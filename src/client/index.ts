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
export { bytes, double, integer, json, long, type Serde, string, uuid } from './serializers.ts'
