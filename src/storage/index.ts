/** The logs of a broker on disk. */
export { PreparedRecords } from './batch-conversion.ts'
export {
  CheckpointError,
  OffsetCheckpoint,
  type OffsetCheckpointName,
  type PartitionOffset,
} from './checkpoint-file.ts'
export type { EpochEntry } from './leader-epoch-cache.ts'
export { Log } from './log.ts'
export type { LogAppendInfo } from './log-append-info.ts'
export { type CleanerFigures, type CleanerSettings, defaultCleanerSettings } from './log-cleaner.ts'
export { defaultLogConfig, type LogConfig } from './log-config.ts'
export { LogDirectoryLockedError } from './log-directory-loader.ts'
export { LogManager } from './log-manager.ts'
export type { DirectoryFailureListener, LogManagerIntervals, LogManagerOptions } from './log-manager-options.ts'
export type { ActiveProducer, LeaderAppendOptions } from './log-parts.ts'
export type { LogReadOptions, LogSlice } from './log-reader.ts'
export {
  type MetaProperties,
  MetaPropertiesError,
  readMetaProperties,
  writeMetaProperties,
} from './meta-properties.ts'
export type { AppendOrigin } from './producer-state.ts'
export { type RecordError, RecordValidationError } from './record-check.ts'
export { formerTopic } from './stray-logs.ts'
export type { FoundTimestamp } from './timestamp-search.ts'
export { partitionName, type TopicPartition } from './topic-partition.ts'
export type { AbortedTransaction } from './transaction-index.ts'
