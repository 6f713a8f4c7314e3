import { ConfigError } from '../config/index.ts'
import type { KafkaOptions } from './client-options.ts'
import { overridden } from './client-options.ts'

const URL_START = /^kafka(\+ssl)?:\/\//i
const BEFORE_URL = /,(?=kafka(?:\+ssl)?:\/\/)/i
const DEFAULT_PORT = 9092
/** Variables of the environment that name a cluster; the first that is set counts. */
const VARIABLES = ['MONEDULA_URL', 'KAFKA_URL'] as const

/**
 * What an address says: `host:9092,other:9092`, or a URL,
 * `kafka+ssl://alice:secret@host:9093,other:9093?sasl.mechanism=SCRAM-SHA-512&ssl.truststore.location=ca.pem`. `+ssl` stands for TLS, a
 * name for SASL, and what is behind the question mark are settings of every client. Several whole URLs may stand there with commas, if they
 * say the same of TLS and of the user.
 *
 * @throws ConfigError for what is none of them; it shows no password
 */
export function addressOptions(address: string): KafkaOptions {
  if (!URL_START.test(address)) {
    // What is before the @ would be shown as a part of a host that is none.
    if (address.includes('@')) throw new ConfigError('an address with a user begins with kafka:// or kafka+ssl://')
    return { bootstrapServers: address }
  }
  const [place = '', query] = splitAt(address, '?')
  const settings = Object.fromEntries(new URLSearchParams(query))
  if (Object.keys(settings).some(name => name.includes('@'))) {
    throw new ConfigError('the user or password of the address has a ?: write it as %3F')
  }
  const urls = place.split(BEFORE_URL).map(urlParts)
  const [isEncrypted, ...others] = new Set(urls.map(url => url.isEncrypted))
  const [user, ...strangers] = new Set(urls.flatMap(url => url.user ?? []))
  if (isEncrypted === undefined || others.length > 0 || strangers.length > 0) {
    throw new ConfigError(
      'the URLs of an address begin all with the same kafka:// or kafka+ssl://, and have the same user',
    )
  }
  const named: KafkaOptions = {
    bootstrapServers: urls.flatMap(({ servers }) => servers),
    securityProtocol: `${user === undefined ? '' : 'SASL_'}${isEncrypted ? 'SSL' : 'PLAINTEXT'}`,
    ...(user !== undefined && credentials(user, isEncrypted)),
  }
  return overridden(named, settings)
}

/** What one URL says, without its settings. */
function urlParts(url: string) {
  const [start = '', ssl] = URL_START.exec(url) ?? []
  const place = url.slice(start.length)
  const at = place.lastIndexOf('@')
  const servers = place
    .slice(at + 1)
    .split(',')
    .map(host => withPort(host.replace(/\/$/, '')))
  return { isEncrypted: ssl !== undefined, user: at < 0 ? undefined : place.slice(0, at), servers }
}

/**
 * What the environment says, by `MONEDULA_URL` or `KAFKA_URL`; undefined when neither is set.
 * @throws ConfigError as {@link addressOptions}
 */
export function environmentOptions(environment: NodeJS.ProcessEnv = process.env): KafkaOptions | undefined {
  const address = VARIABLES.map(name => environment[name]).find(value => value !== undefined && value !== '')
  return address === undefined ? undefined : addressOptions(address)
}

/** @throws ConfigError when nobody said where the cluster is */
export function requiredEnvironmentOptions(): KafkaOptions {
  const options = environmentOptions()
  if (options === undefined) throw new ConfigError(`No cluster is named: set ${VARIABLES.join(' or ')}`)
  return options
}

/** PLAIN where TLS keeps the password from others; without TLS its owner has to say that he wants that. */
function credentials(user: string, isEncrypted: boolean): KafkaOptions {
  const [name = '', password] = splitAt(user, ':')
  if (name === '' || password === undefined) throw new ConfigError('the address has no user:password before the @')
  try {
    return {
      ...(isEncrypted && { saslMechanism: 'PLAIN' }),
      saslUsername: decodeURIComponent(name),
      saslPassword: decodeURIComponent(password),
    }
  } catch {
    throw new ConfigError('the user or password of the address has a % that is no %xx: write it as %25')
  }
}

function splitAt(text: string, mark: string): readonly [string, string | undefined] {
  const at = text.indexOf(mark)
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + mark.length)]
}

const withPort = (host: string): string => (/:\d+$/.test(host) ? host : `${host}:${DEFAULT_PORT}`)
