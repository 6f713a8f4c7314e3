import type { BrokerConfig } from './broker-config.ts'
import type { BrokerKeys } from './broker-keys.ts'
import { type Config, type ConfigValueOf, defineConfig, type Properties, toMap } from './config-def.ts'
import { ConfigError } from './config-error.ts'
import { isMetadataVersionAtLeast, metadataVersion } from './metadata-version.ts'
import { topicKeys } from './topic-keys.ts'

/** Every key of a topic in Kafka 3.9. */
export const topicConfig = defineConfig(topicKeys)

/** The table behind {@link topicConfig}. */
export type TopicKeys = typeof topicKeys

/** Codecs in which a topic may store batches. */
export type TopicCompression = 'uncompressed' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

/**
 * The broker key from which a topic without a setting of its own takes its value. Where Kafka has several
 * (`log.retention.ms`, `.minutes`, `.hours`) this is the first.
 */
export const TOPIC_SERVER_KEYS: Readonly<Partial<Record<keyof TopicKeys, keyof BrokerKeys>>> = {
  'cleanup.policy': 'log.cleanup.policy',
  'compression.type': 'compression.type',
  'compression.gzip.level': 'compression.gzip.level',
  'compression.lz4.level': 'compression.lz4.level',
  'compression.zstd.level': 'compression.zstd.level',
  'delete.retention.ms': 'log.cleaner.delete.retention.ms',
  'file.delete.delay.ms': 'log.segment.delete.delay.ms',
  'flush.messages': 'log.flush.interval.messages',
  'flush.ms': 'log.flush.interval.ms',
  'index.interval.bytes': 'log.index.interval.bytes',
  'local.retention.bytes': 'log.local.retention.bytes',
  'local.retention.ms': 'log.local.retention.ms',
  'max.compaction.lag.ms': 'log.cleaner.max.compaction.lag.ms',
  'max.message.bytes': 'message.max.bytes',
  'message.downconversion.enable': 'log.message.downconversion.enable',
  'message.format.version': 'log.message.format.version',
  'message.timestamp.after.max.ms': 'log.message.timestamp.after.max.ms',
  'message.timestamp.before.max.ms': 'log.message.timestamp.before.max.ms',
  'message.timestamp.difference.max.ms': 'log.message.timestamp.difference.max.ms',
  'message.timestamp.type': 'log.message.timestamp.type',
  'min.cleanable.dirty.ratio': 'log.cleaner.min.cleanable.ratio',
  'min.compaction.lag.ms': 'log.cleaner.min.compaction.lag.ms',
  'min.insync.replicas': 'min.insync.replicas',
  preallocate: 'log.preallocate',
  'retention.bytes': 'log.retention.bytes',
  'retention.ms': 'log.retention.ms',
  'segment.bytes': 'log.segment.bytes',
  'segment.index.bytes': 'log.index.size.max.bytes',
  'segment.jitter.ms': 'log.roll.jitter.ms',
  'segment.ms': 'log.roll.ms',
  'unclean.leader.election.enable': 'unclean.leader.election.enable',
}

/** Topics without settings of their own share one object: a broker may hold thousands of them. */
const withoutOverrides = new WeakMap<BrokerConfig, LogConfig>()
const FORMAT_BY_DEFAULT = '3.0-IV1'

/**
 * A topic's settings in effect: its own, else the broker's, else the defaults. Immutable. `get` gives any key of
 * {@link topicConfig} with its type; the fields are what the log asks for at every append or look.
 */
export class LogConfig {
  /** Old segments lose records whose key has a later one. */
  readonly isCompacted: boolean
  /** Old segments are dropped by age and size. */
  readonly isDeleted: boolean
  /** Largest batch accepted, in bytes. */
  readonly maxMessageBytes: number
  readonly segmentBytes: number
  /** Age at which a segment is rolled: `segment.ms`, or for a compacted topic a shorter `max.compaction.lag.ms`. */
  readonly maxSegmentMs: number
  /** Codec in which batches are stored, or undefined to keep each as it came. */
  readonly compression: TopicCompression | undefined
  /** Level of {@link compression}, where it has levels. */
  readonly compressionLevel: number | undefined
  /** A record may be this much older than the broker's clock; from the newer keys, or the one they replace (KIP-937). */
  readonly timestampBeforeMaxMs: number
  /** A record may be this much newer than the broker's clock. */
  readonly timestampAfterMaxMs: number
  /** Message format in which records are stored: 2 but for brokers of `inter.broker.protocol.version` below 3.0. */
  readonly messageFormat: 0 | 1 | 2
  /** What the topic itself sets, as texts by key. */
  readonly overrides: ReadonlyMap<string, string>
  readonly #config: Config<TopicKeys>

  private constructor(config: Config<TopicKeys>, overrides: ReadonlyMap<string, string>, messageFormat: 0 | 1 | 2) {
    this.#config = config
    this.messageFormat = messageFormat
    this.overrides = overrides
    const policy = config.get('cleanup.policy')
    this.isCompacted = policy.includes('compact')
    this.isDeleted = policy.includes('delete')
    this.maxMessageBytes = config.get('max.message.bytes')
    this.segmentBytes = config.get('segment.bytes')
    const [segmentMs, lagMs] = [config.get('segment.ms'), config.get('max.compaction.lag.ms')]
    this.maxSegmentMs = this.isCompacted ? Math.min(segmentMs, lagMs) : segmentMs
    const codec = config.get('compression.type')
    // The key's rule allows nothing but these names and `producer`.
    this.compression = codec === 'producer' ? undefined : (codec as TopicCompression)
    this.compressionLevel =
      codec === 'gzip' || codec === 'lz4' || codec === 'zstd' ? config.get(`compression.${codec}.level`) : undefined
    const difference = config.get('message.timestamp.difference.max.ms')
    const orDifference = (value: number): number => (value === Number.MAX_SAFE_INTEGER ? difference : value)
    this.timestampBeforeMaxMs = orDifference(config.get('message.timestamp.before.max.ms'))
    this.timestampAfterMaxMs = orDifference(config.get('message.timestamp.after.max.ms'))
  }

