import { isIP } from 'node:net'
import type { ConnectionOptions, SecureContext, TLSSocket } from 'node:tls'
import { NetworkError } from './network.ts'

/** Versions of TLS that are safe to offer. */
export type TlsVersion = 'TLSv1.2' | 'TLSv1.3'

/** One PEM text or several. */
export type Pem = string | Uint8Array | readonly (string | Uint8Array)[]

/** How the client's side of TLS connections behaves, by the names of Node's own `tls.connect`. */
export interface TlsOptions {
  /** Authorities that are trusted, PEM; those that Node comes with when left out. */
  readonly ca?: Pem
  /** The client's own certificate and those up to its authority, PEM. */
  readonly cert?: Pem
  /** The private key of {@link cert}, PEM. */
  readonly key?: Pem
  /** Key and certificates in one, PKCS #12, in place of {@link cert} and {@link key}. */
  readonly pfx?: Uint8Array
  /** What {@link key} or {@link pfx} is encrypted with. */
  readonly passphrase?: string
  /** The name that the server's certificate must be for; the host that is connected to when left out. */
  readonly servername?: string
  /** False takes any certificate: whoever is in between can read and change everything. Default true. */
  readonly rejectUnauthorized?: boolean
  /** False takes the certificate of a trusted authority whatever host it is for. Default true. */
  readonly checkHost?: boolean
  /** Cipher suites by OpenSSL's names, separated by colons. */
  readonly ciphers?: string
  readonly minVersion?: TlsVersion
  readonly maxVersion?: TlsVersion
}

/** Options that were read and checked once, for many connections. */
export class TlsContext {
  readonly #options: TlsOptions
  readonly #secureContext: SecureContext

  /** @throws NetworkError for a key, certificate, passphrase or cipher that cannot be used */
  constructor(options: TlsOptions) {
    this.#options = options
    const { ca, cert, key, pfx, passphrase, ciphers, minVersion = 'TLSv1.2', maxVersion } = options
    const given = { ca, cert, key, pfx, passphrase, ciphers, maxVersion }
    const known = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
    try {
      this.#secureContext = nodeTls().createSecureContext({ ...known, minVersion })
    } catch (error) {
      throw new NetworkError('ERR_TLS_OPTIONS', error instanceof Error ? error.message : String(error), error)
    }
  }

  /** Begins a connection; `secureConnect` tells that it is there. */
  connect(host: string, port: number): TLSSocket {
    const { servername, rejectUnauthorized = true, checkHost = true } = this.#options
    const name = servername ?? host
    const options: ConnectionOptions = {
      host,
      port,
      secureContext: this.#secureContext,
      rejectUnauthorized,
      // An address is no name that a server could choose its certificate by (RFC 6066).
      ...(isIP(name) === 0 && { servername: name }),
      checkServerIdentity: (_, certificate) =>
        checkHost ? nodeTls().checkServerIdentity(name, certificate) : undefined,
    }
    return nodeTls().connect(options).setNoDelay(true)
  }
}

/** Measured: it takes 35 ms to load, which whoever does without TLS need not wait for. */
function nodeTls(): typeof import('node:tls') {
  return process.getBuiltinModule('node:tls')
}

/** The peer, or we ourselves, refused a TLS connection: trying again changes nothing. `code` is OpenSSL's or Node's. */
export class TlsError extends NetworkError {
  constructor(code: string, what: string, cause?: unknown) {
    super(code, what, cause)
    this.name = 'TlsError'
  }

  /** Whether a failure of this code is one of TLS, not of what is below: `CERT_HAS_EXPIRED`, `ERR_SSL_...`, `EPROTO`. */
  static isCode(code: string): boolean {
    return /^(?:EPROTO$|ERR_(?:SSL|TLS)_|(?!ERR_|E[A-Z0-9]*$|EAI_))/.test(code)
  }
}
