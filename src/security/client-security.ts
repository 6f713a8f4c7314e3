import { ConfigError, defineConfig, kindOf } from '../config/index.ts'
import type { Clock, Disk, Random, TlsContext, TlsOptions } from '../platform/index.ts'
import { parseJaas } from './jaas.ts'
import { oauthBearer, type TokenProvider } from './oauth-bearer.ts'
import { plain } from './plain.ts'
import type { SaslMechanism } from './sasl-mechanism.ts'
import { scram } from './scram.ts'
import type { ScramMechanismName } from './scram-exchange.ts'
import { clientSecurityKeys } from './security-keys.ts'
import { type SecurityConfig, tlsContext } from './tls-options.ts'
import { tokenEndpoint } from './token-endpoint.ts'
import { refreshMoment } from './token-refresh.ts'

/** How a connection begins. */
export interface ClientSecurity {
  /** Undefined for connections that are not encrypted. */
  readonly tls: TlsContext | undefined
  /** Undefined where nobody asks who we are, or TLS says it. */
  readonly sasl: SaslMechanism | undefined
}

/** Who this client is, as an object in place of `sasl.*`; mechanisms in any case. */
export type SaslOptions =
  | {
      readonly mechanism:
        | 'PLAIN'
        | 'SCRAM-SHA-256'
        | 'SCRAM-SHA-512'
        | Lowercase<'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512'>
      readonly username: string
      readonly password: string
      /** Name and password are the id and the HMAC (Base64) of a delegation token; SCRAM only. */
      readonly isToken?: boolean
    }
  | {
      readonly mechanism: 'OAUTHBEARER' | 'oauthbearer'
      /** Asked for a token when one is needed. */
      readonly token: TokenProvider
    }
  | {
      readonly mechanism: 'OAUTHBEARER' | 'oauthbearer'
      /** Where tokens are asked for, by client credentials. */
      readonly tokenEndpointUrl: string
      readonly clientId: string
      readonly clientSecret: string
      readonly scope?: string
      /** How TLS with an `https:` one is to be; the authorities that Node trusts when left out. */
      readonly tls?: TlsOptions
    }

/** What is not text among the settings. */
export interface SecurityParts {
  /** True for TLS with authorities that Node trusts, or how TLS is to be; over `ssl.*`. */
  readonly tls?: boolean | TlsOptions
  /** In place of `sasl.*`. */
  readonly sasl?: SaslOptions
}

/** The machine that secrets are read from, and what mechanisms need of it. */
export interface SecurityMachine {
  readonly disk: Disk
  readonly random: Random
  readonly clock: Clock
  /** For a token to come. */
  readonly timeoutMs: number
}

/**
 * What settings say about TLS and SASL. With `tls` or `sasl` as objects `security.protocol` need not be given.
 * @throws ConfigError that names the key at fault, never a secret
 */
export function clientSecurity(config: SecurityConfig, parts: SecurityParts, machine: SecurityMachine): ClientSecurity {
  checkParts(parts)
  const { isEncrypted, isSasl } = protocolOf(config, parts)
  return {
    tls: isEncrypted ? tlsContext(config, typeof parts.tls === 'object' ? parts.tls : {}, machine.disk) : undefined,
    sasl: isSasl ? mechanismOf(parts.sasl ?? saslOptions(config), config, machine) : undefined,
  }
}

/** @throws ConfigError for what would be taken for something else, or for nothing, where no compiler looks */
function checkParts({ tls = false, sasl }: SecurityParts): void {
  if (typeof tls !== 'boolean' && (typeof tls !== 'object' || tls === null))
    throw new ConfigError(`tls: give true, or an object such as { ca }, not ${kindOf(tls)}`)
  if (sasl !== undefined && (typeof sasl !== 'object' || sasl === null))
    throw new ConfigError(`sasl: give an object such as { mechanism }, not ${kindOf(sasl)}`)
}

function protocolOf(config: SecurityConfig, { tls = false, sasl }: SecurityParts) {
  const key = 'security.protocol'
  const hasTls = tls !== false
  const hasSasl = sasl !== undefined
  if (config.isDefault(key)) return { isEncrypted: hasTls, isSasl: hasSasl }
  const protocol = config.get(key).toUpperCase()
  const isEncrypted = protocol.endsWith('SSL')
  const isSasl = protocol.startsWith('SASL')
  if ((hasTls && !isEncrypted) || (hasSasl && !isSasl)) {
    throw new ConfigError(`${hasTls && !isEncrypted ? 'tls' : 'sasl'} is given, and this does without`, {
      key,
      value: protocol,
    })
  }
  return { isEncrypted, isSasl }
}

