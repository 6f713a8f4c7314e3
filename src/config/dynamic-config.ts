/**
 * Settings that change while a broker runs. They are kept outside its file in two layers, one for all brokers of the
 * cluster and one for this broker: file < cluster-wide < this broker.
 */
import { BrokerConfig } from './broker-config.ts'
import { type BrokerKeys, kafkaConfig } from './broker-keys.ts'
import { unitSynonyms } from './broker-synonyms.ts'
import { type ConfigValueOf, type Properties, toMap, type UpdateMode } from './config-def.ts'
import { ConfigError } from './config-error.ts'
import { brokerQuotaConfig } from './entity-config.ts'
import { listenerBaseKey, listenerKeyRest } from './listener-keys.ts'

/** Whom a dynamic setting is for: this broker, or every broker that has none of its own. */
export type DynamicScope = 'broker' | 'cluster'

/** Who reacts to changes of a broker's settings. */
export interface BrokerConfigSubscriber {
  /** May refuse a change before it is stored, by throwing a {@link ConfigError}. */
  check?(next: BrokerConfig, current: BrokerConfig): void
  /** The settings have changed. */
  changed(current: BrokerConfig, previous: BrokerConfig): void
}

/** Keys and certificates: dynamic for one listener by its prefix, never for all at once. */
const SECURITY_KEY = /^ssl\.(keystore\.|truststore\.|key\.password$)/
/** Listener keys that may be set for the cluster as well. */
const CLUSTER_LISTENER_KEYS: readonly string[] = [
  'max.connections',
  'max.connection.creation.rate',
  'num.network.threads',
]
/** Sizes of thread pools: one change may at most double or halve them. */
const THREAD_KEYS = [
  'num.io.threads',
  'num.replica.fetchers',
  'num.recovery.threads.per.data.dir',
  'background.threads',
  'num.network.threads',
] as const

/** Whether a change of broker key `name` takes effect without a restart. */
export function isDynamic(name: string): boolean {
  return updateMode(name) !== undefined
}

/** When a broker key may be changed; undefined for one that only a restart changes. */
export function updateMode(name: string): UpdateMode | undefined {
  return kafkaConfig.key(name)?.update
}

/** A broker's settings in effect, as they change. */
export class DynamicBrokerConfig {
  /** What the broker was started with. */
  readonly initial: BrokerConfig
  #current: BrokerConfig
  #overrides: Readonly<Record<DynamicScope, ReadonlyMap<string, string>>> = { broker: new Map(), cluster: new Map() }
  readonly #subscribers = new Set<BrokerConfigSubscriber>()

  constructor(initial: BrokerConfig) {
    this.initial = initial
    this.#current = initial
  }

  /** The settings in effect now. */
  get current(): BrokerConfig {
    return this.#current
  }

  /** The value in effect now of a key. */
  get<K extends keyof BrokerKeys>(name: K): ConfigValueOf<BrokerKeys[K]> {
    return this.#current.get(name)
  }

  /** The dynamic settings in effect of a scope. */
  overrides(scope: DynamicScope): ReadonlyMap<string, string> {
    return this.#overrides[scope]
  }

  /** Calls `subscriber` for every later change; returns the end of that. */
  subscribe(subscriber: BrokerConfigSubscriber): () => void {
    this.#subscribers.add(subscriber)
    return () => this.#subscribers.delete(subscriber)
  }

