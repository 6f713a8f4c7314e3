/** What DescribeConfigs answers: each setting with where its value comes from and what it hides (Kafka's ConfigHelper). */
import { kafkaConfig } from './broker-keys.ts'
import { brokerSynonyms } from './broker-synonyms.ts'
import type { ConfigDef, ConfigKey, ConfigTable } from './config-def.ts'
import { type ConfigType, parseValue } from './config-value.ts'
import { type DynamicBrokerConfig, isDynamic } from './dynamic-config.ts'
import { brokerQuotaConfig } from './entity-config.ts'
import { listenerSynonym } from './listener-keys.ts'
import { TOPIC_SERVER_KEYS, topicConfig, topicDefaults } from './topic-config.ts'

/** Where a value comes from, as DescribeConfigs numbers it. */
export const ConfigSource = {
  UNKNOWN: 0,
  DYNAMIC_TOPIC_CONFIG: 1,
  DYNAMIC_BROKER_CONFIG: 2,
  DYNAMIC_DEFAULT_BROKER_CONFIG: 3,
  STATIC_BROKER_CONFIG: 4,
  DEFAULT_CONFIG: 5,
  DYNAMIC_BROKER_LOGGER_CONFIG: 6,
  CLIENT_METRICS_CONFIG: 7,
} as const
export type ConfigSource = (typeof ConfigSource)[keyof typeof ConfigSource]

/** Types of values, as DescribeConfigs numbers them. */
export const CONFIG_TYPE_IDS: Readonly<Record<ConfigType | 'unknown', number>> = {
  unknown: 0,
  boolean: 1,
  string: 2,
  int: 3,
  short: 4,
  long: 5,
  double: 6,
  list: 7,
  class: 8,
  password: 9,
}

/** A value that a setting has, or would have if those before it were not. */
export interface DescribedSynonym {
  readonly name: string
  /** Null for what must not be shown. */
  readonly value: string | null
  readonly source: ConfigSource
}

/** A setting as DescribeConfigs shows it. */
export interface DescribedConfig {
  readonly name: string
  /** Null when there is none, and for what must not be shown. */
  readonly value: string | null
  readonly source: ConfigSource
  readonly isSensitive: boolean
  readonly isReadOnly: boolean
  readonly type: ConfigType | 'unknown'
  /** Where the value comes from and what it hides, the one that counts first. */
  readonly synonyms: readonly DescribedSynonym[]
  readonly documentation: string | null
}

/** Every setting of a broker, sorted by name. */
export function describeBroker(config: DynamicBrokerConfig): readonly DescribedConfig[] {
  const { current } = config
  return names(kafkaConfig, current.properties).map(name => {
    const key = brokerKey(name)
    const value = kafkaConfig.key(name)
      ? current.text(name as keyof typeof kafkaConfig.keys)
      : current.properties.get(name)
    return describeBrokerKey(name, key, value ?? null, brokerLayers(config, name))
  })
}

/** The settings that are set dynamically for all brokers, sorted by name. */
export function describeBrokerDefaults(config: DynamicBrokerConfig): readonly DescribedConfig[] {
  return [...config.overrides('cluster')].sort(byName).map(([name, value]) => {
    const layers = brokerLayers(config, name).filter(
      ({ source }) => source === ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG,
    )
    return describeBrokerKey(name, brokerKey(name), value, layers)
  })
}

/** Every setting of a topic whose own settings are `overrides`, sorted by name. Values that are not valid show as stored. */
export function describeTopic(
  config: DynamicBrokerConfig,
  overrides: ReadonlyMap<string, string>,
): readonly DescribedConfig[] {
  const properties = new Map([...topicDefaults(config.current), ...overrides])
  return names(topicConfig, properties).map(name => {
    const key = topicConfig.key(name)
    const isSensitive = key === undefined
    const value = isSensitive ? null : canonical(key, properties.get(name) ?? topicConfig.defaultText(name))
    const serverKey = TOPIC_SERVER_KEYS[name as keyof typeof TOPIC_SERVER_KEYS]
    const own = overrides.has(name) ? [{ name, value, source: ConfigSource.DYNAMIC_TOPIC_CONFIG }] : []
    const synonyms = [...own, ...(serverKey === undefined ? [] : brokerLayers(config, serverKey))]
    return {
      name,
      value,
      source: synonyms[0]?.source ?? ConfigSource.DEFAULT_CONFIG,
      isSensitive,
      isReadOnly: false,
      type: key?.type ?? 'unknown',
      synonyms,
      documentation: key?.doc ?? null,
    }
  })
}

function describeBrokerKey(
  name: string,
  key: ConfigKey | undefined,
  value: string | null,
  layers: readonly DescribedSynonym[],
): DescribedConfig {
  // What has no type might be a secret of some plug-in.
  const isSensitive = key === undefined || key.type === 'password'
  return {
    name,
    value: isSensitive ? null : value,
    source: layers[0]?.source ?? ConfigSource.DEFAULT_CONFIG,
    isSensitive,
    isReadOnly: !isDynamic(name),
    type: key?.type ?? 'unknown',
    synonyms: isSensitive ? layers.map(layer => ({ ...layer, value: null })) : layers,
    documentation: (kafkaConfig.key(name) ?? brokerQuotaConfig.key(name))?.doc ?? null,
  }
}

/** What each layer holds for a broker key or its synonyms, the one that counts first. */
function brokerLayers(config: DynamicBrokerConfig, name: string): DescribedSynonym[] {
  const synonyms = brokerSynonyms(name)
  const layer = (source: ConfigSource, textOf: (synonym: string) => string | null | undefined): DescribedSynonym[] =>
    synonyms.flatMap(synonym => {
      const value = textOf(synonym) ?? null
      return value === null ? [] : [{ name: synonym, value, source }]
    })
  const all = [
    ...layer(ConfigSource.DYNAMIC_BROKER_CONFIG, synonym => config.overrides('broker').get(synonym)),
    ...layer(ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG, synonym => config.overrides('cluster').get(synonym)),
    ...layer(ConfigSource.STATIC_BROKER_CONFIG, synonym => config.initial.properties.get(synonym)),
    ...layer(ConfigSource.DEFAULT_CONFIG, synonym => kafkaConfig.defaultText(synonym)),
  ]
  // As Kafka: a setting that is only given in another unit counts as the default, with no synonyms.
  const first = all.findIndex(synonym => synonym.name === name)
  return first < 0 ? [] : all.slice(first)
}

/** The entry that types broker key `name`: its own, or for a listener's key that of its base. */
function brokerKey(name: string): ConfigKey | undefined {
  const base = listenerSynonym(name) ?? name
  return kafkaConfig.key(name) ?? kafkaConfig.key(base) ?? brokerQuotaConfig.key(name)
}

/** Keys to show, sorted: all but internal ones, and whatever is set. */
function names(def: ConfigDef<ConfigTable>, properties: ReadonlyMap<string, string>): readonly string[] {
  const shown = def.names().filter(name => !def.key(name)?.internal)
  return [...new Set([...shown, ...properties.keys()])].sort()
}

/** A value as Kafka describes it, or as it is when the key cannot have it. */
function canonical(key: ConfigKey, written: string | null): string | null {
  if (written === null) return null
  const parsed = parseValue(key.type, written)
  return 'reason' in parsed ? written : parsed.text
}

function byName([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : a > b ? 1 : 0
}
