import { checkBrokerConfig } from './broker-checks.ts'
import { type BrokerKeys, kafkaConfig } from './broker-keys.ts'
import { type Config, type ConfigValueOf, type Properties, toMap } from './config-def.ts'
import { ConfigError } from './config-error.ts'
import { isDynamicOnlyBrokerKey } from './entity-config.ts'
import { listenerBaseKey } from './listener-keys.ts'
import { type BrokerEndpoint, commaList, parseEndpoints, parseProtocolMap, securityProtocol } from './listeners.ts'

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000

/**
 * A broker's settings in effect: `get` gives any key of {@link kafkaConfig} with its type, the fields what Kafka
 * derives from several keys. Immutable; a dynamic change makes a new one (`DynamicBrokerConfig`).
 */
export class BrokerConfig {
  /** Where to listen. */
  readonly listeners: readonly BrokerEndpoint[]
  /**
   * What clients are told: `advertised.listeners`, or the listeners when that is unset. In the second case a host may
   * mean every interface and a port may be 0; the server then tells each client the address that it came in by.
   */
  readonly advertisedListeners: readonly BrokerEndpoint[]
  /** Name of the listener over which brokers talk to each other. */
  readonly interBrokerListener: string
  /** `log.dirs`, or `log.dir`; at least one, no two the same. */
  readonly logDirs: readonly string[]
  /** Retention of topics that have none of their own, from `log.retention.ms`, `.minutes` or `.hours`; -1 for ever. */
  readonly logRetentionMs: number
  /** From `log.roll.ms` or `log.roll.hours`. */
  readonly logRollMs: number
  /** From `log.roll.jitter.ms` or `log.roll.jitter.hours`. */
  readonly logRollJitterMs: number
  /** From `log.flush.interval.ms` or `log.flush.scheduler.interval.ms`. */
  readonly logFlushIntervalMs: number
  /** `max.connections.per.ip.overrides` by host. */
  readonly maxConnectionsPerIpOverrides: ReadonlyMap<string, number>
  /** Settings that work but are probably not what was meant, a sentence each. */
  readonly warnings: readonly string[]
  readonly #config: Config<BrokerKeys>

  private constructor(config: Config<BrokerKeys>) {
    this.#config = config
    const protocols = parseProtocolMap(config.get('listener.security.protocol.map'))
    this.listeners = parseEndpoints('listeners', config.get('listeners'), { protocols, distinctPorts: true })
    const advertised = config.get('advertised.listeners')
    this.advertisedListeners =
      advertised === null
        ? this.listeners
        : parseEndpoints('advertised.listeners', advertised, { protocols, distinctPorts: false })
    this.interBrokerListener = interBrokerListener(config)
    this.logDirs = commaList(config.get('log.dirs') ?? config.get('log.dir'))
    this.logRetentionMs = Math.max(-1, retentionMs(config))
    this.logRollMs = config.get('log.roll.ms') ?? config.get('log.roll.hours') * HOUR_MS
    this.logRollJitterMs = config.get('log.roll.jitter.ms') ?? config.get('log.roll.jitter.hours') * HOUR_MS
    this.logFlushIntervalMs = config.get('log.flush.interval.ms') ?? config.get('log.flush.scheduler.interval.ms')
    this.maxConnectionsPerIpOverrides = parseConnectionOverrides(config.get('max.connections.per.ip.overrides'))
    this.warnings = checkBrokerConfig(this)
  }

  /**
   * Reads and checks a broker's properties.
   * @throws ConfigError, in one line, for the first value that is wrong by itself or beside another, and for what
   * Monedula does not have and must not pretend to have (TLS, SASL, an authorizer, KRaft mode, Java classes).
   */
  static load(properties: Properties): BrokerConfig {
    const given = new Map(toMap(properties))
    const [brokerId, nodeId] = [given.get('broker.id'), given.get('node.id')]
    if (brokerId === undefined && nodeId !== undefined) given.set('broker.id', nodeId)
    if (nodeId === undefined && brokerId !== undefined) given.set('node.id', brokerId)
    for (const [name, written] of given) {
      const base = listenerBaseKey(name)
      if (base !== undefined) kafkaConfig.check(base, written, name)
    }
    return new BrokerConfig(kafkaConfig.parse(given))
  }

  /** The value of a key. */
  get<K extends keyof BrokerKeys>(name: K): ConfigValueOf<BrokerKeys[K]> {
    return this.#config.get(name)
  }

  /** The value of a key for one listener: `listener.name.<listener>.<key>` where that is set, else the key's own. */
  getForListener<K extends keyof BrokerKeys>(listener: string, name: K): ConfigValueOf<BrokerKeys[K]> {
    return this.ofListenerOnly(listener, name) ?? this.get(name)
  }

  /** The value of `listener.name.<listener>.<key>`; undefined where that is not set. */
  ofListenerOnly<K extends keyof BrokerKeys>(listener: string, name: K): ConfigValueOf<BrokerKeys[K]> | undefined {
    const written = this.properties.get(`listener.name.${listener.toLowerCase()}.${name}`)
    return written === undefined ? undefined : kafkaConfig.parseKey(name, written)
  }

  /** The value of a key as Kafka describes it; null when there is none. */
  text(name: keyof BrokerKeys): string | null {
    return this.#config.text(name)
  }

  /** Whether the value is Kafka's default, because none was given. */
  isDefault(name: keyof BrokerKeys): boolean {
    return this.#config.isDefault(name)
  }

  /** What was given, unknown keys included; `broker.id` and `node.id` each also under the other's name. */
  get properties(): ReadonlyMap<string, string> {
    return this.#config.properties
  }

  /** Properties that mean nothing here, in the order given; most are misspelt. */
  unknownKeys(): readonly string[] {
    return this.#config
      .unknownKeys()
      .filter(name => listenerBaseKey(name) === undefined && !isDynamicOnlyBrokerKey(name))
  }
}

function retentionMs(config: Config<BrokerKeys>): number {
  const ms = config.get('log.retention.ms')
  if (ms !== null) return ms
  const minutes = config.get('log.retention.minutes')
  return minutes !== null ? minutes * MINUTE_MS : config.get('log.retention.hours') * HOUR_MS
}

function interBrokerListener(config: Config<BrokerKeys>): string {
  const name = config.get('inter.broker.listener.name')
  const protocol = securityProtocol(config.get('security.inter.broker.protocol'), 'security.inter.broker.protocol')
  if (name !== null) return name.toUpperCase()
  return protocol
}

function parseConnectionOverrides(text: string): ReadonlyMap<string, number> {
  return new Map(
    commaList(text).map(item => {
      const [, host = '', count = ''] = /^(.+):\s*(\d{1,10})$/.exec(item) ?? []
      if (host === '') {
        throw new ConfigError(`'${item}' is not host:count`, { key: 'max.connections.per.ip.overrides', value: text })
      }
      return [host.trim(), Number(count)]
    }),
  )
}
