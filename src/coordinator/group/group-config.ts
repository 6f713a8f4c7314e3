import type { BrokerConfig } from '../../config/broker.ts'
import type { CompressionType } from '../../protocol/index.ts'
import type { GroupLimits } from './decision.ts'

/** Broker settings that groups depend on. */
export interface GroupConfig {
  readonly limits: GroupLimits
  /** `offset.metadata.max.bytes`; as in Kafka counted in UTF-16 units. */
  readonly maxMetadataLength: number
  /** `offsets.retention.minutes`. */
  readonly offsetsRetentionMs: number
  /** `offsets.retention.check.interval.ms`. */
  readonly retentionCheckIntervalMs: number
  /** `offsets.topic.compression.codec`. */
  readonly compression: CompressionType
}

/** Ids that one group may have given out and not seen again; each lasts for a session timeout at most. */
const MAX_PENDING_MEMBERS = 10_000

const CODECS: readonly CompressionType[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

/** The group settings of a broker's configuration. */
export function groupConfig(config: Pick<BrokerConfig, 'get'>): GroupConfig {
  return {
    limits: {
      minSessionTimeoutMs: config.get('group.min.session.timeout.ms'),
      maxSessionTimeoutMs: config.get('group.max.session.timeout.ms'),
      initialRebalanceDelayMs: config.get('group.initial.rebalance.delay.ms'),
      maxSize: config.get('group.max.size'),
      maxPendingMembers: MAX_PENDING_MEMBERS,
    },
    maxMetadataLength: config.get('offset.metadata.max.bytes'),
    offsetsRetentionMs: config.get('offsets.retention.minutes') * 60_000,
    retentionCheckIntervalMs: config.get('offsets.retention.check.interval.ms'),
    compression: CODECS[config.get('offsets.topic.compression.codec')] ?? 'none',
  }
}
