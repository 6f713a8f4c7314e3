import type { Reply, RequestProcessor, ServerConnection } from '../network/index.ts'
import type { Logger } from '../platform/index.ts'
import {
  ByteReader,
  ByteWriter,
  decodeMessage,
  encoderOf,
  KafkaError,
  piecewiseEncoderOf,
  RequestHeader,
  ResponseHeader,
  requestHeaderVersion,
  responseHeaderVersion,
  type Schema,
} from '../protocol/index.ts'
import type { BrokerServices } from './broker-services.ts'
import type { Handler, RequestContext } from './handler.ts'
import { unsupportedApiVersions } from './handlers/18-api-versions.ts'
import { handled, type RequestInterceptor } from './request-interceptor.ts'

const API_VERSIONS = 18
/** Most array elements of a request: more than any has reason to, and what takes a tenth of a second to decode. */
const MAX_ELEMENTS = 2 ** 20
/** API key, version and correlation id: what every request begins with. */
const MIN_HEADER_BYTES = 8

/** Sees every request that was answered. */
export interface RequestObserver {
  answered(api: Handler, durationMs: number, requestBytes: number): void
}

export interface RequestDispatcherOptions {
  readonly handlers: readonly Handler[]
  readonly services: BrokerServices
  readonly logger: Logger
  readonly observer: RequestObserver
  /** Log each request at debug level. */
  readonly isVerbose: boolean
  /** Stands before every handler; none when left out. */
  readonly interceptor?: RequestInterceptor | undefined
}

/**
 * Routes frames to handlers (Kafka's KafkaApis): decodes header and body, calls the handler of the API key, encodes the
 * answer. What no protocol answer exists for closes the connection, with one line in the log that says why.
 */
export class RequestDispatcher implements RequestProcessor {
  readonly #handlers: (Handler | undefined)[] = []
  readonly #options: RequestDispatcherOptions
  readonly #intercept: RequestInterceptor

  constructor(options: RequestDispatcherOptions) {
    this.#options = options
    this.#intercept = options.interceptor ?? handled
    for (const handler of options.handlers) this.#handlers[handler.apiKey] = handler
  }

  mayOverlap(frame: Uint8Array): boolean {
    if (frame.length < MIN_HEADER_BYTES) return false
    return this.#handlers[int16(frame, 0)]?.mayOverlap ?? false
  }

  mayRecycle(frame: Uint8Array): boolean {
    return frame.length >= MIN_HEADER_BYTES && (this.#handlers[int16(frame, 0)]?.mayRecycle ?? false)
  }

  disconnected(connection: ServerConnection): void {
    this.#options.services.disconnected(connection)
  }

  process(frame: Uint8Array, connection: ServerConnection): Reply | Promise<Reply> {
    try {
      return this.#route(frame, connection)
    } catch (error) {
      return this.#refuse(connection, error instanceof Error ? error.message : String(error))
    }
  }

  #route(frame: Uint8Array, connection: ServerConnection): Reply | Promise<Reply> {
    if (frame.length < MIN_HEADER_BYTES)
      return this.#refuse(connection, `request of ${frame.length} bytes has no header`)
    const apiKey = int16(frame, 0)
    const apiVersion = int16(frame, 2)
    const handler = this.#handlers[apiKey]
    if (!handler) return this.#refuse(connection, `unknown API key ${apiKey}`)
    if (apiVersion < handler.minVersion || apiVersion > handler.maxVersion) {
      if (apiKey === API_VERSIONS) return this.#unsupportedApiVersions(frame)
      return this.#refuse(connection, `unsupported version ${apiVersion} of ${handler.name}`)
    }
    const reader = new ByteReader(frame)
    reader.limitElements(MAX_ELEMENTS)
    const header = decodeMessage(RequestHeader, requestHeaderVersion(handler.request, apiVersion), reader)
    const context: RequestContext = {
      apiVersion,
      correlationId: header.correlationId,
      clientId: header.clientId ?? '',
      connection,
      services: this.#options.services,
    }
    // Bytes behind the body are passed over, as in Kafka: librdkafka's Metadata requests have some.
    const request = decodeMessage(handler.request, apiVersion, reader)
    return this.#call(handler, request as never, context, frame.length)
  }

