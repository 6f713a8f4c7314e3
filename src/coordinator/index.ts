/**
 * Coordinators: state machines that live in the log of an internal topic. `runtime/` is what they have in common,
 * `group/` coordinates classic consumer groups and keeps committed offsets, `transaction/` coordinates transactions.
 */
export type { GroupState } from './group/classic-group.ts'
export { type GroupConfig, groupConfig } from './group/group-config.ts'
export {
  GroupCoordinator,
  type GroupCoordinatorOptions,
  type GroupCounts,
} from './group/group-coordinator.ts'
export type { GroupRequestContext } from './group/membership.ts'
export {
  CoordinatorRuntime,
  type CoordinatorRuntimeOptions,
  type EncodedRecord,
  type ProducerMarker,
  type RecordPosition,
  type StateMachine,
  type TransactionalProducer,
  type WriteDecision,
} from './runtime/coordinator-runtime.ts'
export { javaHashCode, partitionForKey } from './runtime/partition-for-key.ts'
export type { PartitionLoader, PartitionWriter, ReadableLog } from './runtime/partition-storage.ts'
export { type ReadLogOptions, readLog } from './runtime/read-log.ts'
export type { MarkerWriter } from './transaction/marker-writer.ts'
export type { PartitionName } from './transaction/topic-partitions.ts'
export { EPOCH_PER_TRANSACTION, type ProducerIdentity, type TransactionState } from './transaction/transaction.ts'
export { type TransactionConfig, transactionConfig } from './transaction/transaction-config.ts'
export {
  TransactionCoordinator,
  type TransactionCoordinatorOptions,
} from './transaction/transaction-coordinator.ts'
