import { type Clock, httpPost, type NetworkError, sleep, type TlsContext, TlsError } from '../platform/index.ts'
import { KafkaError } from '../protocol/index.ts'
import type { OAuthToken, TokenProvider } from './oauth-bearer.ts'

const MAX_ANSWER_BYTES = 1 << 20
/** Answers of a server that may have another one soon, though they are no 5xx. */
const PASSING: readonly number[] = [408, 429]
/** The other way around: what it does not do now it will not do later. */
const LASTING: readonly number[] = [501, 505]

/** Who asks for tokens where, by OAuth's client credentials (RFC 6749, 4.4). */
export interface ClientCredentials {
  readonly url: URL
  readonly clientId: string
  readonly clientSecret: string
  readonly scope?: string | undefined
}

/** How an authorization server is asked. */
export interface AskingForTokens {
  readonly clock: Clock
  /** Of one question, whole. */
  readonly timeoutMs: number
  readonly connectTimeoutMs: number | null
  readonly readTimeoutMs: number | null
  /** Pause before the second question; it doubles from one to the next. */
  readonly retryBackoffMs: number
  /** For how long it is asked again. */
  readonly retryBackoffMaxMs: number
  /** For an `https:` one; the authorities that Node trusts when left out. */
  readonly tls: TlsContext | undefined
}

/** Gets tokens from an authorization server (KIP-768). One that cannot be reached, or cannot answer now, is asked again. */
export function tokenEndpoint(credentials: ClientCredentials, asking: AskingForTokens): TokenProvider {
  const { clock, retryBackoffMs, retryBackoffMaxMs } = asking
  return async () => {
    const endMs = clock.monotonicMs() + retryBackoffMaxMs
    for (let backoffMs = retryBackoffMs; ; backoffMs *= 2) {
      try {
        return await ask(credentials, asking)
      } catch (error) {
        const waitMs = Math.min(backoffMs, endMs - clock.monotonicMs())
        if (!(error instanceof KafkaError && error.retriable) || waitMs <= 0) throw error
        await sleep(clock, waitMs)
      }
    }
  }
}

/** @throws KafkaError NETWORK_EXCEPTION when the server may answer later, SASL_AUTHENTICATION_FAILED when it refuses */
async function ask(credentials: ClientCredentials, asking: AskingForTokens): Promise<OAuthToken> {
  const { url, clientId, clientSecret, scope } = credentials
  const form = new URLSearchParams({ grant_type: 'client_credentials', ...(scope !== undefined && { scope }) })
  const basic = Buffer.from(`${clientId}:${clientSecret}`).toString('base64')
  const headers = { accept: 'application/json', authorization: `Basic ${basic}` }
  const where = `the token endpoint ${url.origin}${url.pathname}`
  const post = { ...asking, url, headers, form, maxResponseBytes: MAX_ANSWER_BYTES }
  const { status, text } = await httpPost(post).catch((error: NetworkError) => {
    if (TlsError.isCode(error.code)) throw refused(`TLS with ${where} fails: ${error.message}`, error)
    throw new KafkaError('NETWORK_EXCEPTION', `${where} cannot be asked: ${error.message}`, { cause: error })
  })
  if (PASSING.includes(status) || (status >= 500 && !LASTING.includes(status))) {
    throw new KafkaError('NETWORK_EXCEPTION', `${where} answers ${status}`)
  }
  if (status !== 200) throw refused(`${where} answers ${status}${reasonIn(text)}`)
  const token = readToken(text)
  if (token === undefined) throw refused(`${where} gives no access_token`)
  return token
}

/** When it ends the token says itself (`exp`). */
function readToken(text: string): OAuthToken | undefined {
  const { access_token: value } = asObject(text)
  return typeof value === 'string' ? { value } : undefined
}

/** What RFC 6749, 5.2 has for a refusal. */
function reasonIn(text: string): string {
  const { error, error_description: description } = asObject(text)
  const words = [error, description].filter(word => typeof word === 'string')
  return words.length > 0 ? `: ${words.join(', ')}` : ''
}

function asObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

const refused = (reason: string, cause?: unknown): KafkaError =>
  new KafkaError('SASL_AUTHENTICATION_FAILED', `OAUTHBEARER: ${reason}`, { cause })
