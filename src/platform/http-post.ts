import type { Socket } from 'node:net'
import { NetworkError } from './network.ts'
import type { TlsContext } from './tls.ts'

/** Where a form goes, and what of the answer is taken. */
export interface HttpPost {
  /** `http:` or `https:`; redirects are not followed. */
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly form: URLSearchParams
  /** For the whole exchange. */
  readonly timeoutMs: number
  /** For the connection to be made, TLS included; no bound of its own for null. */
  readonly connectTimeoutMs: number | null
  /** For which nothing may come; no bound of its own for null. */
  readonly readTimeoutMs: number | null
  /** For an `https:` address; Node's own authorities and rules when undefined. */
  readonly tls: TlsContext | undefined
  readonly maxResponseBytes: number
}

const HTTPS_PORT = 443

/** Posts a form. @throws NetworkError when there is no whole answer in time, or it is larger than allowed */
export async function httpPost(post: HttpPost) {
  const { url, headers, form, timeoutMs, connectTimeoutMs, readTimeoutMs, maxResponseBytes, tls } = post
  const { request } = url.protocol === 'https:' ? await import('node:https') : await import('node:http')
  const body = Buffer.from(form.toString())
  const options = {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'content-length': body.length, ...headers },
    signal: AbortSignal.timeout(timeoutMs),
    ...(tls && { createConnection: () => tls.connect(hostOf(url), Number(url.port || HTTPS_PORT)) }),
  }
  return new Promise<{ readonly status: number; readonly text: string }>((resolve, reject) => {
    const failed = (error: Error & { code?: unknown }): void => {
      const code = error.name === 'AbortError' || error.name === 'TimeoutError' ? 'ETIMEDOUT' : error.code
      reject(new NetworkError(typeof code === 'string' ? code : 'EIO', `POST to ${url.host}`, error))
    }
    const sent = request(url, options, response => {
      const chunks: Buffer[] = []
      let size = 0
      response.on('error', failed)
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        size += chunk.length
        if (size > maxResponseBytes) response.destroy(Object.assign(new Error('too large'), { code: 'EMSGSIZE' }))
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }))
    })
    const late = (what: string) => () => sent.destroy(Object.assign(new Error(what), { code: 'ETIMEDOUT' }))
    if (connectTimeoutMs !== null) {
      const timer = setTimeout(late('connect'), connectTimeoutMs).unref()
      const isThere = url.protocol === 'https:' ? 'secureConnect' : 'connect'
      sent.on('socket', (socket: Socket) => socket.once(isThere, () => clearTimeout(timer)))
      sent.on('close', () => clearTimeout(timer))
    }
    if (readTimeoutMs !== null) sent.setTimeout(readTimeoutMs, late('read'))
    sent.on('error', failed)
    sent.end(body)
  })
}

/** Without the brackets that an address of IPv6 has in a URL. */
const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[(.*)\]$/, '$1')
