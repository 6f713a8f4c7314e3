import { promisify } from 'node:util'
import { nodeCrypto, type Random } from '../platform/index.ts'
import type { SaslMechanism } from './sasl-mechanism.ts'
import { SCRAM_HASHES, ScramExchange, type ScramMechanismName } from './scram-exchange.ts'

const NONCE_BYTES = 24
const HASH_BYTES = { sha256: 32, sha512: 64 } as const

export interface ScramCredentials {
  readonly username: string
  readonly password: string
  /** Name and password are the id and HMAC of a delegation token (KIP-48). */
  readonly isToken?: boolean
}

/**
 * The password never leaves, and the server has to show that it knows it (RFC 5802, KIP-84). As in Kafka, names and passwords are taken
 * as they are, without SASLprep: a server that Kafka's own tools set up would not know them otherwise.
 */
export function scram(
  mechanism: ScramMechanismName,
  { username, password, isToken = false }: ScramCredentials,
  random: Random,
): SaslMechanism {
  return {
    name: mechanism,
    authenticate: async exchange => {
      const say = async (text: string): Promise<string> => Buffer.from(await exchange(Buffer.from(text))).toString()
      const nonce = Buffer.from(random.bytes(NONCE_BYTES)).toString('base64url')
      const extensions = isToken ? { tokenauth: 'true' } : {}
      const conversation = new ScramExchange({ mechanism, username, nonce, extensions })
      const { salt, iterations } = conversation.challenged(await say(conversation.first))
      const salted = await saltPassword(mechanism, { password, salt, iterations })
      conversation.verify(await say(conversation.proof(salted)))
    },
  }
}

/** `Hi(password, salt, iterations)` of RFC 5802, in a thread: it takes milliseconds. */
export function saltPassword(
  mechanism: ScramMechanismName,
  of: { readonly password: string; readonly salt: Uint8Array; readonly iterations: number },
): Promise<Buffer> {
  const hash = SCRAM_HASHES[mechanism]
  return promisify(nodeCrypto().pbkdf2)(of.password, of.salt, of.iterations, HASH_BYTES[hash], hash)
}