  /**
   * Checks `overrides`, all that a scope would then hold, before it is stored. Names that mean nothing are allowed, as
   * Kafka allows them.
   * @throws ConfigError when a key cannot be changed dynamically, or not in this scope, or the broker could not run so.
   */
  validate(scope: DynamicScope, overrides: Properties): void {
    const given = toMap(overrides)
    checkNames(scope, [...given.keys()])
    for (const [name, written] of given) checkValue(name, written)
    const next = this.#merge({ ...this.#overrides, [scope]: given })
    checkThreads(next, this.#current)
    for (const subscriber of this.#subscribers) subscriber.check?.(next, this.#current)
  }

  /**
   * Puts the stored overrides of a scope into effect. Those that are not valid are left out, and returned as problems
   * to log, a line each: what is stored may come from elsewhere, and a broker does not stop for it.
   */
  apply(scope: DynamicScope, stored: Properties): readonly string[] {
    const problems: string[] = []
    const accepted = new Map<string, string>()
    for (const [name, written] of toMap(stored)) {
      try {
        checkNames(scope, [name])
        checkValue(name, written)
        accepted.set(name, written)
      } catch (error) {
        problems.push(`${name} is ignored: ${reasonOf(error)}`)
      }
    }
    const overrides = { ...this.#overrides, [scope]: accepted }
    let next: BrokerConfig
    try {
      next = this.#merge(overrides)
    } catch (error) {
      return [...problems, `the dynamic settings cannot be applied together: ${reasonOf(error)}`]
    }
    const previous = this.#current
    this.#overrides = overrides
    this.#current = next
    for (const subscriber of this.#subscribers) subscriber.changed(next, previous)
    return problems
  }

  #merge(overrides: Readonly<Record<DynamicScope, ReadonlyMap<string, string>>>): BrokerConfig {
    const merged = new Map(this.initial.properties)
    for (const layer of [overrides.cluster, overrides.broker]) {
      for (const [name, written] of layer) {
        // A setting in one unit takes the place of those in other units, even of units that would count first.
        for (const synonym of unitSynonyms(name)) merged.delete(synonym)
        merged.set(name, written)
      }
    }
    return BrokerConfig.load(merged)
  }
}

/** Only what the checks themselves throw is a reason; anything else is a defect. */
function reasonOf(error: unknown): string {
  if (error instanceof ConfigError) return error.message
  throw error
}

function checkNames(scope: DynamicScope, names: readonly string[]): void {
  const refuse = (reason: string, invalid: readonly string[]): void => {
    if (invalid.length > 0) throw new ConfigError(`${reason}: Set(${invalid.join(', ')})`)
  }
  refuse(
    'Cannot update these configs dynamically',
    names.filter(name => kafkaConfig.key(name) !== undefined && !isDynamic(name)),
  )
  refuse(
    'These security configs can be dynamically updated only per-listener using the listener prefix',
    names.filter(name => SECURITY_KEY.test(name)),
  )
  if (scope === 'cluster') {
    refuse(
      'Cannot update these configs at default cluster level, broker id must be specified',
      names.filter(name => {
        const rest = listenerKeyRest(name)
        return rest === undefined ? updateMode(name) === 'per-broker' : !CLUSTER_LISTENER_KEYS.includes(rest)
      }),
    )
  }
}

function checkValue(name: string, written: string): void {
  const base = listenerBaseKey(name) ?? name
  if (kafkaConfig.key(base)?.type === 'password') {
    throw new ConfigError(`Password encoder secret not configured: ${name} cannot be set dynamically`)
  }
  if (kafkaConfig.key(base)) kafkaConfig.check(base, written, name)
  else if (brokerQuotaConfig.key(base)) brokerQuotaConfig.check(base, written)
}

function checkThreads(next: BrokerConfig, current: BrokerConfig): void {
  for (const key of THREAD_KEYS) {
    const [wanted, now] = [next.get(key), current.get(key)]
    const refuse = (reason: string): never => {
      throw new ConfigError(`Dynamic thread count update validation failed for ${key}=${wanted}, ${reason}`)
    }
    if (wanted === now) continue
    if (wanted < 1) refuse('value should be at least 1')
    if (wanted < Math.trunc(now / 2)) refuse(`value should be at least half the current value ${now}`)
    if (wanted > now * 2) refuse(`value should not be greater than double the current value ${now}`)
  }
  const [cleaners, cleanersNow] = [next.get('log.cleaner.threads'), current.get('log.cleaner.threads')]
  if (cleaners > cleanersNow * 2) {
    throw new ConfigError(
      `Log cleaner threads cannot be increased to more than double the current value ${cleanersNow}`,
    )
  }
  if (cleaners < Math.trunc(cleanersNow / 2)) {
    throw new ConfigError(`Log cleaner threads cannot be reduced to less than half the current value ${cleanersNow}`)
  }
}
