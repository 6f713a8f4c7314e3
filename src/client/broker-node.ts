import type { Api } from '../network/index.ts'
import { ClientConnection } from '../network/index.ts'
import {
  type Clock,
  type Logger,
  type Network,
  NetworkError,
  type Random,
  type Timer,
  TlsError,
} from '../platform/index.ts'
import { type Fields, KafkaError, type MessageInput, type MessageOf, type Schema } from '../protocol/index.ts'
import { type ClientSecurity, tlsFailure } from '../security/index.ts'
import { Backoff } from './backoff.ts'
import type { Patient } from './deadline.ts'
import {
  type ClientConnectionEvent,
  type ClientRequestEvent,
  connectionChannel,
  requestChannel,
} from './request-events.ts'
import { SaslSession } from './sasl-session.ts'
import { askServedApis, commonVersion, type Features, type ServedApis } from './served-apis.ts'

/** A batch may be as large as `message.max.bytes` of the broker says, and a fetch holds several. */
const MAX_RESPONSE_BYTES = 2 ** 31 - 1
/** The first answer lists versions of APIs: a hundredth of this. The beginning of another protocol's text, read as a size, is far above. */
const MAX_GREETING_BYTES = 1024 * 1024

/** What all connections of a client have in common. */
export interface NodeSettings {
  readonly clientId: string
  readonly network: Network
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly requestTimeoutMs: number
  readonly connectTimeoutMs: number
  readonly reconnectBackoffMs: number
  readonly reconnectBackoffMaxMs: number
  readonly maxIdleMs: number
  readonly security: ClientSecurity
}

/** Where a broker listens. */
export interface Endpoint {
  readonly host: string
  readonly port: number
}

export interface RequestOptions {
  /** Time for the answer; `request.timeout.ms` when left out. */
  readonly timeoutMs?: number
  /** The broker will not answer: Produce with `acks=0`. */
  readonly isOneWay?: boolean
  /** The newest version that the caller can fill in; the newest that there is when left out. */
  readonly maxVersion?: number
  /** Whose request it is: where a connection has to be made or authenticated anew first, it is sent only if they still wait by then. */
  readonly patience?: Patient
}

/** The body of a request, or how to make it for the version that the broker and we have in common. */
export type RequestBody<Q extends Fields> = MessageInput<Schema<Q>> | ((version: number) => MessageInput<Schema<Q>>)

interface Link {
  readonly connection: ClientConnection
  readonly served: ServedApis
  readonly features: Features
  /** Undefined where nobody asks who we are. */
  readonly session: SaslSession | undefined
}

/**
 * One connection to one broker, made when it is first needed and again after it broke. While a broker cannot be reached, tries
 * are apart by a growing delay, and requests in between fail at once.
 */
export class BrokerNode {
  readonly endpoint: Endpoint
  readonly #settings: NodeSettings
  readonly #backoff: Backoff
  #link: Link | undefined
  #linking: Promise<Link> | undefined
  #failures = 0
  #lastFailure: Error | undefined
  #retryAtMs = Number.NEGATIVE_INFINITY
  #isClosed = false
  #idle: Timer | undefined

  constructor(endpoint: Endpoint, settings: NodeSettings) {
    this.endpoint = endpoint
    this.#settings = settings
    this.#backoff = new Backoff(settings.reconnectBackoffMs, settings.reconnectBackoffMaxMs, settings.random)
  }

  get isConnected(): boolean {
    return this.#link !== undefined
  }

  /** What the broker knew to be agreed on when it was connected to; undefined while it is not. */
  get features(): Features | undefined {
    return this.#link?.features
  }

  /** Requests without an answer yet. */
  get inFlight(): number {
    return this.#link?.connection.inFlight ?? 0
  }

