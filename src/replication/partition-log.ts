/** What this layer needs of one partition's log. */
export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}
export interface LogAppendInfo {
  readonly firstOffset: number
  readonly lastOffset: number
  readonly recordCount: number
  readonly bytes: number
  readonly isDuplicate: boolean
  readonly logStartOffset: number
  readonly logAppendTimeMs: number
}
export interface LogSlice {
  readonly chunks: readonly Uint8Array[]
  readonly bytes: number
  readonly nextOffset: number
}
export interface ActiveProducer {
  readonly producerId: number
  readonly producerEpoch: number
  readonly lastSequence: number
  readonly lastTimestamp: number
  readonly coordinatorEpoch: number
  readonly currentTxnStartOffset: number
}
export interface TimestampOffset {
  readonly timestamp: number
  readonly offset: number
  readonly leaderEpoch: number
}
export interface Log {
  readonly topicPartition: TopicPartition
  readonly topicId: string | undefined
  readonly directory: string
  readonly logStartOffset: number
  readonly logEndOffset: number
  highWatermark: number
  readonly lastStableOffset: number
  readonly size: number
  readonly segments: readonly { readonly baseOffset: number; readonly size: number; readonly lastModifiedMs: number }[]
  readonly mustSyncBeforeAck: boolean
  readonly config: { readonly minInSyncReplicas: number; readonly cleanupPolicy: readonly string[] }
  appendAsLeader(
    records: Uint8Array,
    options: { readonly leaderEpoch: number; readonly origin: AppendOrigin; readonly apiVersion?: number },
  ): LogAppendInfo
  appendAsFollower(records: Uint8Array): LogAppendInfo
  flushed(offset: number): Promise<void>
  read(
    startOffset: number,
    options: { readonly maxBytes: number; readonly maxOffset: number; readonly minOneMessage: boolean },
  ): LogSlice
  abortedTransactions(
    startOffset: number,
    endOffset: number,
  ): readonly { readonly producerId: number; readonly firstOffset: number }[]
  offsetForTimestamp(timestamp: number): TimestampOffset | undefined
  offsetForMaxTimestamp(): TimestampOffset | undefined
  offsetForLeaderEpoch(epoch: number): { readonly epoch: number; readonly endOffset: number }
  epochOf(offset: number): number | undefined
  assignLeaderEpoch(epoch: number, startOffset: number): void
  advanceLogStartOffset(offset: number): void
  truncateFullyAndStartAt(offset: number): void
  producerStates(): readonly ActiveProducer[]
}
export type AppendOrigin = 'client' | 'coordinator' | 'replication'

/** What this layer needs of all logs of a broker. */
export interface LogManager {
  allLogs(): Iterable<Log>
  getLog(topicPartition: TopicPartition): Log | undefined
  getOrCreateLog(topicPartition: TopicPartition, options: { readonly topicId: string | undefined }): Log
  deleteLog(topicPartition: TopicPartition): void
  onDirectoryFailure(listener: (directory: string) => void): void
}
