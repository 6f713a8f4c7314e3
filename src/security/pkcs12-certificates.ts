import { nodeCrypto } from '../platform/index.ts'
import { DER_SEQUENCE, derContent, derElements } from './der.ts'

// Object identifiers, as DER has them.
const DATA = '2a864886f70d010701'
const ENCRYPTED_DATA = '2a864886f70d010706'
const PBES2 = '2a864886f70d01050d'
const CERTIFICATE_BAG = '2a864886f70d010c0a0103'
const HASHES: Readonly<Record<string, string>> = {
  '2a864886f70d0207': 'sha1',
  '2a864886f70d0209': 'sha256',
  '2a864886f70d020a': 'sha384',
  '2a864886f70d020b': 'sha512',
}
const CIPHERS: Readonly<Record<string, { readonly name: string; readonly keyBytes: number }>> = {
  '608648016503040102': { name: 'aes-128-cbc', keyBytes: 16 },
  '608648016503040116': { name: 'aes-192-cbc', keyBytes: 24 },
  '60864801650304012a': { name: 'aes-256-cbc', keyBytes: 32 },
}
const MAX_ITERATIONS = 10_000_000

/** Why the certificates of a store cannot be had. */
export class Pkcs12Error extends Error {}

/**
 * The certificates in a PKCS #12 store (RFC 7292), DER each: Node reads stores that hold a key only. Certificates may lie open or
 * be encrypted by PBES2, as keytool (since Java 17) and OpenSSL 3 do it.
 * @throws Pkcs12Error for a wrong password, an older encryption, or what is no such store
 */
export function pkcs12Certificates(store: Buffer, password: string): Buffer[] {
  try {
    // PFX { version, authSafe { data, [0] OCTET STRING }, ... }, whose octets are a SEQUENCE of contents.
    const contents = derElements(derContent(store, 0, 1, 1, 0))
    return contents
      .filter(({ tag }) => tag === DER_SEQUENCE)
      .flatMap(({ content }) => derElements(content))
      .flatMap(({ content }) => certificatesIn(safeContents(content, password)))
  } catch (error) {
    if (error instanceof RangeError) throw new Pkcs12Error('it is damaged', { cause: error })
    throw error
  }
}

/** The bags of one part of the store; none where it is of a kind that holds no certificates. */
function safeContents(contentInfo: Buffer, password: string): Buffer {
  const type = oid(contentInfo, 0)
  if (type === DATA) return derContent(contentInfo, 1, 0)
  if (type !== ENCRYPTED_DATA) return Buffer.alloc(0)
  // EncryptedData { version, { data, algorithm, [0] octets } }
  const encrypted = derContent(contentInfo, 1, 0, 1)
  return decrypted(derContent(encrypted, 1), derContent(encrypted, 2), password)
}

/** By PBES2 (RFC 8018): PBKDF2 { salt, iterations, [length], hash }, cipher { iv }. */
function decrypted(algorithm: Buffer, octets: Buffer, password: string): Buffer {
  if (oid(algorithm, 0) !== PBES2) throw new Pkcs12Error('its encryption is an old one')
  const parameters = derContent(algorithm, 1, 0, 1)
  const [salt, count, ...rest] = derElements(parameters)
  const hashName = rest.find(({ tag }) => tag === DER_SEQUENCE)
  const hash = HASHES[hashName === undefined ? '2a864886f70d0207' : oid(hashName.content, 0)]
  const cipher = CIPHERS[oid(algorithm, 1, 1, 0)]
  if (salt === undefined || count === undefined || hash === undefined || cipher === undefined) {
    throw new Pkcs12Error('its encryption is not known')
  }
  const iterations = count.content.readUIntBE(0, count.content.length)
  if (iterations > MAX_ITERATIONS) throw new Pkcs12Error('its encryption takes too long')
  const key = nodeCrypto().pbkdf2Sync(password, salt.content, iterations, cipher.keyBytes, hash)
  try {
    const decipher = nodeCrypto().createDecipheriv(cipher.name, key, derContent(algorithm, 1, 1, 1))
    return Buffer.concat([decipher.update(octets), decipher.final()])
  } catch (error) {
    throw new Pkcs12Error('the password is wrong', { cause: error })
  }
}

/** SafeContents: a SEQUENCE of bags { type, [0] { kind of certificate, [0] OCTET STRING }, ... }. */
function certificatesIn(safe: Buffer): Buffer[] {
  return derElements(safe)
    .flatMap(({ content }) => derElements(content))
    .filter(({ content }) => oid(content, 0) === CERTIFICATE_BAG)
    .map(({ content }) => derContent(content, 1, 0, 1, 0))
}

const oid = (bytes: Buffer, ...places: readonly number[]): string => derContent(bytes, ...places).toString('hex')
