import { type Config, ConfigError } from '../config/index.ts'
import { type Disk, NetworkError, TlsContext, type TlsOptions, type TlsVersion } from '../platform/index.ts'
import { cipherNames } from './cipher-names.ts'
import { pemBlocks, pemCertificate, readStore } from './key-store.ts'
import { Pkcs12Error, pkcs12Certificates } from './pkcs12-certificates.ts'
import type { clientSecurityKeys } from './security-keys.ts'

export type SecurityConfig = Config<typeof clientSecurityKeys>

/**
 * What `ssl.*` says, with what was given as an object over it.
 * @throws ConfigError for files that cannot be used, and for options that do not go together
 */
export function tlsContext(config: SecurityConfig, given: TlsOptions, disk: Disk): TlsContext {
  // What is given as undefined is not given: it must not put a trust store out of force.
  const known = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  const options = { ...trust(config, disk), ...identity(config, disk), ...rules(config), ...known }
  try {
    return new TlsContext(options)
  } catch (error) {
    if (error instanceof NetworkError) throw unusable(config, error)
    throw error
  }
}

/** Which setting it probably was: OpenSSL names none. */
function unusable(config: SecurityConfig, { message }: NetworkError): ConfigError {
  const reason = message.replace(': ERR_TLS_OPTIONS', '')
  if (/cipher/i.test(reason)) {
    return new ConfigError('OpenSSL knows none of them', {
      key: 'ssl.cipher.suites',
      value: config.text('ssl.cipher.suites'),
    })
  }
  const isPassword = /mac verify|bad decrypt|passphrase|bad password|interrupted or cancelled/i.test(reason)
  const way = isPassword ? 'check ssl.key.password and ssl.keystore.password' : 'check ssl.keystore and ssl.truststore'
  return new ConfigError(`TLS cannot be set up: ${reason}; ${way}`)
}

function trust(config: SecurityConfig, disk: Disk): TlsOptions {
  const inline = config.get('ssl.truststore.certificates')?.reveal()
  const path = config.get('ssl.truststore.location')
  if (inline !== undefined && path !== null) throw bothGiven('ssl.truststore.certificates', 'ssl.truststore.location')
  if (inline === undefined && path === null) return {}
  const key = inline === undefined ? 'ssl.truststore.location' : 'ssl.truststore.certificates'
  const store =
    inline === undefined
      ? readStore(disk, key, path!, config.get('ssl.truststore.type'))
      : { type: 'PEM' as const, pem: inline }
  const ca = store.type === 'PEM' ? pemBlocks(store.pem, 'CERTIFICATE') : pkcs12Authorities(config, store.pfx, path!)
  if (ca === '') throw new ConfigError('there is no certificate in it', { key, value: path ?? '[hidden]' })
  return { ca }
}

function pkcs12Authorities(config: SecurityConfig, store: Uint8Array, path: string): string {
  const password = config.get('ssl.truststore.password')?.reveal() ?? ''
  try {
    return pkcs12Certificates(Buffer.from(store), password).map(pemCertificate).join('')
  } catch (error) {
    if (!(error instanceof Pkcs12Error)) throw error
    const way = `check ssl.truststore.password, or make a PEM file of it: openssl pkcs12 -legacy -in ${path} -nokeys -out ca.pem`
    throw new ConfigError(`${error.message}; ${way}`, { key: 'ssl.truststore.location', value: path })
  }
}

function identity(config: SecurityConfig, disk: Disk): TlsOptions {
  const inlineKey = config.get('ssl.keystore.key')?.reveal()
  const inlineCert = config.get('ssl.keystore.certificate.chain')?.reveal()
  const path = config.get('ssl.keystore.location')
  const keyPassword = config.get('ssl.key.password')?.reveal()
  if (path === null) {
    if (inlineKey === undefined && inlineCert === undefined) return {}
    return pemIdentity({ key: inlineKey, cert: inlineCert, passphrase: keyPassword }, 'ssl.keystore.key')
  }
  if (inlineKey !== undefined || inlineCert !== undefined) throw bothGiven('ssl.keystore.key', 'ssl.keystore.location')
  const store = readStore(disk, 'ssl.keystore.location', path, config.get('ssl.keystore.type'))
  if (store.type === 'PEM') {
    return pemIdentity({ key: store.pem, cert: store.pem, passphrase: keyPassword }, 'ssl.keystore.location', path)
  }
  const passphrase = config.get('ssl.keystore.password')?.reveal() ?? keyPassword
  return { pfx: store.pfx, ...(passphrase !== undefined && { passphrase }) }
}

function pemIdentity(
  { key = '', cert = '', passphrase }: Record<'key' | 'cert' | 'passphrase', string | undefined>,
  setting: string,
  path = '[hidden]',
): TlsOptions {
  const parts = { key: pemBlocks(key, 'PRIVATE KEY'), cert: pemBlocks(cert, 'CERTIFICATE') }
  if (parts.key === '') throw new ConfigError('there is no private key in it', { key: setting, value: path })
  if (parts.cert === '') {
    throw new ConfigError('there is no certificate beside the key', { key: setting, value: path })
  }
  return { ...parts, ...(passphrase !== undefined && { passphrase }) }
}

function rules(config: SecurityConfig): TlsOptions {
  const versions = [...config.get('ssl.enabled.protocols')].sort() as TlsVersion[]
  const [minVersion, maxVersion] = [versions[0], versions.at(-1)]
  const ciphers = config.get('ssl.cipher.suites')
  return {
    ...(minVersion !== undefined && { minVersion }),
    ...(maxVersion !== undefined && { maxVersion }),
    ...(ciphers !== null && ciphers.length > 0 && { ciphers: cipherNames(ciphers) }),
    checkHost: config.get('ssl.endpoint.identification.algorithm') !== '',
  }
}

function bothGiven(one: string, other: string): ConfigError {
  return new ConfigError(`${one} and ${other} are both given: keep one`)
}
