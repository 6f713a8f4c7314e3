import { types } from 'node:util'
import {
  type Config,
  type ConfigDef,
  ConfigError,
  type ConfigKey,
  type ConfigTable,
  kindOf,
  type OneOf,
} from '../config/index.ts'
import {
  type Clock,
  type Logger,
  type LogLevels,
  type Network,
  nodeDisk,
  nodeNetwork,
  type Random,
  silentLogger,
  systemClock,
  systemRandom,
} from '../platform/index.ts'
import { type ClientSecurity, clientSecurity, type SecurityParts } from '../security/index.ts'
import type { Endpoint } from './broker-node.ts'
import type { commonClientKeys } from './client-config.ts'
import type { ClusterSettings } from './cluster.ts'
import { meant } from './mistyped-setting.ts'

/** Settings by Java's names (`'linger.ms'`) or the same in camelCase (`lingerMs`). */
export type ConfigInput<T extends ConfigTable> = {
  readonly [K in keyof T & string as K | CamelCase<K>]?: ConfigInputOf<T[K]>
}

/** How a setting is written: as what it is, or as the text that would stand in a file. Lists are arrays or have commas. */
type ConfigInputOf<K extends ConfigKey> =
  | (K extends { readonly type: 'string'; readonly valid: OneOf<infer Option> } ? Spelled<Option> : Written[K['type']])
  | undefined

interface Written {
  readonly boolean: boolean | 'true' | 'false'
  readonly string: string
  readonly class: string
  readonly password: string
  readonly int: number | `${number}`
  readonly short: number | `${number}`
  readonly long: number | `${number}`
  readonly double: number | `${number}`
  readonly list: string | readonly string[]
}

/** `'1'` may also be written `1`. */
type Spelled<Option extends string> = Option | (Option extends `${infer Number extends number}` ? Number : never)

type CamelCase<S extends string> = S extends `${infer Head}.${infer Tail}` ? `${Head}${Capitalize<CamelCase<Tail>>}` : S

/** What is not text, and stands beside the settings of every client. */
export interface ClientParts extends SecurityParts {
  /** Settings out of a file, beneath those that are given in code. Those that the client does not have are left alone, and logged. */
  readonly properties?: ReadonlyMap<string, string>
  /** Takes what the client logs, pino's shape; `console` does, too. Nothing is logged when left out. */
  readonly logger?: LogLevels
  /** The network and time that the client lives in; the machine's when left out. */
  readonly platform?: { readonly network: Network; readonly clock: Clock; readonly random: Random }
}

/** Settings that all clients of a `Kafka` share. */
export interface KafkaOptions extends ConfigInput<typeof commonClientKeys>, ClientParts {}

const MACHINE = { network: nodeNetwork, clock: systemClock, random: systemRandom }

const PARTS = ['tls', 'sasl', 'properties', 'logger', 'platform'] as const satisfies (keyof ClientParts)[]

/**
 * Takes options apart: settings, read and checked, and parts. A setting given in code that no client has is refused, since a typing
 * error would otherwise do nothing; so is one that is given by both of its names with different values.
 * @throws ConfigError that names the key
 */
export function readOptions<T extends ConfigTable>(
  def: ConfigDef<T>,
  options: ClientParts & object,
): { readonly config: Config<T>; readonly parts: ClientParts } {
  const { tls, sasl, properties, logger, platform } = checkedSettings(options)
  const given = Object.entries(options).filter(([name]) => !(PARTS as readonly string[]).includes(name))
  const known = new Map(properties === undefined ? [] : checkedProperties(properties))
  const givenAs = new Map<string, string>()
  for (const [name, value] of given) {
    if (value === undefined || value === null) continue
    const key = keyOf(def, name)
    // A certificate may be what was read from its file.
    const isText = Array.isArray(value) || Buffer.isBuffer(value)
    if (!isText && (typeof value === 'object' || typeof value === 'function'))
      throw new ConfigError(`${name}: give a text, a number or a list, not ${kindOf(value)}`)
    const text = Array.isArray(value) ? value.join(',') : String(value)
    const other = givenAs.get(key)
    if (other !== undefined && known.get(key) !== text) {
      throw new ConfigError(`${other} and ${name} are one setting, and have different values: give one of them`)
    }
    givenAs.set(key, name)
    known.set(key, text)
  }
  const config = def.parse(known)
  const unused = config.unknownKeys()
  if (unused.length > 0)
    asLogger(logger ?? silentLogger).info({ settings: unused }, 'settings that this client does not have')
  return { config, parts: definedOnly({ tls, sasl, logger, platform }) }
}

/** What a client is made of, where perhaps no compiler has looked. @throws ConfigError for what is no object of settings */
export function checkedSettings<T extends object>(given: T): T {
  if (typeof given === 'object' && given !== null && !(Symbol.iterator in given)) return given
  throw new ConfigError(`settings are an object such as { bootstrapServers }, not ${kindOf(given)}`)
}

