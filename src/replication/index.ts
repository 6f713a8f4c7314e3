export type { AppendEntry, AppendRequest, AppendResult } from './append.ts'
export type { DeleteRecordsEntry, DeleteRecordsResult } from './delete-records.ts'
export { type FetchAnswer, type FetchContext, FetchSessions, type FetchTopicAnswer } from './fetch-context.ts'
export {
  type AbortedTransaction,
  type FetchIsolation,
  type FetchParams,
  type FetchPartition,
  type FetchPartitionResult,
  fetchError,
} from './fetch-result.ts'
export { FetchSessionCache, type FetchSessionCacheOptions } from './fetch-session-cache.ts'
export { HostedTopic } from './hosted-topic.ts'
export { type ListedOffset, type ListOffsetRequest, legacyOffsets, listOffset, OffsetSpec } from './list-offset.ts'
export type { DescribedDirectory, DescribedLog, DirectoryChange } from './log-directories.ts'
export { Partition, type PartitionListener, type PartitionState } from './partition.ts'
export { Purgatory } from './purgatory.ts'
export { ReplicaManager, type ReplicaManagerOptions } from './replica-manager.ts'
