import { createConnection, createServer, type Server, Socket, type SocketConstructorOpts } from 'node:net'
import { hostname } from 'node:os'
import { type Connection, type ConnectionSink, type Listener, type Network, NetworkError } from './network.ts'
import { type TlsContext, TlsError } from './tls.ts'

/** The machine's TCP, and TLS over it. */
export const nodeNetwork: Network = { listen, connect, hostName: hostname }

/** The same for a server beside a program: neither its listeners nor what they accept keeps the process alive. */
export const backgroundNetwork: Network = { ...nodeNetwork, listen: listenInBackground }

async function listen(host: string, port: number, accept: (connection: Connection) => void): Promise<Listener> {
  return listenWith(newServer(accept), host, port)
}

async function listenInBackground(
  host: string,
  port: number,
  accept: (connection: Connection) => void,
): Promise<Listener> {
  const server = newServer(accept)
  server.on('connection', socket => socket.unref())
  const listener = await listenWith(server, host, port)
  server.unref()
  return listener
}

/** Accepted sockets stay paused until the receiver calls `start`, so nothing is read before it can be delivered. */
function newServer(accept: (connection: Connection) => void): Server {
  return createServer({ pauseOnConnect: true, noDelay: true }, socket => accept(new NodeConnection(socket)))
}

async function listenWith(server: Server, host: string, port: number): Promise<Listener> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', error => reject(networkError(error, `listen on ${host}:${port}`)))
    server.listen({ host, port, backlog: 1024 }, resolve)
  })
  // Later errors are failures to accept (out of descriptors): the listener goes on when there are some again.
  server.on('error', () => {})
  const address = server.address()
  const bound = address !== null && typeof address === 'object' ? address.port : port
  return { host, port: bound, close: () => closeServer(server) }
}

function closeServer(server: Server): Promise<void> {
  return new Promise(resolve => {
    server.close(() => resolve())
    // `close` waits for open connections; the listening socket itself is gone at once.
    resolve()
  })
}

async function connect(host: string, port: number, timeoutMs: number, tls?: TlsContext): Promise<Connection> {
  const socket = tls === undefined ? createConnection({ host, port, noDelay: true }) : tls.connect(host, port)
  socket.pause()
  await new Promise<void>((resolve, reject) => {
    let what = `connect to ${host}:${port}`
    const fail = (error: Error): void => {
      clearTimeout(deadline)
      socket.destroy()
      reject(networkError(error, what))
    }
    const deadline = setTimeout(() => fail(Object.assign(new Error(what), { code: 'ETIMEDOUT' })), timeoutMs)
    socket.once('error', fail)
    if (tls !== undefined) {
      socket.once('connect', () => {
        what = `TLS handshake with ${host}:${port}`
      })
    }
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      clearTimeout(deadline)
      socket.off('error', fail)
      resolve()
    })
  })
  return new NodeConnection(socket)
}

function networkError(error: Error, what: string): NetworkError {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'EIO'
  return TlsError.isCode(code) ? new TlsError(code, what, error) : new NetworkError(code, what, error)
}

/** What Node keeps of a socket below its streams; other runtimes have no `writeQueueSize`. */
interface WritingHandle {
  /** Bytes that were given to the system or wait for it. */
  readonly bytesWritten: number
  /** Those of them that wait. */
  readonly writeQueueSize?: number
}

/** A socket that reads into memory its receiver names. */
class NodeConnection implements Connection {
  readonly remoteAddress: string
  readonly remotePort: number
  readonly localAddress: string
  readonly localPort: number
  #socket: Socket
  #isPaused = false

  constructor(socket: Socket) {
    this.#socket = socket
    this.remoteAddress = withoutMapping(socket.remoteAddress ?? '')
    this.remotePort = socket.remotePort ?? 0
    this.localAddress = withoutMapping(socket.localAddress ?? '')
    this.localPort = socket.localPort ?? 0
    // A peer that resets the connection before `start` is no reason to end the process.
    socket.on('error', () => {})
  }

  get pendingBytes(): number {
    return this.#socket.writableLength
  }

  /** The socket counts a write as pending until all of it has left; how much of it has, its handle knows. */
  get sentBytes(): number {
    const socket = this.#socket
    const handle = (socket as unknown as { readonly _handle: WritingHandle | null })._handle
    if (handle?.writeQueueSize === undefined) return socket.bytesWritten - socket.writableLength
    return handle.bytesWritten - handle.writeQueueSize
  }

  start(sink: ConnectionSink): void {
    if (this.#socket.destroyed) {
      process.nextTick(() => sink.closed())
      return
    }
    const reading = this.#readInto(sink)
    let failure: Error | undefined
    const socket = this.#socket
    socket.on('error', error => {
      failure = error
    })
    socket.on('drain', () => sink.drained())
    socket.on('close', () => {
      if (failure) sink.closed(networkError(failure, `connection with ${this.remoteAddress}:${this.remotePort}`))
      else sink.closed()
    })
    if (!reading) socket.on('data', chunk => deliver(chunk, sink))
    socket.resume()
  }

  /**
   * Rebuilds the socket around its handle with `onread`, which the server API does not offer: measured, reading large
   * frames into their own buffers takes 0.20 CPU seconds per GB instead of 0.37. Returns false where the runtime has
   * no such handle (not Node), and for TLS, whose handle cannot be taken away from its socket; chunks are then copied.
   */
  #readInto(sink: ConnectionSink): boolean {
    if ('encrypted' in this.#socket) return false
    const detachable = this.#socket as unknown as { _handle: unknown }
    const handle = detachable._handle
    if (!handle || typeof handle !== 'object' || !('useUserBuffer' in handle)) return false
    detachable._handle = null
    const onread = {
      buffer: (): Uint8Array => sink.target(),
      callback: (length: number): boolean => {
        sink.received(length)
        return true
      },
    }
    const options = { handle, manualStart: true, readable: true, writable: true, onread }
    this.#socket = new Socket(options as SocketConstructorOpts)
    return true
  }

  pause(): void {
    this.#isPaused = true
    this.#socket.pause()
    // A `resume` of the same turn takes effect only after it, and would go unnoticed over this.
    process.nextTick(() => {
      if (this.#isPaused) this.#socket.pause()
    })
  }

  resume(): void {
    this.#isPaused = false
    this.#socket.resume()
  }

  write(chunks: readonly Uint8Array[], sent?: () => void): void {
    const socket = this.#socket
    const done = sent && ((error?: Error | null) => error || sent())
    const last = chunks.length - 1
    if (last > 0) socket.cork()
    for (let index = 0; index < last; index++) socket.write(chunks[index]!)
    if (last >= 0) socket.write(chunks[last]!, done)
    if (last > 0) socket.uncork()
  }

  end(): void {
    this.#socket.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }
}

/** Copies a chunk to where the sink wants it, piece by piece. */
function deliver(chunk: Uint8Array, sink: ConnectionSink): void {
  let position = 0
  while (position < chunk.length) {
    const target = sink.target()
    const length = Math.min(target.length, chunk.length - position)
    target.set(chunk.subarray(position, position + length))
    position += length
    sink.received(length)
  }
}

/** `::ffff:127.0.0.1` as `127.0.0.1`. */
function withoutMapping(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address
}
