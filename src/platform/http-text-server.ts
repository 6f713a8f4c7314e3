/** An HTTP server that answers GET with text. */
export interface HttpTextServer {
  readonly port: number
  close(): void
}

/** What a path is answered with; undefined is 404. */
export type HttpText = { readonly contentType: string; readonly body: string } | undefined

/** Serves text on `host:port` (0 picks a free port). Connections that send no whole request within 10 s are closed. */
export async function serveHttpText(
  host: string,
  port: number,
  answer: (path: string) => Promise<HttpText>,
): Promise<HttpTextServer> {
  // Loaded when it is used: in new versions of Node it takes 6 MiB, which a client has no use for.
  const { createServer } = await import('node:http')
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000 }, (request, response) => {
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/'
    const text = request.method === 'GET' ? answer(path) : Promise.resolve(undefined)
    text.then(
      found => {
        response.writeHead(found ? 200 : 404, { 'content-type': found?.contentType ?? 'text/plain' })
        response.end(found?.body ?? 'not found\n')
      },
      () => {
        response.writeHead(500)
        response.end()
      },
    )
  })
  server.maxConnections = 16
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  server.unref()
  const address = server.address()
  const bound = address !== null && typeof address === 'object' ? address.port : port
  return {
    port: bound,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
