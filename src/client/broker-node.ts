import type { Api } from '../network/index.ts'
import { ClientConnection } from '../network/index.ts'
import { type Clock, type Logger, type Network, NetworkError, type Random } from '../platform/index.ts'
import {
  ErrorCode,
  type Fields,
  KafkaError,
  type MessageInput,
  type MessageOf,
  type Schema,
} from '../protocol/index.ts'
import { ApiVersionsRequest, ApiVersionsResponse } from '../protocol/messages/18-api-versions.ts'
import { Backoff } from './backoff.ts'

const API_VERSIONS = { request: ApiVersionsRequest, response: ApiVersionsResponse }
/** A batch may be as large as `message.max.bytes` of the broker says, and a fetch holds several. */
const MAX_RESPONSE_BYTES = 2 ** 31 - 1

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
}

/** The body of a request, or how to make it for the version that the broker and we have in common. */
export type RequestBody<Q extends Fields> = MessageInput<Schema<Q>> | ((version: number) => MessageInput<Schema<Q>>)

/** Versions of the APIs that a broker serves. */
type Served = ReadonlyMap<number, { readonly min: number; readonly max: number }>

interface Link {
  readonly connection: ClientConnection
  readonly served: Served
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
  #lastFailure = ''
  #retryAtMs = Number.NEGATIVE_INFINITY
  #isClosed = false

  constructor(endpoint: Endpoint, settings: NodeSettings) {
    this.endpoint = endpoint
    this.#settings = settings
    this.#backoff = new Backoff(settings.reconnectBackoffMs, settings.reconnectBackoffMaxMs, settings.random)
  }

  get isConnected(): boolean {
    return this.#link !== undefined
  }

  /** Requests without an answer yet. */
  get inFlight(): number {
    return this.#link?.connection.inFlight ?? 0
  }

  /**
   * Sends a request in the highest version that both sides know.
   *
   * @throws KafkaError NETWORK_EXCEPTION when the broker cannot be reached or the connection broke, REQUEST_TIMED_OUT,
   * UNSUPPORTED_VERSION when both sides have no version in common
   */
  request<Q extends Fields, S extends Fields>(
    api: Api<Q, S>,
    body: RequestBody<Q>,
    options: RequestOptions = {},
  ): Promise<MessageOf<Schema<S>>> {
    const link = this.#link
    if (link !== undefined) return this.#send(link, api, body, options)
    return this.#connected().then(made => this.#send(made, api, body, options))
  }

  /** Ends the connection; it is not made again. */
  close(): void {
    this.#isClosed = true
    this.#link?.connection.close()
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
    return connection.send(api, input, { version, timeoutMs, isOneWay })
  }

  #connected(): Promise<Link> {
    if (this.#link) return Promise.resolve(this.#link)
    const { clock } = this.#settings
    const { host, port } = this.endpoint
    if (this.#isClosed) return Promise.reject(new KafkaError('NETWORK_EXCEPTION', 'the client is closed'))
    if (this.#linking) return this.#linking
    if (clock.monotonicMs() < this.#retryAtMs) {
      const message = `${host}:${port} could not be reached a moment ago: ${this.#lastFailure}`
      return Promise.reject(new KafkaError('NETWORK_EXCEPTION', message))
    }
    this.#linking = this.#makeLink()
      .catch((error: unknown) => {
        this.#failures += 1
        this.#lastFailure = error instanceof Error ? error.message : String(error)
        this.#retryAtMs = clock.monotonicMs() + this.#backoff.delayMs(this.#failures)
        if (error instanceof NetworkError) throw new KafkaError('NETWORK_EXCEPTION', error.message, { cause: error })
        throw error
      })
      .finally(() => {
        this.#linking = undefined
      })
    return this.#linking
  }

  async #makeLink(): Promise<Link> {
    const { network, clock, clientId, connectTimeoutMs, logger, requestTimeoutMs } = this.#settings
    const { host, port } = this.endpoint
    const socket = await network.connect(host, port, connectTimeoutMs)
    const connection: ClientConnection = new ClientConnection({
      connection: socket,
      clock,
      clientId,
      maxResponseBytes: MAX_RESPONSE_BYTES,
      onClosed: error => {
        if (this.#link?.connection !== connection) return
        this.#link = undefined
        logger.debug({ err: error, broker: `${host}:${port}` }, 'disconnected')
      },
    })
    try {
      const served = await askVersions(connection, requestTimeoutMs)
      if (this.#isClosed) throw new KafkaError('NETWORK_EXCEPTION', 'the client is closed')
      this.#failures = 0
      this.#link = { connection, served }
      this.#closeWhenIdle(connection)
      return this.#link
    } catch (error) {
      connection.close()
      throw error
    }
  }

  #closeWhenIdle(connection: ClientConnection): void {
    const { clock, maxIdleMs } = this.#settings
    if (maxIdleMs <= 0) return
    const idleMs = clock.monotonicMs() - connection.lastUsedMs
    clock.schedule(Math.max(1, maxIdleMs - idleMs), () => {
      if (connection.isClosed) return
      const isIdle = connection.inFlight === 0 && clock.monotonicMs() - connection.lastUsedMs >= maxIdleMs
      if (isIdle) connection.close()
      else this.#closeWhenIdle(connection)
    })
  }
}

/** What the broker serves (KIP-35). One that does not know our version of the question is asked in its own (KIP-511). */
async function askVersions(connection: ClientConnection, timeoutMs: number): Promise<Served> {
  const names = { clientSoftwareName: 'monedula', clientSoftwareVersion: '0.1.0' }
  let answer = await connection.send(API_VERSIONS, names, { version: 3, timeoutMs })
  if (answer.errorCode === ErrorCode.UNSUPPORTED_VERSION) {
    answer = await connection.send(API_VERSIONS, {}, { version: 0, timeoutMs })
  }
  if (answer.errorCode !== ErrorCode.NONE) throw KafkaError.fromCode(answer.errorCode)
  return new Map(
    answer.apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, { min: minVersion, max: maxVersion }]),
  )
}

function commonVersion(schema: Schema, served: Served, maxVersion = schema.versions.max): number {
  const theirs = served.get(schema.apiKey)
  const ours = schema.versions
  const highest = Math.min(maxVersion, ours.max, theirs?.max ?? -1)
  if (theirs === undefined || highest < Math.max(ours.min, theirs.min)) {
    throw new KafkaError(
      'UNSUPPORTED_VERSION',
      theirs === undefined
        ? `the broker does not serve ${schema.name}`
        : `the broker serves ${schema.name} in versions ${theirs.min} to ${theirs.max}, this client ${ours.min} to ${ours.max}`,
    )
  }
  return highest
}
