/** A server whose requests are texts, and its peers. */
import { type Connection, type Network, silentLogger, systemClock } from '../platform/index.ts'
import type { Reply, RequestProcessor, ServerConnection } from './server-connection.ts'
import { SocketServer, type SocketServerOptions } from './socket-server.ts'

/** A frame as it goes over the wire. */
export function framed(text: string): Buffer {
  const body = Buffer.from(text)
  const prefix = Buffer.alloc(4)
  prefix.writeInt32BE(body.length)
  return Buffer.concat([prefix, body])
}

/** A peer that collects the frames it is sent. */
export class Peer {
  readonly connection: Connection
  readonly frames: string[] = []
  isClosed = false
  #bytes: Buffer = Buffer.alloc(0)
  #changed: (() => void) | undefined

  constructor(connection: Connection) {
    this.connection = connection
    const target = Buffer.alloc(1 << 16)
    connection.start({
      target: () => target,
      received: length => {
        this.#bytes = Buffer.concat([this.#bytes, target.subarray(0, length)])
        while (this.#bytes.length >= 4 && this.#bytes.length >= 4 + this.#bytes.readInt32BE()) {
          const end = 4 + this.#bytes.readInt32BE()
          this.frames.push(this.#bytes.subarray(4, end).toString())
          this.#bytes = this.#bytes.subarray(end)
        }
        this.#changed?.()
      },
      drained() {},
      closed: () => {
        this.isClosed = true
        this.#changed?.()
      },
    })
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>(resolve => {
        this.#changed = resolve
      })
    }
  }
}

/** Requests are texts; each test decides how they are answered. */
export class Texts implements RequestProcessor {
  readonly started: string[] = []
  readonly frames: Uint8Array[] = []
  answer: (text: string, connection: ServerConnection) => Reply | Promise<Reply> = text => [framed(`re:${text}`)]
  gone: ServerConnection | undefined

  process(frame: Uint8Array, connection: ServerConnection): Reply | Promise<Reply> {
    const text = Buffer.from(frame).toString()
    this.frames.push(frame)
    this.started.push(text.slice(0, 20))
    return this.answer(text, connection)
  }

  mayOverlap(frame: Uint8Array): boolean {
    return frame[0] === 'p'.charCodeAt(0)
  }

  mayRecycle(): boolean {
    return false
  }

  disconnected(connection: ServerConnection): void {
    this.gone = connection
  }
}

/** Has a peer read so many bytes more and then no further; resolves to all that it has read. */
export function readerInParts(connection: Connection): (bytes: number) => Promise<number> {
  const target = Buffer.alloc(1 << 16)
  let readBytes = 0
  let goalBytes = 0
  let reached: () => void = () => {}
  connection.pause()
  connection.start({
    target: () => target,
    received: length => {
      readBytes += length
      if (readBytes < goalBytes) return
      connection.pause()
      reached()
    },
    drained() {},
    closed() {},
  })
  return bytes => {
    goalBytes += bytes
    return new Promise(resolve => {
      reached = () => resolve(readBytes)
      connection.resume()
    })
  }
}

/** A server of these requests on a free port, with limits that nobody reaches. */
export async function serve(
  options: Partial<SocketServerOptions> & { readonly network: Network; readonly processor: RequestProcessor },
): Promise<{ readonly server: SocketServer; readonly port: number }> {
  const server = new SocketServer({
    clock: systemClock,
    logger: silentLogger,
    addresses: [{ name: 'PLAINTEXT', host: '127.0.0.1', port: 0 }],
    maxFrameBytes: 4 << 20,
    maxQueuedBytes: 64 << 20,
    maxUnsentBytes: 64 << 20,
    maxIdleMs: 600_000,
    maxConnections: () => 10,
    maxConnectionsOf: () => 10,
    maxConnectionsOfListener: () => Number.POSITIVE_INFINITY,
    creationRateOf: () => ({ perSecond: 2 ** 31 - 1, windowMs: 10_000 }),
    creationRateOfIp: () => ({ perSecond: 2 ** 31 - 1, windowMs: 10_000 }),
    interBrokerListener: 'PLAINTEXT',
    ...options,
  })
  const [listener] = await server.bind()
  server.enable()
  return { server, port: listener!.port }
}
