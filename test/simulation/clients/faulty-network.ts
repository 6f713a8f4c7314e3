import {
  type Connection,
  type ConnectionSink,
  type Network,
  NetworkError,
  type Random,
} from '../../../src/platform/index.ts'
import type { World } from '../one-broker/world.ts'

/** What a connection that hangs no longer brings: anything, or only what comes from the broker. */
export type Silence = 'both ways' | 'answers'

/**
 * The network between clients and the fronts of a world. Connections break, and hang: they stay open and bring nothing. Each client has
 * a {@link view} of it, with which it can be cut off from everybody for ever.
 */
export class FaultyNetwork {
  readonly #world: World
  readonly #isRefused: (port: number) => boolean
  readonly #open = new Set<FaultyConnection>()

  constructor(world: World, isRefused: (port: number) => boolean) {
    this.#world = world
    this.#isRefused = isRefused
  }

  /** Breaks those connections that `isMeant` chooses. */
  cut(isMeant: (port: number) => boolean): void {
    for (const connection of [...this.#open]) if (isMeant(connection.remotePort)) connection.cut()
  }

  /** Lets about one in `of` connections hang. */
  hang(random: Random, of: number, silence: Silence): void {
    for (const connection of this.#open) if (random.below(of) === 0) connection.hang(silence)
  }

  /** What one client sees of it. */
  view(): ClientNetwork {
    const own = new Set<FaultyConnection>()
    let isGone = false
    return {
      hostName: () => 'client',
      listen: () => Promise.reject(new NetworkError('EACCES', 'clients do not listen')),
      connect: async (_host, port) => {
        const { broker } = this.#world
        const isRefused = (): boolean => isGone || broker.isOver || this.#isRefused(port)
        if (isRefused()) throw new NetworkError('ECONNREFUSED', `connect to port ${port}`)
        const below = await broker.network.connect('127.0.0.1', port, 1_000)
        const connection: FaultyConnection = new FaultyConnection(below, () => {
          this.#open.delete(connection)
          own.delete(connection)
        })
        this.#open.add(connection)
        own.add(connection)
        if (isRefused()) connection.cut()
        return connection
      },
      vanish: () => {
        isGone = true
        for (const connection of [...own]) connection.hang('both ways')
      },
    }
  }
}

/** A client's network. */
export interface ClientNetwork extends Network {
  /** The client's machine is gone: nobody hears of it any more. */
  vanish(): void
}

class FaultyConnection implements Connection {
  readonly remoteAddress: string
  readonly remotePort: number
  readonly localAddress: string
  readonly localPort: number
  readonly #below: Connection
  readonly #ended: () => void
  #sink: ConnectionSink | undefined
  #silence: Silence | undefined
  #isClosed = false

  constructor(below: Connection, ended: () => void) {
    this.#below = below
    this.#ended = ended
    this.remoteAddress = below.remoteAddress
    this.remotePort = below.remotePort
    this.localAddress = below.localAddress
    this.localPort = below.localPort
  }

  get pendingBytes(): number {
    return this.#below.pendingBytes
  }

  get sentBytes(): number {
    return this.#below.sentBytes
  }

  hang(silence: Silence): void {
    this.#silence = silence
  }

  cut(): void {
    this.#below.destroy()
    this.#closed(new NetworkError('ECONNRESET', 'read'))
  }

  start(sink: ConnectionSink): void {
    this.#sink = sink
    this.#below.start({
      target: () => sink.target(),
      received: length => {
        if (this.#silence === undefined && !this.#isClosed) sink.received(length)
      },
      drained: () => sink.drained(),
      closed: error => {
        // Of a peer that cannot be heard nobody hears that it has gone.
        if (this.#silence === undefined) this.#closed(error)
      },
    })
  }

  pause(): void {
    this.#below.pause()
  }

  resume(): void {
    this.#below.resume()
  }

  write(chunks: readonly Uint8Array[], sent?: () => void): void {
    if (this.#silence !== 'both ways') this.#below.write(chunks, sent)
  }

  end(): void {
    this.#ended()
    this.#below.end()
  }

  destroy(): void {
    this.#ended()
    this.#below.destroy()
  }

  #closed(error?: NetworkError): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#ended()
    this.#sink?.closed(error)
  }
}
