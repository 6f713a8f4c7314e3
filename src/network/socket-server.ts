import {
  type Clock,
  type Connection,
  type Listener,
  type Logger,
  type Network,
  NetworkError,
  type Timer,
} from '../platform/index.ts'
import { type ConnectionLimitOptions, ConnectionLimits } from './connection-limits.ts'
import { ConnectionRate, type RateLimit } from './connection-rate.ts'
import { FairTurns } from './fair-turns.ts'
import { FrameBudget } from './frame-budget.ts'
import { ReplyMemory } from './reply-memory.ts'
import { type RequestProcessor, ServerConnection } from './server-connection.ts'

/** An address to listen on. */
export interface ListenerAddress {
  /** The listener's name, unique among them. */
  readonly name: string
  readonly host: string
  /** 0 picks a free port. */
  readonly port: number
}

export interface SocketServerOptions extends ConnectionLimitOptions {
  readonly network: Network
  readonly clock: Clock
  readonly logger: Logger
  readonly processor: RequestProcessor
  readonly addresses: readonly ListenerAddress[]
  /** `socket.request.max.bytes` */
  readonly maxFrameBytes: number
  /** Memory for requests of all connections together, in bytes. */
  readonly maxQueuedBytes: number
  /**
   * Memory for replies that their peers have not read, in bytes, above which {@link SocketServer.replyRoomBytes} is 0. At twice
   * of it peers that read nothing are disconnected.
   */
  readonly maxUnsentBytes: number
  /** `connections.max.idle.ms`; 0 or less means never. */
  readonly maxIdleMs: number
  /** `max.connection.creation.rate` of one listener, or of the broker where none is named (KIP-612). */
  readonly creationRateOf: (listener: string | undefined) => RateLimit
  /** `connection_creation_rate` of an address, which is kept for each by itself (KIP-612). */
  readonly creationRateOfIp: (ip: string) => RateLimit
  /**
   * The listener of other brokers: where it is not the only one, the rate of the broker does not hold for it, and its
   * connections take the places of others where there are too many (KIP-402).
   */
  readonly interBrokerListener: string
}

/** How often connections are looked at for idleness and stalling. */
const SWEEP_MS = 5_000
/**
 * A peer in the middle of a frame must move at least {@link MIN_PROGRESS_BYTES} in this time; one with replies to read too,
 * where memory for replies is scarce.
 */
const STALL_MS = 30_000
const MIN_PROGRESS_BYTES = 1024
/** Where memory for replies is scarce, such a part of what is held for a peer is what it must move: it has read all in minutes. */
const MIN_READ_PART = 1 / 8

/** The longest that a connection is held before it is refused: Kafka's `quota.window.size.seconds` by default. */
const LONGEST_HOLD_MS = 1_000

/** Connections that may wait for their turn under `max.connection.creation.rate`: what a backlog would hold. */
const MAX_THROTTLED = 1_024

/** What the sweep remembers of a connection. */
interface Watch {
  lastActiveMs: number
  lastProgress: number
  /** The two directions apart: who sends on and on may leave its answers unread all the same. */
  readonly receiving: StallWatch
  readonly sending: StallWatch
}

/** How far a direction had come when it was last seen to move. */
interface StallWatch {
  baseline: number
  sinceMs: number | undefined
}

/**
 * Accepts connections on all listeners and keeps them within limits (Kafka's SocketServer): how many, how many of one
 * address, how fast new ones come, how long idle, how long stalled.
 */
export class SocketServer {
  readonly #options: SocketServerOptions
  readonly #budget: FrameBudget
  readonly #replies: ReplyMemory
  readonly #turns: FairTurns
  readonly #connections = new Map<ServerConnection, Watch>()
  readonly #limits: ConnectionLimits
  #listeners: readonly (Listener & { readonly name: string })[] = []
  readonly #brokerRate = new ConnectionRate()
  readonly #listenerRates = new Map<string, ConnectionRate>()
  readonly #ipRates = new Map<string, ConnectionRate>()
  readonly #throttled = new Set<ServerConnection>()
  /** Connections that are refused, but not yet. */
  readonly #held = new Set<Connection>()
  #isEnabled = false
  #isClosed = false
  #nextSweep: Timer | undefined

  constructor(options: SocketServerOptions) {
    this.#options = options
    this.#budget = new FrameBudget(options.maxQueuedBytes)
    this.#replies = new ReplyMemory(options.maxUnsentBytes)
    this.#turns = new FairTurns(options.clock)
    this.#limits = new ConnectionLimits(options)
  }

  /** Bytes of requests that are being read or worked on. */
  get queuedBytes(): number {
    return this.#budget.usedBytes
  }

  /** How large a reply may be, for all together not to hold more than they should; whoever answers may heed it. */
  get replyRoomBytes(): number {
    return this.#replies.roomBytes
  }

  get connectionCount(): number {
    return this.#connections.size
  }

