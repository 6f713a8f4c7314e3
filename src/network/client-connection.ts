import type { Clock, Connection, ConnectionSink, NetworkError, Timer } from '../platform/index.ts'
import {
  ByteReader,
  ByteWriter,
  decodeMessage,
  encoderOf,
  type Fields,
  KafkaError,
  type MessageInput,
  type MessageOf,
  RequestHeader,
  ResponseHeader,
  requestHeaderVersion,
  responseHeaderVersion,
  type Schema,
} from '../protocol/index.ts'
import { FrameSizeError, foreignPeer } from './foreign-peer.ts'
import { FrameBudget } from './frame-budget.ts'
import { FrameReader } from './frame-reader.ts'

/** A request with its answer, as `protocol/messages` declares them. */
export interface Api<Q extends Fields, S extends Fields> {
  readonly request: Schema<Q>
  readonly response: Schema<S>
}

export interface ClientConnectionOptions {
  readonly connection: Connection
  readonly clock: Clock
  readonly clientId: string
  /** `host:port` as it was connected to, for who listens there and is no broker; the peer's IP address when left out. */
  readonly address?: string
  /** Bytes of a response at most; a peer that claims more is not one. */
  readonly maxResponseBytes: number
  /** The same for the first response, which tells a broker from what else may listen at a port; `maxResponseBytes` when left out. */
  readonly maxFirstResponseBytes?: number
  /** The connection is gone; called once. Every request that waited has failed by then. */
  readonly onClosed: (error: Error | undefined) => void
}

export interface SendOptions {
  readonly version: number
  /**
   * When no answer has come by then, the connection is given up, since answers come in order: this request fails with
   * REQUEST_TIMED_OUT, what else waits on it with NETWORK_EXCEPTION. Where there will be none, the request has to have left by then.
   */
  readonly timeoutMs: number
  /** The broker will not answer: Produce with `acks=0`. */
  readonly isOneWay?: boolean
}

interface Pending {
  readonly deadlineMs: number
  readonly name: string
  /** Set when it was not over in time. */
  late: KafkaError | undefined
  readonly failed: (error: Error) => void
}

interface Waiting extends Pending {
  readonly correlationId: number
  readonly answered: (frame: Uint8Array) => void
}

const SIZE_BYTES = 4
const MAX_CORRELATION_ID = 2 ** 31 - 1

/**
 * The client's end of a connection: requests leave at once, answers come in the order of requests, as Kafka promises. Large
 * answers are read straight into their own memory, and what is decoded from them refers to it.
 */
export class ClientConnection implements ConnectionSink {
  readonly #options: ClientConnectionOptions
  readonly #connection: Connection
  readonly #reader: FrameReader
  readonly #waiting: Waiting[] = []
  /** Requests that nobody will answer, until the system has taken them. */
  readonly #leaving = new Set<Pending>()
  #nextCorrelationId = 0
  #timer: Timer | undefined
  #timerAtMs = Number.POSITIVE_INFINITY
  #isGreeted = false
  #isClosed = false
  #failure: Error | undefined
  #lastUsedMs: number

