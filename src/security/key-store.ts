import { ConfigError } from '../config/index.ts'
import { type Disk, DiskError, readWholeFile } from '../platform/index.ts'
import { DER_SEQUENCE } from './der.ts'

/** What a key or trust store is, by its content. */
export type Store =
  | { readonly type: 'PEM'; readonly pem: string }
  | { readonly type: 'PKCS12'; readonly pfx: Uint8Array }

const JKS_MAGIC = [0xfeedfeed, 0xcececece]

/**
 * Reads a file that `key` (`ssl.keystore.location`) names.
 * @throws ConfigError when there is none, or it is of another type than `type` says, or of one that only Java reads
 */
export function readStore(disk: Disk, key: string, path: string, type: string | null): Store {
  const bytes = readBytes(disk, key, path)
  const found = typeOf(bytes)
  const wanted = type?.toUpperCase()
  if (found === 'JKS') {
    const way = `keytool -importkeystore -srckeystore ${path} -destkeystore store.p12 -deststoretype pkcs12`
    throw new ConfigError(`this is a JKS store, which only Java reads; make a PKCS12 one of it: ${way}`, {
      key,
      value: path,
    })
  }
  // Since Java 9 files that are called JKS are mostly PKCS12, and Java takes them for what they are.
  const isAsSaid = wanted === undefined || wanted === found || (wanted === 'JKS' && found === 'PKCS12')
  if (found === undefined || !isAsSaid) {
    throw new ConfigError(`this is no ${wanted ?? 'PEM or PKCS12'} file`, { key, value: path })
  }
  return found === 'PEM' ? { type: 'PEM', pem: Buffer.from(bytes).toString() } : { type: 'PKCS12', pfx: bytes }
}

function typeOf(bytes: Buffer): 'PEM' | 'PKCS12' | 'JKS' | undefined {
  if (bytes.length >= 4 && JKS_MAGIC.includes(bytes.readUInt32BE(0))) return 'JKS'
  if (bytes[0] === DER_SEQUENCE) return 'PKCS12'
  return bytes.includes('-----BEGIN ') ? 'PEM' : undefined
}

function readBytes(disk: Disk, key: string, path: string): Buffer {
  try {
    return readWholeFile(disk, path)
  } catch (error) {
    if (error instanceof DiskError) throw new ConfigError(`it cannot be read: ${error.code}`, { key, value: path })
    throw error
  }
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END \1-----/g
const LINE = /.{1,64}/g

/**
 * The blocks of a PEM text whose label ends so (`CERTIFICATE`, `PRIVATE KEY`), one after another. A line that a `.properties` file made of
 * several is cut into lines again (KIP-651).
 */
export function pemBlocks(text: string, label: string): string {
  const blocks = [...text.matchAll(BLOCK)].filter(([, name = '']) => name.endsWith(label))
  return blocks
    .map(([whole, name = '', body = '']) => {
      // A block with headers is encrypted in OpenSSL's old way, and has its lines.
      if (body.includes(':')) return `${whole}\n`
      return pemBlock(name, body.replaceAll(/\s/g, ''))
    })
    .join('')
}

/** A certificate in PEM. */
export const pemCertificate = (der: Buffer): string => pemBlock('CERTIFICATE', der.toString('base64'))

function pemBlock(label: string, base64: string): string {
  return `-----BEGIN ${label}-----\n${(base64.match(LINE) ?? []).join('\n')}\n-----END ${label}-----\n`
}
