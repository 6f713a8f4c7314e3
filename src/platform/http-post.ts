import { NetworkError } from './network.ts'

/** Where a form goes, and what of the answer is taken. */
export interface HttpPost {
  /** `http:` or `https:`; redirects are not followed. */
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly form: URLSearchParams
  /** For the whole exchange. */
  readonly timeoutMs: number
  readonly maxResponseBytes: number
}

/** Posts a form. @throws NetworkError when there is no whole answer in time, or it is larger than allowed */
export async function httpPost({ url, headers, form, timeoutMs, maxResponseBytes }: HttpPost) {
  const { request } = url.protocol === 'https:' ? await import('node:https') : await import('node:http')
  const body = Buffer.from(form.toString())
  const options = {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'content-length': body.length, ...headers },
    signal: AbortSignal.timeout(timeoutMs),
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
    sent.on('error', failed)
    sent.end(body)
  })
}
