import type { LeaderEpochCache } from './leader-epoch-cache.ts'
import type { LogConfig } from './log-config.ts'
import type { LogDirectory, StorageContext } from './log-directory.ts'
import type { LogSegments } from './log-segments.ts'
import type { ProducerSnapshots } from './producer-snapshots.ts'
import type { AppendOrigin, ProducerState } from './producer-state.ts'
import type { TopicPartition } from './topic-partition.ts'
import type { TransactionSums } from './transaction-sums.ts'

/** A log as it was found on disk, or made. */
export interface LogParts {
  readonly context: StorageContext
  readonly directory: LogDirectory
  /** The partition's own directory. */
  readonly path: string
  readonly topicPartition: TopicPartition
  readonly topicId: string | undefined
  readonly config: LogConfig
  readonly segments: LogSegments
  readonly epochs: LeaderEpochCache
  readonly producers: ProducerState
  readonly snapshots: ProducerSnapshots
  readonly sums: TransactionSums
  readonly logStartOffset: number
  readonly logEndOffset: number
  readonly recoveryPoint: number
  readonly highWatermark: number
  /** Below it compaction has been; undefined where none has. */
  readonly cleanedUpTo?: number | undefined
  /** Files or directories were made that no sync has covered. */
  readonly entriesChanged: boolean
  /** The process before may have removed files without a sync: with the power they would come back. */
  readonly wasKilled?: boolean
  /** Segments from the one that holds this offset on have been recovered, and what that wrote is not synced. */
  readonly recoveredFrom?: number | undefined
  /** Brings to disk what the making of the log left for the first flush. */
  readonly settleCreation?: (() => Promise<void>) | undefined
  readonly owner: LogOwner
}

/** What a log asks of whoever keeps all logs. */
export interface LogOwner {
  /** Resolves when the recovery points of the directory are on disk as they are now. */
  saveRecoveryPoints(directory: LogDirectory): Promise<void>
  /** Resolves when the log start offsets of the directory are on disk as they are now. */
  saveLogStartOffsets(directory: LogDirectory): Promise<void>
  /** Resolves when it is on disk how far compaction has come in the logs of the directory. */
  saveCleanerOffsets(directory: LogDirectory): Promise<void>
}

/** How {@link Log.appendAsLeader} appends. */
export interface LeaderAppendOptions {
  readonly leaderEpoch: number
  readonly origin: AppendOrigin
  /** Version of the produce request; from 3 on it must hold exactly one batch of format 2. */
  readonly apiVersion?: number
}

/** A producer as DescribeProducers shows it. */
export interface ActiveProducer {
  readonly producerId: number
  readonly producerEpoch: number
  readonly lastSequence: number
  readonly lastTimestamp: number
  readonly coordinatorEpoch: number
  /** -1 when it is in no transaction. */
  readonly currentTxnStartOffset: number
}
