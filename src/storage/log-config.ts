import type { CompressionType, TimestampType } from '../protocol/index.ts'

/** The numbers of a topic's configuration that its logs act on. Durations in ms, sizes in bytes; -1 where Kafka has it. */
export interface LogConfig {
  readonly segmentBytes: number
  readonly segmentMs: number
  /** Up to this much is taken off `segmentMs`, at random, so that the segments of a broker do not roll all at once. */
  readonly segmentJitterMs: number
  readonly maxIndexSize: number
  readonly indexIntervalBytes: number
  /** Messages after which the log is synced; 1: before each acknowledgement. */
  readonly flushMessages: number
  readonly flushMs: number
  readonly retentionMs: number
  readonly retentionBytes: number
  readonly maxMessageBytes: number
  readonly messageTimestampType: TimestampType
  readonly messageTimestampBeforeMaxMs: number
  readonly messageTimestampAfterMaxMs: number
  /** `producer` keeps what the producer chose. */
  readonly compressionType: CompressionType | 'producer'
  /** Level of `compressionType`, where it has levels. */
  readonly compressionLevel: number | undefined
  /** Format in which records are stored. */
  readonly messageFormat: 0 | 1 | 2
  /** Records are converted for readers that know only formats 0 and 1. */
  readonly messageDownconversion: boolean
  readonly cleanupPolicy: readonly ('delete' | 'compact')[]
  readonly deleteRetentionMs: number
  readonly minCompactionLagMs: number
  readonly maxCompactionLagMs: number
  readonly minCleanableDirtyRatio: number
  readonly fileDeleteDelayMs: number
  readonly preallocate: boolean
  readonly minInSyncReplicas: number
}

const FOR_EVER = Number.MAX_SAFE_INTEGER
const WEEK_MS = 7 * 24 * 3600 * 1000

/** Kafka 3.9's defaults of a topic. */
export const defaultLogConfig: LogConfig = {
  segmentBytes: 2 ** 30,
  segmentMs: WEEK_MS,
  segmentJitterMs: 0,
  maxIndexSize: 10 * 2 ** 20,
  indexIntervalBytes: 4096,
  flushMessages: FOR_EVER,
  flushMs: FOR_EVER,
  retentionMs: WEEK_MS,
  retentionBytes: -1,
  maxMessageBytes: 2 ** 20 + 12,
  messageTimestampType: 'CreateTime',
  messageTimestampBeforeMaxMs: FOR_EVER,
  messageTimestampAfterMaxMs: FOR_EVER,
  compressionType: 'producer',
  compressionLevel: undefined,
  messageFormat: 2,
  messageDownconversion: true,
  cleanupPolicy: ['delete'],
  deleteRetentionMs: 24 * 3600 * 1000,
  minCompactionLagMs: 0,
  maxCompactionLagMs: FOR_EVER,
  minCleanableDirtyRatio: 0.5,
  fileDeleteDelayMs: 60_000,
  preallocate: false,
  minInSyncReplicas: 1,
}

/** Age at which a segment is rolled: a compacted topic's records must become cleanable within the compaction lag. */
export function maxSegmentMs(config: LogConfig): number {
  return config.cleanupPolicy.includes('compact')
    ? Math.min(config.segmentMs, config.maxCompactionLagMs)
    : config.segmentMs
}