  /**
   * Binds every listener and returns them with their real ports. Who connects waits, unread, until {@link enable}.
   * @throws NetworkError when an address cannot be bound; none stays bound then.
   */
  async bind(): Promise<readonly { readonly name: string; readonly host: string; readonly port: number }[]> {
    const bound: (Listener & { readonly name: string })[] = []
    for (const { name, host, port } of this.#options.addresses) {
      try {
        const listener = await this.#options.network.listen(host, port, connection => this.#accepted(connection, name))
        bound.push({ name, host: listener.host, port: listener.port, close: () => listener.close() })
      } catch (error) {
        await Promise.all(bound.map(listener => listener.close()))
        throw error
      }
    }
    this.#listeners = bound
    this.#sweepLater()
    return bound
  }

  /** Begins to read requests, also of those who came before. */
  enable(): void {
    this.#isEnabled = true
    for (const connection of this.#connections.keys()) if (!this.#throttled.has(connection)) connection.start()
  }

  /** Closes every connection; new ones are welcome. */
  disconnectAll(): void {
    for (const connection of this.#connections.keys()) connection.close()
    for (const connection of this.#held) connection.destroy()
    this.#held.clear()
  }

  /** Stops accepting and closes every connection. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#nextSweep?.cancel()
    await Promise.all(this.#listeners.map(listener => listener.close()))
    this.disconnectAll()
  }

  #accepted(connection: Connection, listenerName: string): void {
    const { logger, clock, processor, maxFrameBytes } = this.#options
    const ip = connection.remoteAddress
    const limit = this.#isClosed ? undefined : this.#limitReached(listenerName, ip)
    if (limit !== undefined)
      logger.info({ listener: listenerName }, `Rejected connection from /${ip}: ${limit} reached`)
    if (this.#isClosed || limit !== undefined) {
      connection.destroy()
      return
    }
    const nowMs = clock.monotonicMs()
    const ipWaitMs = this.#ipWaitMs(ip, nowMs)
    if (ipWaitMs > 0) {
      logger.debug({ listener: listenerName }, `Delaying closing of connection from /${ip} for ${ipWaitMs} ms`)
      this.#refuseLater(connection, ipWaitMs)
      return
    }
    const rates = this.#ratesOf(listenerName)
    const waitMs = Math.max(...rates.map(({ rate, limit }) => rate.waitMs(nowMs, limit)))
    if (waitMs > 0 && this.#waiting >= MAX_THROTTLED) {
      logger.info({ listener: listenerName }, `Rejected connection from /${ip}: max.connection.creation.rate reached`)
      connection.destroy()
      return
    }
    for (const { rate, limit } of rates) rate.letIn(nowMs, limit)
    this.#letInIp(ip, nowMs)
    this.#limits.entered(listenerName, ip)
    const accepted = new ServerConnection({
      connection,
      listenerName,
      processor,
      budget: this.#budget,
      replies: this.#replies,
      turns: this.#turns,
      maxFrameBytes,
      onClosed: (closed, error) => this.#closed(closed, error),
    })
    this.#connections.set(accepted, {
      lastActiveMs: nowMs,
      lastProgress: 0,
      receiving: { baseline: 0, sinceMs: undefined },
      sending: { baseline: 0, sinceMs: undefined },
    })
    if (waitMs > 0) this.#startLater(accepted, waitMs)
    else if (this.#isEnabled) accepted.start()
  }

  /** The limit that keeps a new connection out. */
  #limitReached(listener: string, ip: string): string | undefined {
    const own = this.#limits.ownLimit(listener, ip)
    if (own !== undefined) return own
    if (this.#limits.commonLimit() !== undefined && this.#isProtected(listener)) this.#closeIdlest(listener)
    return this.#limits.commonLimit()
  }

  /** Other brokers come in by this listener, and clients by others. */
  #isProtected(listener: string): boolean {
    return listener === this.#options.interBrokerListener && this.#options.addresses.length > 1
  }

  /** Closes the connection of another listener that has been idle for longest. */
  #closeIdlest(protectedListener: string): void {
    let [idlest, sinceMs]: [ServerConnection | undefined, number] = [undefined, Number.POSITIVE_INFINITY]
    for (const [connection, { lastActiveMs }] of this.#connections) {
      if (connection.listenerName === protectedListener || lastActiveMs >= sinceMs) continue
      idlest = connection
      sinceMs = lastActiveMs
    }
    if (idlest === undefined) return
    // Its place is free at once, although the system takes a moment to close it.
    this.#closed(idlest, new Error('max.connections reached, and another broker needs the place'))
    idlest.close()
  }

  /** How long an address would have to wait for a new connection. */
  #ipWaitMs(ip: string, nowMs: number): number {
    return this.#ipRates.get(ip)?.waitMs(nowMs, this.#options.creationRateOfIp(ip)) ?? 0
  }

  #letInIp(ip: string, nowMs: number): void {
    const rate = this.#ipRates.get(ip) ?? new ConnectionRate()
    rate.letIn(nowMs, this.#options.creationRateOfIp(ip))
    // Nothing is remembered of addresses without a limit.
    if (!rate.isSettled(nowMs)) this.#ipRates.set(ip, rate)
  }