/** `sasl.*` as the object that says the same. */
function saslOptions(config: SecurityConfig): SaslOptions {
  const mechanism = config.get('sasl.mechanism')
  if (mechanism === null) {
    throw new ConfigError('Set sasl.mechanism, to PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER, or give sasl')
  }
  const jaasText = config.get('sasl.jaas.config')?.reveal()
  const jaas = jaasText === undefined ? undefined : parseJaas(jaasText)
  const option = (name: string): string | undefined => jaas?.options.get(name)
  if (mechanism.toUpperCase() === 'OAUTHBEARER') return oauthOptions(config, option)
  const username = config.get('sasl.username') ?? option('username')
  const password = config.get('sasl.password')?.reveal() ?? option('password')
  if (username === undefined || password === undefined) {
    throw new ConfigError(
      `${mechanism} needs a name and a password: give sasl, or set sasl.username and sasl.password, or sasl.jaas.config`,
    )
  }
  // Whether there is such a mechanism is checked where it is made.
  return { mechanism: mechanism as 'PLAIN', username, password, isToken: option('tokenauth') === 'true' }
}

const NO_TOKENS =
  'OAUTHBEARER needs tokens: give sasl.token, a function, or set sasl.oauthbearer.token.endpoint.url with ' +
  'clientId and clientSecret in sasl.jaas.config'

function oauthOptions(config: SecurityConfig, option: (name: string) => string | undefined): SaslOptions {
  const key = 'sasl.oauthbearer'
  const tokenEndpointUrl = config.get(`${key}.token.endpoint.url`)
  const clientId = config.get(`${key}.client.credentials.client.id`) ?? option('clientId')
  const clientSecret = config.get(`${key}.client.credentials.client.secret`)?.reveal() ?? option('clientSecret')
  const scope = config.get(`${key}.scope`) ?? option('scope')
  if (tokenEndpointUrl === null || clientId === undefined || clientSecret === undefined) {
    throw new ConfigError(NO_TOKENS)
  }
  return { mechanism: 'OAUTHBEARER', tokenEndpointUrl, clientId, clientSecret, ...(scope !== undefined && { scope }) }
}

const MECHANISMS: readonly string[] = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER']

function mechanismOf(options: SaslOptions, config: SecurityConfig, machine: SecurityMachine): SaslMechanism {
  const name = String(options.mechanism).toUpperCase()
  if (!MECHANISMS.includes(name)) {
    throw new ConfigError(`there are ${MECHANISMS.join(', ')}`, { key: 'sasl.mechanism', value: name })
  }
  if (name === 'OAUTHBEARER') {
    const refresh = refreshMoment(config, machine.random)
    if (!('token' in options ? typeof options.token === 'function' : 'tokenEndpointUrl' in options)) {
      throw new ConfigError(NO_TOKENS)
    }
    if ('token' in options) return oauthBearer(options.token, machine.clock, machine.timeoutMs, refresh)
    // The last question begins within the time of the tries.
    const timeoutMs = machine.timeoutMs + config.get('sasl.login.retry.backoff.max.ms')
    return oauthBearer(credentialsProvider(options, config, machine), machine.clock, timeoutMs, refresh)
  }
  const { username, password, isToken = false } = options as Extract<SaslOptions, { username: string }>
  if (typeof username !== 'string' || typeof password !== 'string' || username === '') {
    throw new ConfigError(`sasl: ${name} needs username and password`)
  }
  if (name !== 'PLAIN') return scram(name as ScramMechanismName, { username, password, isToken }, machine.random)
  if (`${username}${password}`.includes('\0')) throw new ConfigError('sasl: PLAIN takes no NUL in name and password')
  return plain(username, password)
}

function credentialsProvider(options: SaslOptions, config: SecurityConfig, machine: SecurityMachine): TokenProvider {
  const { tokenEndpointUrl, clientId, clientSecret, scope, tls } = options as Extract<SaslOptions, { clientId: string }>
  const url = URL.canParse(tokenEndpointUrl) ? new URL(tokenEndpointUrl) : undefined
  if (url === undefined || !['https:', 'http:'].includes(url.protocol)) {
    throw new ConfigError('this is no https: address', {
      key: 'sasl.oauthbearer.token.endpoint.url',
      value: tokenEndpointUrl,
    })
  }
  const asking = {
    clock: machine.clock,
    timeoutMs: machine.timeoutMs,
    connectTimeoutMs: config.get('sasl.login.connect.timeout.ms'),
    readTimeoutMs: config.get('sasl.login.read.timeout.ms'),
    retryBackoffMs: config.get('sasl.login.retry.backoff.ms'),
    retryBackoffMaxMs: config.get('sasl.login.retry.backoff.max.ms'),
    tls: endpointTls(config, tls, machine.disk),
  }
  return tokenEndpoint({ url, clientId, clientSecret, scope }, asking)
}

/** TLS with the token endpoint has nothing of that with brokers: it is what `ssl.*` of `sasl.jaas.config` says, as in Java. */
function endpointTls(config: SecurityConfig, given: TlsOptions | undefined, disk: Disk): TlsContext | undefined {
  const jaasText = config.get('sasl.jaas.config')?.reveal()
  const jaas = jaasText === undefined ? [] : [...parseJaas(jaasText).options]
  const settings = jaas.filter(([name]) => name.startsWith('ssl.'))
  if (given === undefined && settings.length === 0) return undefined
  return tlsContext(defineConfig(clientSecurityKeys).parse(new Map(settings)), given ?? {}, disk)
}
