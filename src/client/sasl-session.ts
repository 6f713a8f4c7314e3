import type { Api, ClientConnection } from '../network/index.ts'
import type { Clock, Random } from '../platform/index.ts'
import {
  ErrorCode,
  type Fields,
  KafkaError,
  type MessageInput,
  type MessageOf,
  type Schema,
} from '../protocol/index.ts'
import { SaslHandshakeRequest, SaslHandshakeResponse } from '../protocol/messages/17-sasl-handshake.ts'
import { SaslAuthenticateRequest, SaslAuthenticateResponse } from '../protocol/messages/36-sasl-authenticate.ts'
import type { SaslMechanism } from '../security/index.ts'
import { commonVersion, type ServedApis } from './served-apis.ts'

const HANDSHAKE = { request: SaslHandshakeRequest, response: SaslHandshakeResponse }
const AUTHENTICATE = { request: SaslAuthenticateRequest, response: SaslAuthenticateResponse }

/** A session is renewed when this share of its life, up to so much more, is over (as Java's ReauthenticationInfo). */
const RENEW_AFTER = 0.85
const RENEW_SPREAD = 0.1

/** What a session is made over. */
export interface SaslSessionParts {
  readonly connection: ClientConnection
  /** `host:port`, for errors. */
  readonly broker: string
  readonly served: ServedApis
  readonly mechanism: SaslMechanism
  readonly clock: Clock
  readonly random: Random
  readonly timeoutMs: number
}

/**
 * Who a connection belongs to, by SASL (KIP-43, KIP-152). Where the broker gives sessions an end, they are renewed on the same
 * connection before it comes (KIP-368).
 */
export class SaslSession {
  readonly #parts: SaslSessionParts
  #renewAtMs = Number.POSITIVE_INFINITY
  #renewing: Promise<void> | undefined

  private constructor(parts: SaslSessionParts) {
    this.#parts = parts
  }

  /**
   * Authenticates a new connection.
   * @throws KafkaError SASL_AUTHENTICATION_FAILED, UNSUPPORTED_SASL_MECHANISM, or what its mechanism throws
   */
  static async begin(parts: SaslSessionParts): Promise<SaslSession> {
    const session = new SaslSession(parts)
    await session.#authenticate()
    return session
  }

  /**
   * What requests have to wait for, since the broker takes none while it is asked for another session; undefined mostly. Those who wait
   * go on in their order. Rejects, and the connection is closed, when there is no other session.
   */
  renewal(): Promise<void> | undefined {
    if (this.#renewing !== undefined || this.#parts.clock.monotonicMs() < this.#renewAtMs) return this.#renewing
    const renewing = this.#authenticate().catch((error: Error) => {
      this.#parts.connection.close(error)
      throw error
    })
    const isOver = (): void => {
      this.#renewing = undefined
    }
    this.#renewing = renewing
    renewing.then(isOver, isOver)
    return renewing
  }

  async #authenticate(): Promise<void> {
    const { broker, clock, mechanism, random, served } = this.#parts
    if (!served.has(SaslHandshakeRequest.apiKey)) {
      const reason = `${broker} does not serve ${SaslHandshakeRequest.name}; does this listener want SASL? (security.protocol)`
      throw new KafkaError('UNSUPPORTED_VERSION', reason)
    }
    const { errorCode, mechanisms } = await this.#ask(HANDSHAKE, { mechanism: mechanism.name })
    if (errorCode !== ErrorCode.NONE) {
      const reason = `${broker} does not offer ${mechanism.name}, but ${mechanisms.join(', ') || 'nothing'}`
      throw new KafkaError(KafkaError.fromCode(errorCode).code, reason)
    }
    let lifetimeMs = 0
    await mechanism.authenticate(async authBytes => {
      const answer = await this.#ask(AUTHENTICATE, { authBytes })
      if (answer.errorCode !== ErrorCode.NONE) {
        const { code, message } = KafkaError.fromCode(answer.errorCode, answer.errorMessage)
        throw new KafkaError(code, `${broker} refuses ${mechanism.name}: ${message}`)
      }
      lifetimeMs = answer.sessionLifetimeMs
      return answer.authBytes
    })
    const share = RENEW_AFTER + RENEW_SPREAD * random.next()
    this.#renewAtMs = lifetimeMs > 0 ? clock.monotonicMs() + share * lifetimeMs : Number.POSITIVE_INFINITY
  }

  #ask<Q extends Fields, S extends Fields>(
    api: Api<Q, S>,
    body: MessageInput<Schema<Q>>,
  ): Promise<MessageOf<Schema<S>>> {
    const { connection, served, timeoutMs } = this.#parts
    return connection.send(api, body, { version: commonVersion(api.request, served), timeoutMs })
  }
}