  /**
   * Sends a request in the highest version that both sides know.
   *
   * @throws KafkaError NETWORK_EXCEPTION when the broker cannot be reached or the connection broke, REQUEST_TIMED_OUT,
   * UNSUPPORTED_VERSION when both sides have no version in common, SSL_AUTHENTICATION_FAILED, SASL_AUTHENTICATION_FAILED
   */
  request<Q extends Fields, S extends Fields>(
    api: Api<Q, S>,
    body: RequestBody<Q>,
    options: RequestOptions = {},
  ): Promise<MessageOf<Schema<S>>> {
    const link = this.#link
    if (link === undefined) {
      return this.#connected().then(made => {
        options.patience?.throwIfOver(api.request.name)
        return this.#sendFirst(made, api, body, options)
      })
    }
    const renewal = link.session?.renewal()
    if (renewal === undefined) return this.#send(link, api, body, options)
    return renewal.then(() => {
      options.patience?.throwIfOver(api.request.name)
      return this.#send(link, api, body, options)
    })
  }

  /** Ends the connection; it is not made again. */
  close(): void {
    this.#isClosed = true
    this.#link?.connection.close()
  }

  /** A broker that hangs up on a client's first request mostly wanted to know who it is. */
  async #sendFirst<Q extends Fields, S extends Fields>(
    link: Link,
    api: Api<Q, S>,
    body: RequestBody<Q>,
    options: RequestOptions,
  ): Promise<MessageOf<Schema<S>>> {
    try {
      return await this.#send(link, api, body, options)
    } catch (error) {
      const isDoubtful = error instanceof KafkaError && error.code === 'NETWORK_EXCEPTION' && error.cause === undefined
      if (!isDoubtful || this.#settings.security.sasl !== undefined || this.#isClosed) throw error
      const message = `${error.message}; does this listener want SASL? (security.protocol)`
      throw new KafkaError(error.code, message, { cause: error })
    }
  }

  #send<Q extends Fields, S extends Fields>(
    { connection, served }: Link,
    api: Api<Q, S>,
    body: RequestBody<Q>,
    { timeoutMs = this.#settings.requestTimeoutMs, isOneWay = false, maxVersion }: RequestOptions,
  ): Promise<MessageOf<Schema<S>>> {
    let version: number
    try {
      version = commonVersion(api.request, served, maxVersion)
    } catch (error) {
      return Promise.reject(error)
    }
    const input = typeof body === 'function' ? body(version) : body
    const answer = connection.send(api, input, { version, timeoutMs, isOneWay })
    if (requestChannel.hasSubscribers) this.#tell(answer, api.request.name, version)
    return answer
  }

  /** Publishes what became of a request; whoever waits for the answer hears of it as ever. */
  #tell(answer: Promise<unknown>, api: string, version: number): void {
    const { clock, clientId } = this.#settings
    const sentMs = clock.monotonicMs()
    const publish = (error: Error | undefined): void => {
      const durationMs = clock.monotonicMs() - sentMs
      const { host, port } = this.endpoint
      const event: ClientRequestEvent = { clientId, host, port, api, version, durationMs, error }
      requestChannel.publish(event)
    }
    answer.then(() => publish(undefined), publish)
  }

  #connected(): Promise<Link> {
    if (this.#link) return Promise.resolve(this.#link)
    const { clock } = this.#settings
    if (this.#isClosed) return Promise.reject(new KafkaError('NETWORK_EXCEPTION', 'the client is closed'))
    if (this.#linking) return this.#linking
    if (clock.monotonicMs() < this.#retryAtMs) return Promise.reject(this.#notAgain())
    const sinceMs = clock.monotonicMs()
    this.#linking = this.#makeLink()
      .then(link => {
        this.#tellOfConnection(sinceMs, undefined)
        return link
      })
      .catch((error: unknown) => {
        const failure = this.#asKafkaError(error)
        this.#tellOfConnection(sinceMs, failure)
        this.#failures += 1
        this.#lastFailure = failure
        this.#retryAtMs = clock.monotonicMs() + this.#backoff.delayMs(this.#failures)
        throw failure
      })
      .finally(() => {
        this.#linking = undefined
      })
    return this.#linking
  }

  #tellOfConnection(sinceMs: number, error: Error | undefined): void {
    if (!connectionChannel.hasSubscribers) return
    const { clock, clientId } = this.#settings
    const { host, port } = this.endpoint
    const event: ClientConnectionEvent = { clientId, host, port, durationMs: clock.monotonicMs() - sinceMs, error }
    connectionChannel.publish(event)
  }

  /** Why nothing is tried now. Who was refused is refused, however soon he comes again. */
  #notAgain(): Error {
    const { host, port } = this.endpoint
    const last = this.#lastFailure
    if (last instanceof KafkaError && !last.retriable) return last
    return new KafkaError('NETWORK_EXCEPTION', `${host}:${port} could not be reached a moment ago: ${last?.message}`)
  }

  #asKafkaError(error: unknown): Error {
    const cause = error instanceof KafkaError ? error.cause : error
    if (cause instanceof TlsError) return tlsFailure(this.endpoint.host, this.endpoint.port, cause)
    if (error instanceof NetworkError) {
      // A listener in plain text takes the beginning of TLS for nonsense, and hangs up.
      const isDoubtful = this.#settings.security.tls !== undefined && error.code === 'ECONNRESET'
      const doubt = isDoubtful ? '; does this listener want TLS? (security.protocol)' : ''
      return new KafkaError('NETWORK_EXCEPTION', `${error.message}${doubt}`, { cause: error })
    }
    return KafkaError.from(error)
  }

  async #makeLink(): Promise<Link> {
    const { network, clock, clientId, connectTimeoutMs, logger, requestTimeoutMs, security } = this.#settings
    const { host, port } = this.endpoint
    const socket = await network.connect(host, port, connectTimeoutMs, security.tls)
    const connection: ClientConnection = new ClientConnection({
      connection: socket,
      clock,
      clientId,
      address: `${host}:${port}`,
      maxResponseBytes: MAX_RESPONSE_BYTES,
      maxFirstResponseBytes: MAX_GREETING_BYTES,
      onClosed: error => {
        if (this.#link?.connection !== connection) return
        this.#link = undefined
        this.#idle?.cancel()
        logger.debug({ err: error, broker: `${host}:${port}` }, 'disconnected')
      },
    })
    try {
      const { served, features } = await this.#greet(connection, requestTimeoutMs)
      const session = await this.#authenticate(connection, served)
      if (this.#isClosed) throw new KafkaError('NETWORK_EXCEPTION', 'the client is closed')
      this.#failures = 0
      this.#link = { connection, served, features, session }
      this.#closeWhenIdle(connection)
      return this.#link
    } catch (error) {
      connection.close()
      throw error
    }
  }

  /** The first question. A broker that hangs up on it mostly wanted to hear something else. */
  async #greet(connection: ClientConnection, timeoutMs: number): ReturnType<typeof askServedApis> {
    try {
      return await askServedApis(connection, timeoutMs)
    } catch (error) {
      if (!(error instanceof KafkaError) || error.code !== 'NETWORK_EXCEPTION' || this.#isClosed) throw error
      if (error.cause instanceof TlsError) throw error
      const { host, port } = this.endpoint
      const isEncrypted = this.#settings.security.tls !== undefined
      const doubt = isEncrypted ? 'does it accept the certificate of this client?' : 'does it want TLS?'
      const message = `${host}:${port} ended the connection before its first answer; ${doubt} (security.protocol)`
      throw new KafkaError('NETWORK_EXCEPTION', message, { cause: error })
    }
  }

  async #authenticate(connection: ClientConnection, served: ServedApis): Promise<SaslSession | undefined> {
    const { clock, random, requestTimeoutMs, security } = this.#settings
    const { sasl: mechanism } = security
    if (mechanism === undefined) return undefined
    const broker = `${this.endpoint.host}:${this.endpoint.port}`
    return SaslSession.begin({ connection, broker, served, mechanism, clock, random, timeoutMs: requestTimeoutMs })
  }

  #closeWhenIdle(connection: ClientConnection): void {
    const { clock, maxIdleMs } = this.#settings
    if (maxIdleMs <= 0) return
    const idleMs = clock.monotonicMs() - connection.lastUsedMs
    this.#idle = clock.schedule(Math.max(1, maxIdleMs - idleMs), () => {
      const isIdle = connection.inFlight === 0 && clock.monotonicMs() - connection.lastUsedMs >= maxIdleMs
      if (isIdle) connection.close()
      else this.#closeWhenIdle(connection)
    })
  }
}
