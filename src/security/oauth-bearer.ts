import type { Clock } from '../platform/index.ts'
import { KafkaError } from '../protocol/index.ts'
import type { SaslMechanism } from './sasl-mechanism.ts'
import type { RefreshMoment } from './token-refresh.ts'

/** A token as a provider gives it. */
export interface OAuthToken {
  readonly value: string
  /** When it ends, milliseconds since 1970; what the token itself says (`exp`) when left out. */
  readonly expiresAtMs?: number
  /** SASL extensions for the broker (KIP-342). */
  readonly extensions?: Readonly<Record<string, string>>
}

/**
 * Gets a token that is good for a while, within `socket.connection.setup.timeout.ms`. What it throws is the reason why there is no
 * connection.
 */
export type TokenProvider = () => OAuthToken | string | Promise<OAuthToken | string>

/** Unless told otherwise, after four fifths of the token's life. */
const REFRESH_LATE: RefreshMoment = (nowMs, expiresAtMs) => nowMs + 0.8 * (expiresAtMs - nowMs)
/** When there was no new token, the old one, while it lasts, serves so long before another is asked for again (as Java). */
const ASK_AGAIN_MS = 10_000
const SEPARATOR = '\u0001'

/**
 * A bearer token of OAuth 2 (RFC 7628, KIP-255). A token serves all connections until `refresh` says that another is due, and on where
 * the provider has none then. A provider that has none within `timeoutMs` is asked again for the next connection.
 */
export function oauthBearer(
  provider: TokenProvider,
  clock: Clock,
  timeoutMs: number,
  refresh: RefreshMoment = REFRESH_LATE,
): SaslMechanism {
  let cached: { readonly token: OAuthToken; readonly untilMs: number; readonly expiresAtMs: number } | undefined
  let asking: Promise<OAuthToken> | undefined

  const ask = async (): Promise<OAuthToken> => {
    const askedMs = clock.now()
    const given = await inTime(provider(), clock, timeoutMs)
    const token = checked(typeof given === 'string' ? { value: given } : given)
    const expiresAtMs = token.expiresAtMs ?? jwtExpiryMs(token.value)
    // Of a token whose end is not known only the provider knows whether it is still good.
    const untilMs = expiresAtMs === undefined ? askedMs : refresh(askedMs, expiresAtMs)
    cached = { token, untilMs, expiresAtMs: expiresAtMs ?? askedMs }
    return token
  }
  const orTheOld = (error: unknown): OAuthToken => {
    const nowMs = clock.now()
    if (cached === undefined || cached.expiresAtMs <= nowMs) {
      throw error instanceof KafkaError ? error : failure(`no token: ${messageOf(error)}`, error)
    }
    cached = { ...cached, untilMs: nowMs + ASK_AGAIN_MS }
    return cached.token
  }
  const current = (): Promise<OAuthToken> => {
    if (cached !== undefined && clock.now() < cached.untilMs) return Promise.resolve(cached.token)
    asking ??= ask()
      .catch(orTheOld)
      .finally(() => {
        asking = undefined
      })
    return asking
  }

  return {
    name: 'OAUTHBEARER',
    authenticate: async exchange => {
      const refusal = await exchange(firstMessage(await current()))
      if (refusal.length === 0) return
      // The next connection asks for another token.
      cached = undefined
      // The server says why as the answer to this (RFC 7628, 3.2.3); one that takes it for enough does not hold to the mechanism.
      await exchange(Buffer.from(SEPARATOR))
      throw failure(`the server refuses the token: ${Buffer.from(refusal).toString()}`)
    },
  }
}

/** Nobody else looks at the time of who waits for a token. */
function inTime<T>(answer: T | Promise<T>, clock: Clock, timeoutMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = new KafkaError('REQUEST_TIMED_OUT', `OAUTHBEARER: the provider gave no token within ${timeoutMs} ms`)
    const timer = clock.schedule(timeoutMs, () => reject(late))
    Promise.resolve(answer)
      .then(resolve, reject)
      .finally(() => timer.cancel())
  })
}

function firstMessage({ value, extensions = {} }: OAuthToken): Buffer {
  const pairs = [`auth=Bearer ${value}`, ...Object.entries(extensions).map(([key, text]) => `${key}=${text}`)]
  return Buffer.from(`n,,${SEPARATOR}${pairs.map(pair => pair + SEPARATOR).join('')}${SEPARATOR}`)
}

/** @throws KafkaError for what would not be one token, or one extension, any more */
function checked(token: OAuthToken): OAuthToken {
  if (typeof token.value !== 'string' || !/^[\w.~+/-]+=*$/.test(token.value)) {
    throw failure('what the provider gave is no token: it has characters that none has, or is empty')
  }
  for (const [key, text] of Object.entries(token.extensions ?? {})) {
    if (!/^[A-Za-z]+$/.test(key) || key === 'auth' || !/^[\x21-\x7e \t\r\n]+$/.test(text)) {
      throw failure(`extension ${key}: its name has letters only and is not auth, its value is printable`)
    }
  }
  return token
}

/** When a JSON Web Token ends by its own word (`exp`); undefined for tokens of other kinds. */
export function jwtExpiryMs(token: string): number | undefined {
  const [, claims, ...rest] = token.split('.')
  if (claims === undefined || rest.length !== 1) return undefined
  try {
    const { exp } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { exp?: unknown }
    return typeof exp === 'number' ? exp * 1_000 : undefined
  } catch {
    return undefined
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

function failure(reason: string, cause?: unknown): KafkaError {
  return new KafkaError('SASL_AUTHENTICATION_FAILED', `OAUTHBEARER: ${reason}`, { cause })
}
