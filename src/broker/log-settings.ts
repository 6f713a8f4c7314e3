import { type BrokerConfig, LogConfig as TopicSettings } from '../config/broker.ts'
import type { CleanerSettings, LogConfig } from '../storage/index.ts'

/** Topics that set nothing share one object: a broker may hold thousands of them. */
const known = new WeakMap<TopicSettings, LogConfig>()

/** What a topic's logs act on: its own settings over the broker's. */
export function logSettings(broker: BrokerConfig, overrides: ReadonlyMap<string, string>): LogConfig {
  const settings = TopicSettings.of(broker, overrides)
  let log = known.get(settings)
  if (!log) {
    log = translate(settings)
    known.set(settings, log)
  }
  return log
}

function translate(settings: TopicSettings): LogConfig {
  const { compression } = settings
  const policies = [settings.isDeleted ? ['delete' as const] : [], settings.isCompacted ? ['compact' as const] : []]
  return {
    segmentBytes: settings.segmentBytes,
    segmentMs: settings.maxSegmentMs,
    segmentJitterMs: settings.get('segment.jitter.ms'),
    maxIndexSize: settings.get('segment.index.bytes'),
    indexIntervalBytes: settings.get('index.interval.bytes'),
    flushMessages: settings.get('flush.messages'),
    flushMs: settings.get('flush.ms'),
    retentionMs: settings.get('retention.ms'),
    retentionBytes: settings.get('retention.bytes'),
    maxMessageBytes: settings.maxMessageBytes,
    messageTimestampType: settings.get('message.timestamp.type') === 'LogAppendTime' ? 'LogAppendTime' : 'CreateTime',
    messageTimestampBeforeMaxMs: settings.timestampBeforeMaxMs,
    messageTimestampAfterMaxMs: settings.timestampAfterMaxMs,
    compressionType: compression === undefined ? 'producer' : compression === 'uncompressed' ? 'none' : compression,
    compressionLevel: settings.compressionLevel,
    messageFormat: settings.messageFormat,
    messageDownconversion: settings.get('message.downconversion.enable'),
    cleanupPolicy: policies.flat(),
    deleteRetentionMs: settings.get('delete.retention.ms'),
    minCompactionLagMs: settings.get('min.compaction.lag.ms'),
    maxCompactionLagMs: settings.get('max.compaction.lag.ms'),
    minCleanableDirtyRatio: settings.get('min.cleanable.dirty.ratio'),
    fileDeleteDelayMs: settings.get('file.delete.delay.ms'),
    preallocate: settings.get('preallocate'),
    minInSyncReplicas: settings.get('min.insync.replicas'),
  }
}

/** What the cleaner of all logs acts on. */
export function cleanerSettings(config: BrokerConfig): CleanerSettings {
  return {
    threads: config.get('log.cleaner.threads'),
    dedupeBufferBytes: config.get('log.cleaner.dedupe.buffer.size'),
    loadFactor: config.get('log.cleaner.io.buffer.load.factor'),
    ioBufferBytes: config.get('log.cleaner.io.buffer.size'),
    maxBytesPerSecond: config.get('log.cleaner.io.max.bytes.per.second'),
    backoffMs: config.get('log.cleaner.backoff.ms'),
  }
}