  #call(handler: Handler, request: never, context: RequestContext, bytes: number): Reply | Promise<Reply> {
    const { services, isVerbose, logger } = this.#options
    const startMs = services.clock.monotonicMs()
    if (isVerbose) logger.debug(describe(context), `${handler.name} v${context.apiVersion}`)
    let answer: object | undefined | Promise<object | undefined>
    try {
      answer = this.#intercept(handler, request, context)
    } catch (error) {
      answer = this.#failed(handler, error, request, context)
    }
    if (!(answer instanceof Promise)) return this.#reply(handler, answer, context, { startMs, bytes })
    return answer
      .catch(error => this.#failed(handler, error, request, context))
      .then(late => {
        const { connection } = context
        const measured = { startMs, bytes }
        if (late !== undefined && handler.answersInTurns) {
          return connection.account(() =>
            connection.inPieces(this.#replyInPieces(handler, late, context, measured), true),
          )
        }
        return connection.account(() => this.#reply(handler, late, context, measured))
      })
      .catch(error => this.#refuse(context.connection, `${handler.name} cannot be answered: ${String(error)}`))
  }

  #failed(handler: Handler, error: unknown, request: never, context: RequestContext): object {
    if (error instanceof KafkaError) return handler.failed(error, request, context)
    this.#options.logger.error({ err: error, ...describe(context) }, `Unexpected error in ${handler.name}`)
    return handler.failed(new KafkaError('UNKNOWN_SERVER_ERROR'), request, context)
  }

  #reply(
    handler: Handler,
    answer: object | undefined,
    context: RequestContext,
    measured: { readonly startMs: number; readonly bytes: number },
  ): Reply {
    const { services, observer } = this.#options
    observer.answered(handler, services.clock.monotonicMs() - measured.startMs, measured.bytes)
    if (answer === undefined) return 'none'
    const { apiVersion, correlationId } = context
    return encodeReply(handler.response, apiVersion, { correlationId, body: answer })
  }

  /** As {@link #reply}, an entry of the answer in a piece. */
  *#replyInPieces(
    handler: Handler,
    answer: object,
    context: RequestContext,
    measured: { readonly startMs: number; readonly bytes: number },
  ): Generator<void, Reply> {
    const { services, observer } = this.#options
    const { apiVersion, correlationId, connection } = context
    const writer = beginReply(handler.response, apiVersion, correlationId)
    let heldBytes = 0
    for (const _ of piecewiseEncoderOf(handler.response, apiVersion)(writer, answer)) {
      connection.hold(writer.size - heldBytes)
      heldBytes = writer.size
      if (connection.isReplyMemorySpent) throw new Error(`memory for answers is spent after ${heldBytes} bytes of it`)
      yield
      if (connection.isClosed) return 'none'
    }
    observer.answered(handler, services.clock.monotonicMs() - measured.startMs, measured.bytes)
    return endReply(writer)
  }

  /** KIP-511: an unknown version of ApiVersions is answered in version 0, with what is supported. */
  #unsupportedApiVersions(frame: Uint8Array): Reply {
    const correlationId = new ByteReader(frame, 4).int32()
    const body = unsupportedApiVersions.answer(this.#options.handlers)
    return encodeReply(unsupportedApiVersions.schema, 0, { correlationId, body })
  }

  #refuse(connection: ServerConnection, why: string): Reply {
    const peer = `/${connection.remoteAddress}:${connection.remotePort}`
    this.#options.logger.warn({ listener: connection.listenerName }, `Closing connection with ${peer}: ${why}`)
    return 'close'
  }
}

/** A whole response frame: size, header, body. */
function encodeReply(
  schema: Schema,
  version: number,
  { correlationId, body }: { readonly correlationId: number; readonly body: object },
): Uint8Array[] {
  const writer = beginReply(schema, version, correlationId)
  encoderOf(schema, version)(writer, body)
  return endReply(writer)
}

/** A response frame up to its body. */
function beginReply(schema: Schema, version: number, correlationId: number): ByteWriter {
  const writer = new ByteWriter()
  writer.int32(0)
  encoderOf(ResponseHeader, responseHeaderVersion(schema, version))(writer, { correlationId })
  return writer
}

/** Its size is known last and written over the first four bytes. */
function endReply(writer: ByteWriter): Uint8Array[] {
  const chunks = writer.chunks()
  const first = chunks[0]!
  new DataView(first.buffer, first.byteOffset).setInt32(0, writer.size - 4)
  return chunks
}

function describe(context: RequestContext): object {
  const { connection, clientId, correlationId } = context
  return { from: `/${connection.remoteAddress}:${connection.remotePort}`, clientId, correlationId }
}

function int16(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) >> 16) | bytes[at + 1]!
}
