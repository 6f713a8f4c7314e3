import { nodeCrypto } from '../platform/index.ts'
import { KafkaError } from '../protocol/index.ts'

/** Hash functions by mechanism. */
export const SCRAM_HASHES = { 'SCRAM-SHA-256': 'sha256', 'SCRAM-SHA-512': 'sha512' } as const
export type ScramMechanismName = keyof typeof SCRAM_HASHES

/** Fewer are too easy to guess (RFC 7677, and Kafka's ScramMechanism); more would be a way to keep clients busy. */
export const MIN_ITERATIONS = 4_096
const MAX_ITERATIONS = 1_000_000
/** No channel binding, no other identity than the user's own. */
const GS2_HEADER = 'n,,'

export interface ScramStart {
  readonly mechanism: ScramMechanismName
  readonly username: string
  /** Random, at least 128 bits, printable, without comma. */
  readonly nonce: string
  /** Kafka's extensions, such as `tokenauth=true` for delegation tokens (KIP-48). */
  readonly extensions?: Readonly<Record<string, string>>
}

/**
 * One authentication by SCRAM, client's side (RFC 5802): what to send, what to expect. Pure: the costly part, Hi(password), is done by
 * the caller between {@link challenged} and {@link proof}.
 */
export class ScramExchange {
  /** The first message. */
  readonly first: string
  readonly #firstBare: string
  readonly #mechanism: ScramMechanismName
  readonly #nonce: string
  #serverFirst = ''
  #fullNonce = ''
  #expectedSignature: Buffer | undefined

  constructor({ mechanism, username, nonce, extensions = {} }: ScramStart) {
    const name = username.replaceAll('=', '=3D').replaceAll(',', '=2C')
    const extra = Object.entries(extensions).map(([key, value]) => `,${key}=${value}`)
    this.#mechanism = mechanism
    this.#nonce = nonce
    this.#firstBare = `n=${name},r=${nonce}${extra.join('')}`
    this.first = GS2_HEADER + this.#firstBare
  }

  /**
   * Reads the server's first message: with what the password is to be salted.
   * @throws KafkaError SASL_AUTHENTICATION_FAILED for a nonce that is not an extension of ours, or iterations out of bounds
   */
  challenged(serverFirst: string): { readonly salt: Buffer; readonly iterations: number } {
    const { r: nonce = '', s: salt = '', i = '' } = this.#attributes(serverFirst)
    if (!nonce.startsWith(this.#nonce) || nonce.length === this.#nonce.length)
      throw this.#failure("the server's nonce does not go on from ours")
    const iterations = /^\d{1,9}$/.test(i) ? Number(i) : 0
    if (iterations < MIN_ITERATIONS || iterations > MAX_ITERATIONS) {
      throw this.#failure(`the server asks for ${i} iterations, and ${MIN_ITERATIONS} to ${MAX_ITERATIONS} are allowed`)
    }
    if (salt === '') throw this.#failure('the server sent no salt')
    this.#serverFirst = serverFirst
    this.#fullNonce = nonce
    return { salt: Buffer.from(salt, 'base64'), iterations }
  }

  /** The last message, from the salted password (`Hi(password, salt, iterations)`). */
  proof(saltedPassword: Uint8Array): string {
    const channel = Buffer.from(GS2_HEADER).toString('base64')
    const withoutProof = `c=${channel},r=${this.#fullNonce}`
    const authMessage = `${this.#firstBare},${this.#serverFirst},${withoutProof}`
    const { createHash, createHmac } = nodeCrypto()
    const hash = SCRAM_HASHES[this.#mechanism]
    const hmac = (key: Uint8Array, text: string): Buffer => createHmac(hash, key).update(text).digest()
    const clientKey = hmac(saltedPassword, 'Client Key')
    const signature = hmac(createHash(hash).update(clientKey).digest(), authMessage)
    this.#expectedSignature = hmac(hmac(saltedPassword, 'Server Key'), authMessage)
    const proof = clientKey.map((byte, index) => byte ^ signature[index]!)
    return `${withoutProof},p=${Buffer.from(proof).toString('base64')}`
  }

  /**
   * Reads the server's last message, by which it shows that it knows the password too.
   * @throws KafkaError SASL_AUTHENTICATION_FAILED when it does not
   */
  verify(serverFinal: string): void {
    const { v = '', e } = this.#attributes(serverFinal)
    if (e !== undefined) throw this.#failure(`the server refuses: ${e}`)
    const signature = Buffer.from(v, 'base64')
    const expected = this.#expectedSignature
    const isExpected = expected?.length === signature.length && nodeCrypto().timingSafeEqual(signature, expected)
    if (!isExpected) {
      throw this.#failure('the server does not know the password: it may be somebody else')
    }
  }

  /** `a=...,b=...` by letter. An extension that must be understood (`m`) is not. */
  #attributes(message: string): Partial<Record<string, string>> {
    const parts = message.split(',').map(part => [part.slice(0, 1), part.slice(1, 2), part.slice(2)] as const)
    if (parts.some(([letter, equals]) => equals !== '=' || !/^[A-Za-z]$/.test(letter))) {
      throw this.#failure('the server does not speak SCRAM')
    }
    if (parts.some(([letter]) => letter === 'm')) throw this.#failure('the server wants an extension that is not known')
    return Object.fromEntries(parts.map(([letter, , value]) => [letter, value]))
  }

  #failure(reason: string): KafkaError {
    return new KafkaError('SASL_AUTHENTICATION_FAILED', `${this.#mechanism}: ${reason}`)
  }
}