  get #waiting(): number {
    return this.#throttled.size + this.#held.size
  }

  /**
   * Closes a connection of an address that makes too many, but not before another would be let in: so a client that comes
   * again at once does not come more often (Kafka's `ConnectionThrottledException`). It is not read, and counts for nothing.
   */
  #refuseLater(connection: Connection, waitMs: number): void {
    if (this.#waiting >= MAX_THROTTLED) {
      connection.destroy()
      return
    }
    this.#held.add(connection)
    this.#options.clock.schedule(Math.min(waitMs, LONGEST_HOLD_MS), () => {
      if (this.#held.delete(connection)) connection.destroy()
    })
  }

  /** The rates that hold for a new connection of a listener: the listener's own, and the broker's. */
  #ratesOf(listener: string): readonly { readonly rate: ConnectionRate; readonly limit: RateLimit }[] {
    const { creationRateOf } = this.#options
    const rate = this.#listenerRates.get(listener) ?? new ConnectionRate()
    this.#listenerRates.set(listener, rate)
    const own = { rate, limit: creationRateOf(listener) }
    if (this.#isProtected(listener)) return [own]
    return [own, { rate: this.#brokerRate, limit: creationRateOf(undefined) }]
  }

  /** Leaves a connection unread for a while: to its peer this is a backlog that moves slowly, as in Kafka. */
  #startLater(connection: ServerConnection, waitMs: number): void {
    this.#throttled.add(connection)
    this.#options.clock.schedule(waitMs, () => {
      this.#throttled.delete(connection)
      if (this.#isEnabled) connection.start()
    })
  }

  #closed(connection: ServerConnection, error: Error | undefined): void {
    if (!this.#connections.delete(connection)) return
    const { listenerName, remoteAddress: ip } = connection
    this.#limits.left(listenerName, ip)
    const { logger } = this.#options
    const peer = `/${ip}:${connection.remotePort}`
    if (error instanceof NetworkError) logger.debug({ err: error }, `Connection with ${peer} disconnected`)
    else if (error)
      logger.warn({ listener: connection.listenerName }, `Closed connection with ${peer}: ${error.message}`)
  }

  #sweepLater(): void {
    this.#nextSweep = this.#options.clock.schedule(SWEEP_MS, () => {
      this.#sweep(this.#options.clock.monotonicMs())
      this.#sweepLater()
    })
  }

  #sweep(nowMs: number): void {
    const { maxIdleMs, logger } = this.#options
    for (const [ip, rate] of this.#ipRates) if (rate.isSettled(nowMs)) this.#ipRates.delete(ip)
    for (const [connection, watch] of this.#connections) {
      if (this.#throttled.has(connection)) continue
      const progress = connection.receivedBytes + connection.answered
      const isServed = connection.isBusy && !connection.owesReading
      if (progress !== watch.lastProgress || isServed) watch.lastActiveMs = nowMs
      watch.lastProgress = progress
      if (connection.isEnding && !connection.isStalled) {
        connection.close()
      } else if (this.#hasStalled(connection, watch, nowMs)) {
        connection.close(new Error(`no progress for ${STALL_MS} ms in the middle of a request or a response`))
      } else if (maxIdleMs > 0 && nowMs - watch.lastActiveMs > maxIdleMs) {
        logger.debug({}, `Closing idle connection with /${connection.remoteAddress}:${connection.remotePort}`)
        connection.close()
      }
    }
  }

  /**
   * Whether one of the directions has stalled; both are looked at, so that each knows how far it has come. Who does not read
   * may be at work on what it has read, for minutes, and is idle meanwhile; where it keeps memory from others it goes.
   */
  #hasStalled(connection: ServerConnection, { receiving, sending }: Watch, nowMs: number): boolean {
    const { owesRequest, receivedBytes, owesReading, answered, unreadBytes } = connection
    const hasPaused = standsStill(receiving, { isOwed: owesRequest, progress: receivedBytes, nowMs })
    const leastBytes = Math.max(MIN_PROGRESS_BYTES, unreadBytes * MIN_READ_PART)
    const isDeaf = standsStill(sending, { isOwed: owesReading, progress: answered, leastBytes, nowMs })
    return hasPaused || (isDeaf && this.#replies.isExhausted)
  }
}

/** Whether the peer has owed bytes for {@link STALL_MS} and moved next to none of them. */
function standsStill(
  watch: StallWatch,
  owed: {
    readonly isOwed: boolean
    readonly progress: number
    readonly leastBytes?: number
    readonly nowMs: number
  },
): boolean {
  const { isOwed, progress, leastBytes = MIN_PROGRESS_BYTES, nowMs } = owed
  if (!isOwed || watch.sinceMs === undefined || progress - watch.baseline >= leastBytes) {
    watch.sinceMs = isOwed ? nowMs : undefined
    watch.baseline = progress
    return false
  }
  return nowMs - watch.sinceMs >= STALL_MS
}
