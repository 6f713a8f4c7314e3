import type { Random } from '../../../src/platform/index.ts'
import type { CompressionType } from '../../../src/protocol/everything.ts'
import type { Properties } from './world.ts'

/**
 * How the broker may die and what it promises then: `kill` takes the process alone; `synced` takes the power, with
 * everything synced before it is acknowledged; `lossy` takes the power, with nothing promised for what was not synced.
 */
export type Durability = 'kill' | 'synced' | 'lossy'

/** A topic of a run. */
export interface TopicSettings {
  readonly name: string
  readonly partitions: number
  readonly configs: Properties
}

/** What a seed makes of a run. */
export interface Settings {
  readonly durability: Durability
  readonly properties: Properties
  readonly topics: readonly TopicSettings[]
  /** With which producers compress, one as often as another. */
  readonly codecs: readonly CompressionType[]
  /** After how long an operator finalizes `transaction.version` 2, and what becomes of it; undefined where nobody does. */
  readonly secondProtocol?: { readonly afterMs: number; readonly changesEveryMs?: number }
  /** How members of the group share partitions. */
  readonly protocol: 'range' | 'cooperative-sticky'
  /** After so long, or above so many bytes, records of the topic `short` go. */
  readonly retention: { readonly ms: number } | { readonly bytes: number }
  /** Simulated time in which clients begin new work. */
  readonly busyMs: number
  /** The longest that bytes are under way while the network is well. */
  readonly delayMs: number
  /** The longest that a sync of the disk takes. */
  readonly syncMs: number
  /** Mean time between two faults. */
  readonly faultEveryMs: number
}

/** Transactions that nobody ends are aborted after it. */
export const TRANSACTION_TIMEOUT_MS = 2_000

/** Members that are not heard of are put out after it. */
export const SESSION_TIMEOUT_MS = 1_000

/** Topics for records of all kinds, of transactions, with keys, and that lose their oldest records. */
export const TOPIC = { plain: 'plain', transactional: 'txn', output: 'out', keyed: 'keyed', short: 'short' } as const

export const SHORT_SEGMENT_BYTES = 300

/** In so many runs somebody finalizes the second protocol of transactions. */
const WITH_SECOND_PROTOCOL = 3

/** Adds {@link Settings.secondProtocol}, drawn from `aside`, so that what is drawn in runs without it is what it was. */
export function withSecondProtocol(settings: Settings, aside: Random): Settings {
  if (aside.below(WITH_SECOND_PROTOCOL) > 0) return settings
  const afterMs = aside.below(2) === 0 ? 0 : aside.below(settings.busyMs)
  const changes = aside.below(2) === 0 ? {} : { changesEveryMs: 200 + aside.below(1_500) }
  // Markers that take their time let the next transaction come to its partitions before them.
  const syncMs = aside.below(3) === 0 ? 150 : settings.syncMs
  return { ...settings, syncMs, secondProtocol: { afterMs, ...changes } }
}

export function drawSettings(random: Random): Settings {
  const oneOf = <T>(items: readonly T[]): T => items[random.below(items.length)]!
  const durability = oneOf<Durability>(['kill', 'synced', 'synced', 'lossy'])
  const codecs = oneOf<readonly CompressionType[]>([
    ['none'],
    ['none', 'gzip'],
    ['snappy', 'lz4'],
    ['none', 'gzip', 'snappy', 'lz4'],
    ['none', 'zstd'],
  ])
  /** What the broker makes of what producers send. */
  const form = (): Properties => ({
    'compression.type': oneOf(['producer', 'producer', 'producer', 'uncompressed', 'gzip', codecs.at(-1)!]).replace(
      'none',
      'producer',
    ),
    'message.timestamp.type': oneOf(['CreateTime', 'CreateTime', 'LogAppendTime']),
  })
  const segmentBytes = (): Properties => ({
    'segment.bytes': `${oneOf([300, 1_000, 4_000, 1 << 20])}`,
    ...form(),
  })
  const retention = oneOf([{ bytes: 400 }, { bytes: 1_000 }, { ms: 3_000 }, { ms: 12_000 }])
  return {
    durability,
    busyMs: oneOf([500, 1_500, 3_000]),
    codecs,
    protocol: oneOf(['range', 'cooperative-sticky']),
    retention,
    delayMs: oneOf([0, 5, 30]),
    syncMs: oneOf([0, 0, 5, 20]),
    faultEveryMs: oneOf([400, 800, 2_000]),
    properties: {
      'log.dirs': oneOf(['/data', '/data', '/data,/more']),
      ...(durability === 'synced' ? { 'log.flush.interval.messages': '1' } : {}),
      'log.flush.scheduler.interval.ms': '500',
      'log.flush.interval.ms': `${oneOf([500, 5_000])}`,
      'log.flush.offset.checkpoint.interval.ms': `${oneOf([500, 5_000])}`,
      'log.flush.start.offset.checkpoint.interval.ms': `${oneOf([500, 5_000])}`,
      'replica.high.watermark.checkpoint.interval.ms': `${oneOf([500, 5_000])}`,
      'log.retention.check.interval.ms': `${oneOf([500, 2_000])}`,
      'log.initial.task.delay.ms': '500',
      'log.cleaner.backoff.ms': `${oneOf([300, 2_000])}`,
      'log.segment.delete.delay.ms': `${oneOf([0, 1_000])}`,
      'log.index.interval.bytes': `${oneOf([100, 4_096])}`,
      'group.min.session.timeout.ms': '100',
      'group.initial.rebalance.delay.ms': `${oneOf([0, 300])}`,
      'transaction.abort.timed.out.transaction.cleanup.interval.ms': '500',
      'transaction.partition.verification.enable': oneOf(['true', 'false']),
      'transaction.state.log.num.partitions': '1',
      'offsets.topic.num.partitions': '1',
      'offsets.topic.segment.bytes': `${oneOf([1_000, 1 << 20])}`,
      'transaction.state.log.segment.bytes': `${oneOf([1_000, 1 << 20])}`,
    },
    topics: [
      { name: TOPIC.plain, partitions: 2, configs: segmentBytes() },
      { name: TOPIC.transactional, partitions: 2, configs: segmentBytes() },
      { name: TOPIC.output, partitions: 1, configs: segmentBytes() },
      {
        name: TOPIC.keyed,
        partitions: 1,
        configs: {
          'cleanup.policy': 'compact',
          'segment.bytes': '300',
          'min.cleanable.dirty.ratio': '0.01',
          ...form(),
        },
      },
      {
        name: TOPIC.short,
        partitions: 1,
        configs: {
          'segment.bytes': `${SHORT_SEGMENT_BYTES}`,
          ...('ms' in retention ? { 'retention.ms': `${retention.ms}` } : { 'retention.bytes': `${retention.bytes}` }),
        },
      },
    ],
  }
}
