import type { Clock } from './clock.ts'
import { type Connection, type ConnectionSink, type Listener, type Network, NetworkError } from './network.ts'
import type { TlsContext } from './tls.ts'

/** Bytes one delivery hands over at the most, as one read of a socket would. */
const READ_BYTES = 64 * 1024

/** How a {@link MemoryNetwork} is made. */
export interface MemoryNetworkOptions {
  /** Milliseconds until what is written now arrives; asked whenever nothing is under way. Default: the next turn. */
  readonly delayMs?: () => number
}

/**
 * A network inside the process: the deterministic twin of `nodeNetwork`. Everything happens in turns of `clock.soon`,
 * so a seeded clock decides the order. Bytes of a connection arrive in order, in pieces as large as the receiver's
 * target; `pause` really stops delivery, and what was written meanwhile counts as pending. Connections are as slow as they
 * are told to be, each for itself, and may be {@link cut}.
 */
export class MemoryNetwork implements Network {
  readonly #clock: Clock
  readonly #options: MemoryNetworkOptions
  readonly #listeners = new Map<number, (connection: Connection) => void>()
  readonly #open = new Set<MemoryConnection>()
  #nextPort = 40_000

  constructor(clock: Clock, options: MemoryNetworkOptions = {}) {
    this.#clock = clock
    this.#options = options
  }

  /** Cuts connections: both ends find them closed, and what was under way is gone. `isCut` chooses, by the port of who connected. */
  cut(isCut: (clientPort: number) => boolean = () => true): void {
    for (const client of [...this.#open]) if (isCut(client.localPort)) client.cut()
  }

  hostName(): string {
    return 'localhost'
  }

  async listen(host: string, port: number, accept: (connection: Connection) => void): Promise<Listener> {
    const bound = port === 0 ? this.#nextPort++ : port
    if (this.#listeners.has(bound)) throw new NetworkError('EADDRINUSE', `listen on ${host}:${bound}`)
    this.#listeners.set(bound, accept)
    return {
      host,
      port: bound,
      close: async () => {
        this.#listeners.delete(bound)
      },
    }
  }

  async connect(host: string, port: number, _timeoutMs: number, tls?: TlsContext): Promise<Connection> {
    if (tls !== undefined) throw new NetworkError('ENOTSUP', `TLS in a network that is memory, with ${host}:${port}`)
    const accept = this.#listeners.get(port)
    if (!accept) throw new NetworkError('ECONNREFUSED', `connect to ${host}:${port}`)
    const from = this.#nextPort++
    const parts = { clock: this.#clock, delayMs: this.#options.delayMs, closed: () => void this.#open.delete(client) }
    const client: MemoryConnection = new MemoryConnection(parts, from, port)
    const server = new MemoryConnection(parts, port, from)
    this.#open.add(client)
    client.join(server)
    accept(server)
    return client
  }
}

/** What both ends of a connection share. */
interface ConnectionParts {
  readonly clock: Clock
  readonly delayMs: (() => number) | undefined
  readonly closed: () => void
}

/** One end of a {@link MemoryNetwork} connection. */
class MemoryConnection implements Connection {
  readonly remoteAddress = '127.0.0.1'
  readonly localAddress = '127.0.0.1'
  readonly localPort: number
  readonly remotePort: number
  readonly #parts: ConnectionParts
  readonly #incoming: Uint8Array[] = []
  #peer: MemoryConnection | undefined
  #sink: ConnectionSink | undefined
  #isPaused = false
  #isScheduled = false
  #writtenBytes = 0
  #peerEnded = false
  #isClosed = false
  #wasFull = false
  /** Who is told when the peer has read all that was written. */
  #sent: (() => void)[] = []

  constructor(parts: ConnectionParts, localPort: number, remotePort: number) {
    this.#parts = parts
    this.localPort = localPort
    this.remotePort = remotePort
  }

  get pendingBytes(): number {
    return this.#peer?.unreadBytes ?? 0
  }

  get sentBytes(): number {
    return this.#writtenBytes - this.pendingBytes
  }

  get unreadBytes(): number {
    return this.#incoming.reduce((total, chunk) => total + chunk.length, 0)
  }

  join(peer: MemoryConnection): void {
    this.#peer = peer
    peer.#peer = this
  }

  start(sink: ConnectionSink): void {
    this.#sink = sink
    this.#deliverSoon()
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    this.#deliverSoon()
  }

  write(chunks: readonly Uint8Array[], sent?: () => void): void {
    const peer = this.#peer
    if (!peer || this.#isClosed) return
    if (sent) this.#sent.push(sent)
    for (const chunk of chunks) {
      if (chunk.length === 0) continue
      peer.#incoming.push(chunk)
      this.#writtenBytes += chunk.length
    }
    this.#wasFull = true
    peer.#deliverSoon()
  }

  end(): void {
    if (this.#peer) this.#peer.#peerEnded = true
    if (this.#peer) this.#peer.#deliverSoon()
    this.#close()
  }

  destroy(): void {
    this.#incoming.length = 0
    this.end()
  }

  #deliverSoon(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    const { clock, delayMs } = this.#parts
    const deliver = (): void => {
      this.#isScheduled = false
      this.#deliver()
    }
    const delay = delayMs?.() ?? 0
    if (delay > 0) clock.schedule(delay, deliver)
    else clock.soon(deliver)
  }

  #deliver(): void {
    const sink = this.#sink
    while (sink && !this.#isPaused && !this.#isClosed && this.#incoming.length > 0) {
      const chunk = this.#incoming[0]!
      const target = sink.target()
      const length = Math.min(chunk.length, target.length, READ_BYTES)
      target.set(chunk.subarray(0, length))
      if (length === chunk.length) this.#incoming.shift()
      else this.#incoming[0] = chunk.subarray(length)
      sink.received(length)
    }
    if (this.#incoming.length > 0) return
    if (this.#peer) this.#peer.#read()
    if (this.#peerEnded) this.#close()
  }

  /** The peer has read all that was written. */
  #read(): void {
    if (!this.#wasFull || this.#isClosed) return
    this.#wasFull = false
    const sent = this.#sent
    this.#sent = []
    for (const callback of sent) callback()
    this.#sink?.drained()
  }

  /** Ends both ends at once, with nothing more delivered. */
  cut(): void {
    const error = new NetworkError('ECONNRESET', `connection of port ${this.localPort}`)
    for (const end of [this, this.#peer]) {
      if (end === undefined) continue
      end.#incoming.length = 0
      end.#close(error)
    }
  }

  #close(error?: NetworkError): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#parts.closed()
    this.#parts.clock.soon(() => this.#sink?.closed(error))
  }
}
