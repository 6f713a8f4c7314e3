import type { Clock, Disk, DiskError, Logger, Random, Threads } from '../platform/index.ts'
import type { CleanerSettings } from './log-cleaner.ts'
import type { LogConfig } from './log-config.ts'
import type { TopicPartition } from './topic-partition.ts'

/** How often the manager does what is not asked for. Defaults are Kafka's. */
export interface LogManagerIntervals {
  /** `log.retention.check.interval.ms` */
  readonly retentionCheckMs: number
  /** `log.flush.scheduler.interval.ms` */
  readonly flushCheckMs: number
  /** `log.flush.offset.checkpoint.interval.ms` */
  readonly recoveryPointCheckpointMs: number
  /** `log.flush.start.offset.checkpoint.interval.ms` */
  readonly logStartCheckpointMs: number
  /** `replica.high.watermark.checkpoint.interval.ms` */
  readonly highWatermarkCheckpointMs: number
  /** `producer.id.expiration.check.interval.ms` */
  readonly producerExpirationCheckMs: number
}

/** How a {@link LogManager} is opened. */
export interface LogManagerOptions {
  readonly disk: Disk
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** `log.dirs`. */
  readonly directories: readonly string[]
  /** The settings in effect of a topic. */
  readonly configOf: (topic: string) => LogConfig
  /** The id of the topic that has this name now, undefined where none has; by it logs of one before it are told. */
  readonly topicIdOf?: (topic: string) => string | undefined
  /** `producer.id.expiration.ms`; default a day. */
  readonly producerIdExpirationMs?: () => number
  readonly intervals?: Partial<LogManagerIntervals>
  /** Segment files open at once; default 4096. */
  readonly maxOpenFiles?: number
  /** Memory for the tails of all logs together; default 32 MiB. */
  readonly tailCacheBytes?: number
  /** The cleaner's settings in effect; without them nothing is compacted (`log.cleaner.enable=false`). */
  readonly cleaner?: (() => CleanerSettings) | undefined
  /** Threads for the cleaner; default the event loop, a little at a time. */
  readonly cleanerThreads?: Threads | undefined
}

/** Kafka's defaults. */
export const DEFAULT_INTERVALS: LogManagerIntervals = {
  retentionCheckMs: 300_000,
  flushCheckMs: Number.MAX_SAFE_INTEGER,
  recoveryPointCheckpointMs: 60_000,
  logStartCheckpointMs: 60_000,
  highWatermarkCheckpointMs: 5000,
  producerExpirationCheckMs: 600_000,
}

/** Called when a directory goes offline, with the partitions that were in it. */
export type DirectoryFailureListener = (
  directory: string,
  partitions: readonly TopicPartition[],
  error: DiskError,
) => void
