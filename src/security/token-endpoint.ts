import { httpPost } from '../platform/index.ts'
import { KafkaError } from '../protocol/index.ts'
import type { OAuthToken, TokenProvider } from './oauth-bearer.ts'

const MAX_ANSWER_BYTES = 1 << 20

/** Who asks for tokens where, by OAuth's client credentials (RFC 6749, 4.4). */
export interface ClientCredentials {
  readonly url: URL
  readonly clientId: string
  readonly clientSecret: string
  readonly scope?: string | undefined
  readonly timeoutMs: number
}

/** Gets tokens from an authorization server (KIP-768); an `https:` one is checked against the authorities that Node trusts. */
export function tokenEndpoint({ url, clientId, clientSecret, scope, timeoutMs }: ClientCredentials): TokenProvider {
  const form = new URLSearchParams({ grant_type: 'client_credentials', ...(scope !== undefined && { scope }) })
  const basic = Buffer.from(`${clientId}:${clientSecret}`).toString('base64')
  const headers = { accept: 'application/json', authorization: `Basic ${basic}` }
  return async () => {
    const where = `the token endpoint ${url.origin}${url.pathname}`
    const answer = await httpPost({ url, headers, form, timeoutMs, maxResponseBytes: MAX_ANSWER_BYTES }).catch(
      error => {
        throw new KafkaError('NETWORK_EXCEPTION', `${where} cannot be asked: ${error.message}`, { cause: error })
      },
    )
    if (answer.status >= 500) throw new KafkaError('NETWORK_EXCEPTION', `${where} answers ${answer.status}`)
    if (answer.status !== 200) throw refused(`${where} answers ${answer.status}${reasonIn(answer.text)}`)
    const token = readToken(answer.text)
    if (token === undefined) throw refused(`${where} gives no access_token`)
    return token
  }
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

const refused = (reason: string): KafkaError => new KafkaError('SASL_AUTHENTICATION_FAILED', `OAUTHBEARER: ${reason}`)
