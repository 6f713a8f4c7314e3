/** Certificates for tests: authorities, and what they sign, made by openssl. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './process.ts'

/** A certificate with its key, as PEM files. */
export interface Certificate {
  readonly key: string
  readonly cert: string
  /** Key and certificate in one file, as Kafka's PEM key stores are. */
  readonly both: string
}

export interface CertificateOptions {
  /** `localhost`: what a client that connects there checks for. */
  readonly host?: string
  /** Days from now until it ends; negative for one that has ended. */
  readonly days?: number
}

/** An authority whose files lie in a directory. */
export class CertificateAuthority {
  /** Its own certificate: what whoever trusts it needs. */
  readonly cert: string
  readonly #directory: string
  readonly #name: string

  private constructor(directory: string, name: string) {
    this.#directory = directory
    this.#name = name
    this.cert = join(directory, `${name}.crt`)
  }

  static async create(directory: string, name: string): Promise<CertificateAuthority> {
    const authority = new CertificateAuthority(directory, name)
    const key = join(directory, `${name}.key`)
    const made = ['-keyout', key, '-out', authority.cert, '-subj', `/CN=${name}`, '-days', '2']
    await run('openssl', ['req', '-x509', ...NEW_KEY, ...made])
    return authority
  }

  async sign(name: string, { host, days = 2 }: CertificateOptions = {}): Promise<Certificate> {
    const path = (suffix: string): string => join(this.#directory, `${name}.${suffix}`)
    const [key, request, cert, both] = ['key', 'csr', 'crt', 'pem'].map(path) as [string, string, string, string]
    await run('openssl', ['req', ...NEW_KEY, '-keyout', key, '-out', request, '-subj', `/CN=${name}`])
    const extensions = path('ext')
    writeFileSync(extensions, host === undefined ? '' : `subjectAltName=DNS:${host}\n`)
    const own = ['-CA', this.cert, '-CAkey', join(this.#directory, `${this.#name}.key`), '-CAcreateserial']
    const made = ['-in', request, '-out', cert, '-days', String(days), '-extfile', extensions]
    await run('openssl', ['x509', '-req', ...own, ...made])
    writeFileSync(both, (await run('cat', [key, cert])).stdout)
    return { key, cert, both }
  }
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

/** Key and certificate as a PKCS12 store. */
export async function pkcs12(certificate: Certificate, password: string): Promise<string> {
  const path = certificate.both.replace(/pem$/, 'p12')
  const from = ['-export', '-inkey', certificate.key, '-in', certificate.cert]
  await run('openssl', ['pkcs12', ...from, '-out', path, '-passout', `pass:${password}`])
  return path
}

/** An authority's certificate as a PKCS12 trust store. */
export async function pkcs12Authority(cert: string, password: string): Promise<string> {
  const path = cert.replace(/crt$/, 'p12')
  await run('openssl', ['pkcs12', '-export', '-nokeys', '-in', cert, '-out', path, '-passout', `pass:${password}`])
  return path
}