function checkedProperties(given: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  if (!types.isMap(given))
    throw new ConfigError(`properties: give a Map, as propertiesFile() does, not ${kindOf(given)}`)
  for (const [name, value] of given)
    if (typeof value !== 'string') throw new ConfigError(`properties: ${name} is a text, not ${kindOf(value)}`)
  return given
}

/** Java's name of a setting that is written by either of its names. */
const javaName = (name: string): string => name.replaceAll(/[A-Z]/g, letter => `.${letter.toLowerCase()}`)

/** Settings with others over them, by whichever of its names each is given. @throws ConfigError for what is no object */
export function overridden<A extends object, B extends object>(settings: A, over: B): Omit<A, keyof B> & B {
  const names = new Set(Object.keys(checkedSettings(over)).map(javaName))
  const left = Object.entries(settings).filter(([name]) => !names.has(javaName(name)))
  return { ...Object.fromEntries(left), ...over } as Omit<A, keyof B> & B
}

function keyOf(def: ConfigDef<ConfigTable>, given: string): string {
  const name = def.key(given) ? given : javaName(given)
  if (!def.key(name)) throw new ConfigError(`Unknown configuration ${given}: ${meant(given, def.names())}`)
  return name
}

function definedOnly<T extends object>(parts: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined)) as never
}

/**
 * Addresses of `bootstrap.servers`.
 * @throws ConfigError for what is no host:port
 */
export function parseEndpoints(servers: readonly string[]): Endpoint[] {
  const key = 'bootstrap.servers'
  if (servers.length === 0)
    throw new ConfigError('No bootstrap urls given: name a broker, such as localhost:9092', { key, value: '' })
  return servers.map(server => {
    const [, host, port] = /^(?:[A-Z_]+:\/\/)?\[?([0-9A-Za-z_.:%-]+?)\]?:(\d+)$/.exec(server.trim()) ?? []
    if (host === undefined || !(Number(port) > 0 && Number(port) < 65_536)) {
      throw new ConfigError('an address is host:port, such as localhost:9092', { key, value: server })
    }
    return { host, port: Number(port) }
  })
}

/** What a cluster's connections and metadata want to know. */
export function clusterSettings(
  config: Config<typeof commonClientKeys>,
  { logger: given = silentLogger, platform = MACHINE, ...security }: ClientParts,
  allowAutoTopicCreation: boolean,
): ClusterSettings {
  const logger = asLogger(given)
  const connectTimeoutMs = config.get('socket.connection.setup.timeout.ms')
  const secured = clientSecurity(config, security, { ...platform, disk: nodeDisk, timeoutMs: connectTimeoutMs })
  warnOfOpenDoors(secured, security, logger)
  return {
    ...platform,
    logger,
    allowAutoTopicCreation,
    bootstrap: parseEndpoints(config.get('bootstrap.servers')),
    bootstrapTimeoutMs: config.get('bootstrap.timeout.ms'),
    clientId: config.get('client.id'),
    requestTimeoutMs: config.get('request.timeout.ms'),
    connectTimeoutMs,
    reconnectBackoffMs: config.get('reconnect.backoff.ms'),
    reconnectBackoffMaxMs: config.get('reconnect.backoff.max.ms'),
    retryBackoffMs: config.get('retry.backoff.ms'),
    retryBackoffMaxMs: config.get('retry.backoff.max.ms'),
    maxIdleMs: config.get('connections.max.idle.ms'),
    metadataMaxAgeMs: config.get('metadata.max.age.ms'),
    rebootstrapTriggerMs:
      config.get('metadata.recovery.strategy') === 'none'
        ? undefined
        : config.get('metadata.recovery.rebootstrap.trigger.ms'),
    security: secured,
  }
}

const LEVELS = ['debug', 'info', 'warn', 'error'] as const

/** Clients name no loggers: the levels are all that is needed. @throws ConfigError for what lacks one, where no compiler looks */
function asLogger(given: LogLevels): Logger {
  if (LEVELS.every(level => typeof given?.[level] === 'function')) return given as Logger
  throw new ConfigError(`logger: give a pino logger, console, or another object with ${LEVELS.join('(), ')}()`)
}

/** What works, and that nobody should mean in production. */
function warnOfOpenDoors({ tls, sasl }: ClientSecurity, given: SecurityParts, logger: Logger): void {
  if (typeof given.tls === 'object' && given.tls.rejectUnauthorized === false) {
    logger.warn({}, 'certificates of brokers are not checked (tls.rejectUnauthorized): anybody may be in between')
  }
  if (tls === undefined && (sasl?.name === 'PLAIN' || sasl?.name === 'OAUTHBEARER')) {
    logger.warn({}, `${sasl.name} without TLS: the password or token can be read on its way`)
  }
}