  /**
   * The settings of a topic with `overrides` on a broker. Overrides that are no keys are passed over, for a topic may
   * have been made by another version.
   * @throws ConfigError when a value is wrong.
   */
  static of(broker: BrokerConfig, overrides: Properties = {}): LogConfig {
    let base = withoutOverrides.get(broker)
    if (!base) {
      const config = topicConfig.parse(topicDefaults(broker))
      base = new LogConfig(config, new Map(), messageFormatOf(config.get('message.format.version')))
      withoutOverrides.set(broker, base)
    }
    const own = toMap(overrides)
    if (own.size === 0) return base
    const config = topicConfig.overlay(base.#config, own)
    const mayChoose = mayChooseFormat(broker, own.get('message.format.version'))
    return new LogConfig(
      config,
      own,
      mayChoose ? messageFormatOf(config.get('message.format.version')) : base.messageFormat,
    )
  }

  /** The settings of a topic by the table alone, without a broker. */
  static standalone(overrides: Properties = {}): LogConfig {
    return new LogConfig(topicConfig.parse(overrides), toMap(overrides), 2)
  }

  /** The value of a key. */
  get<K extends keyof TopicKeys>(name: K): ConfigValueOf<TopicKeys[K]> {
    return this.#config.get(name)
  }

  /** The value of a key as Kafka describes it. */
  text(name: keyof TopicKeys): string | null {
    return this.#config.text(name)
  }
}

/** The newest message format that brokers of a version know. */
function messageFormatOf(written: string): 0 | 1 | 2 {
  const version = metadataVersion(written) ?? ''
  if (!isMetadataVersionAtLeast(version, '0.10.0-IV0')) return 0
  return isMetadataVersionAtLeast(version, '0.11.0-IV0') ? 2 : 1
}

/** A topic's own `message.format.version` counts where the broker is older than 3.0, and not older than it (KIP-724). */
function mayChooseFormat(broker: BrokerConfig, written: string | undefined): boolean {
  const version = metadataVersion(broker.get('inter.broker.protocol.version')) ?? ''
  const format = metadataVersion(written ?? '')
  if (format === undefined || isMetadataVersionAtLeast(version, FORMAT_BY_DEFAULT)) return false
  return isMetadataVersionAtLeast(version, format)
}

/** What topics take from a broker: texts by topic key (KafkaConfig.extractLogConfigMap). */
export function topicDefaults(broker: BrokerConfig): ReadonlyMap<string, string> {
  const defaults = new Map<string, string>()
  for (const [name, serverKey] of Object.entries(TOPIC_SERVER_KEYS)) {
    const text = broker.text(serverKey)
    if (text !== null) defaults.set(name, text)
  }
  const flushMs = broker.text('log.flush.interval.ms') ?? broker.text('log.flush.scheduler.interval.ms')
  defaults.set('flush.ms', flushMs ?? '')
  if (broker.get('log.retention.ms') === null || broker.logRetentionMs === -1) {
    defaults.set('retention.ms', String(broker.logRetentionMs))
  }
  if (broker.get('log.roll.ms') === null) defaults.set('segment.ms', String(broker.logRollMs))
  if (broker.get('log.roll.jitter.ms') === null) defaults.set('segment.jitter.ms', String(broker.logRollJitterMs))
  const version = metadataVersion(broker.get('inter.broker.protocol.version')) ?? ''
  const format = metadataVersion(broker.get('log.message.format.version')) ?? FORMAT_BY_DEFAULT
  defaults.set(
    'message.format.version',
    isMetadataVersionAtLeast(version, FORMAT_BY_DEFAULT) ? FORMAT_BY_DEFAULT : format,
  )
  return defaults
}

/**
 * Checks what a topic is about to set, as Kafka's LogConfig.validate does in ZooKeeper mode: names, values, and values
 * beside each other and beside the broker's.
 * @throws ConfigError; {@link ConfigError.standsAlone} where Kafka reports it without naming the topic.
 */
export function checkTopicOverrides(broker: BrokerConfig, overrides: Properties): LogConfig {
  for (const name of toMap(overrides).keys()) {
    if (!topicConfig.key(name)) throw new ConfigError(`Unknown topic config name: ${name}`, { standsAlone: true })
  }
  const config = LogConfig.of(broker, overrides)
  const [least, most] = [config.text('min.compaction.lag.ms'), config.text('max.compaction.lag.ms')]
  if (BigInt(least ?? 0) > BigInt(most ?? 0)) {
    throw new ConfigError(
      `conflict topic config setting min.compaction.lag.ms (${least}) > max.compaction.lag.ms (${most})`,
      { standsAlone: true },
    )
  }
  if (config.get('remote.log.delete.on.disable') || config.get('remote.log.copy.disable')) {
    throw new ConfigError(
      "It is invalid to set `remote.log.delete.on.disable` or `remote.log.copy.disable` under Zookeeper's mode.",
      { standsAlone: true },
    )
  }
  if (config.get('remote.storage.enable')) {
    throw new ConfigError(
      'Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.',
    )
  }
  return config
}