  constructor(options: ClientConnectionOptions) {
    this.#options = options
    this.#connection = options.connection
    this.#lastUsedMs = options.clock.monotonicMs()
    this.#reader = new FrameReader({
      maxFrameBytes: options.maxFirstResponseBytes ?? options.maxResponseBytes,
      budget: new FrameBudget(Number.POSITIVE_INFINITY),
      onFrame: frame => this.#answered(frame),
      allocate: memoryOfAnswer,
    })
    this.#connection.start(this)
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Requests without an answer yet, or that have not left where there will be none. */
  get inFlight(): number {
    return this.#waiting.length + this.#leaving.size
  }

  /** On the monotonic clock: when a request was last sent or answered. */
  get lastUsedMs(): number {
    return this.#lastUsedMs
  }

  /**
   * Sends a request and resolves to the decoded answer. Byte arrays in it are views of the memory that was read.
   *
   * @throws KafkaError NETWORK_EXCEPTION when the connection ends first (it is not known whether the request was done),
   * REQUEST_TIMED_OUT when no answer came in time, UNSUPPORTED_VERSION when `version` cannot say what `body` says, INVALID_REQUEST for a
   * value that does not fit its field
   */
  send<Q extends Fields, S extends Fields>(
    api: Api<Q, S>,
    body: MessageInput<Schema<Q>>,
    options: SendOptions,
  ): Promise<MessageOf<Schema<S>>> {
    const { version, timeoutMs, isOneWay = false } = options
    const { name } = api.request
    if (this.#isClosed) return Promise.reject(this.#gone(name))
    const correlationId = this.#nextCorrelationId
    this.#nextCorrelationId = correlationId === MAX_CORRELATION_ID ? 0 : correlationId + 1
    let chunks: Uint8Array[]
    try {
      chunks = this.#frame(api.request, version, correlationId, body)
    } catch (error) {
      return Promise.reject(unsaid(name, error))
    }
    this.#lastUsedMs = this.#options.clock.monotonicMs()
    const deadlineMs = this.#lastUsedMs + timeoutMs
    if (isOneWay) {
      return new Promise((resolve, reject) => {
        const leaving: Pending = { deadlineMs, name, late: undefined, failed: reject }
        this.#leaving.add(leaving)
        this.#connection.write(chunks, () => {
          this.#leaving.delete(leaving)
          // What came of it nobody says; the type of the answer stands for that.
          resolve(undefined as unknown as MessageOf<Schema<S>>)
        })
        this.#watchDeadline(deadlineMs)
      })
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({
        correlationId,
        deadlineMs,
        name,
        late: undefined,
        failed: reject,
        answered: frame => {
          try {
            resolve(decodeAnswer(api.response, version, frame))
          } catch (error) {
            reject(error)
            throw error
          }
        },
      })
      this.#connection.write(chunks)
      this.#watchDeadline(deadlineMs)
    })
  }

  /** Ends the connection; what waits fails with `error`, or as broken off. */
  close(error?: Error): void {
    if (this.#isClosed) return
    this.#failure = error
    this.#connection.destroy()
    this.closed()
  }

  target(): Uint8Array {
    return this.#reader.target()
  }

  received(length: number): void {
    try {
      this.#reader.received(length)
    } catch (error) {
      const isForeign = error instanceof FrameSizeError && !this.#isGreeted
      if (isForeign) this.close(foreignPeer(this.#options.address ?? this.#where, error))
      else this.close(error instanceof Error ? error : new Error(String(error)))
    }
  }

  drained(): void {}

  closed(error?: NetworkError): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#failure ??= error
    this.#timer?.cancel()
    this.#reader.discard()
    const pending = this.#pending
    this.#waiting.length = 0
    this.#leaving.clear()
    for (const { name, late, failed } of pending) failed(late ?? this.#gone(name))
    this.#options.onClosed(this.#failure)
  }

  get #pending(): Pending[] {
    return [...this.#waiting, ...this.#leaving]
  }

  get #where(): string {
    const { remoteAddress, remotePort } = this.#connection
    return `${remoteAddress}:${remotePort}`
  }

  #gone(name: string): Error {
    // What cannot be read would not be read the next time either.
    if (this.#failure instanceof KafkaError && !this.#failure.retriable) return this.#failure
    const cause = this.#failure === undefined ? {} : { cause: this.#failure }
    return new KafkaError(
      'NETWORK_EXCEPTION',
      `${name}: the connection to ${this.#where} ended before the answer`,
      cause,
    )
  }

  #frame(schema: Schema, version: number, correlationId: number, body: object): Uint8Array[] {
    const writer = new ByteWriter()
    writer.int32(0)
    const header = {
      requestApiKey: schema.apiKey,
      requestApiVersion: version,
      correlationId,
      clientId: this.#options.clientId,
    }
    encoderOf(RequestHeader, requestHeaderVersion(schema, version))(writer, header)
    encoderOf(schema, version)(writer, body)
    const chunks = writer.chunks()
    const first = chunks[0]!
    new DataView(first.buffer, first.byteOffset).setInt32(0, writer.size - SIZE_BYTES)
    return chunks
  }

  #answered(frame: Uint8Array): void {
    this.#lastUsedMs = this.#options.clock.monotonicMs()
    if (!this.#isGreeted) {
      this.#isGreeted = true
      this.#reader.maxFrameBytes = this.#options.maxResponseBytes
    }
    const correlationId = new ByteReader(frame).int32()
    const waiting = this.#waiting.shift()
    if (waiting?.correlationId !== correlationId) {
      throw new Error(`answer ${correlationId} where ${waiting ? waiting.correlationId : 'none'} was expected`)
    }
    waiting.answered(frame)
  }

  /** Has one timer run to the earliest deadline; a later one is looked for when it has run out. */
  #watchDeadline(deadlineMs: number): void {
    if (this.#isClosed || deadlineMs >= this.#timerAtMs) return
    const { clock } = this.#options
    this.#timer?.cancel()
    this.#timerAtMs = deadlineMs
    this.#timer = clock.schedule(Math.max(1, deadlineMs - clock.monotonicMs()), () => this.#checkDeadlines())
  }

  #checkDeadlines(): void {
    this.#timerAtMs = Number.POSITIVE_INFINITY
    const nowMs = this.#options.clock.monotonicMs()
    const late = this.#pending.filter(({ deadlineMs }) => deadlineMs <= nowMs)
    if (late[0] !== undefined) {
      for (const one of late) {
        one.late = new KafkaError('REQUEST_TIMED_OUT', `${one.name}: no answer from ${this.#where} in time`)
      }
      this.close(late[0].late)
      return
    }
    this.#watchDeadline(Math.min(...this.#pending.map(({ deadlineMs }) => deadlineMs)))
  }
}

/** Nobody knows when the program is done with an answer, so it has memory of its size, and none of the pool. */
function memoryOfAnswer(bytes: number): Buffer {
  return bytes < Buffer.poolSize / 2 ? Buffer.allocUnsafe(bytes) : Buffer.allocUnsafeSlow(bytes)
}

/** Something that a caller gave does not fit its field, such as text where a number is to be: said so that no retry is tried. */
function unsaid(name: string, error: unknown): KafkaError {
  if (error instanceof KafkaError) return error
  return new KafkaError('INVALID_REQUEST', `${name}: ${error instanceof Error ? error.message : String(error)}`, {
    cause: error,
  })
}

function decodeAnswer<S extends Fields>(schema: Schema<S>, version: number, frame: Uint8Array): MessageOf<Schema<S>> {
  const reader = new ByteReader(frame)
  decodeMessage(ResponseHeader, responseHeaderVersion(schema, version), reader)
  return decodeMessage(schema, version, reader)
}
