import type { ServerConnection } from '../network/index.ts'
import type { Fields, KafkaError, MessageInput, MessageOf, Schema } from '../protocol/index.ts'
import type { BrokerServices } from './broker-services.ts'

/** What a handler knows of a request besides its body. */
export interface RequestContext {
  readonly apiVersion: number
  readonly correlationId: number
  /** Empty when the client gave none. */
  readonly clientId: string
  readonly connection: ServerConnection
  /** Everything a handler may call. */
  readonly services: BrokerServices
}

/** The answer of a handler; undefined where the protocol has none (Produce with `acks=0`). */
type Answer<S extends Schema> = MessageInput<S> | undefined

/** One API: its messages, the versions that are honoured, what it does and how it fails. */
export interface Handler {
  readonly name: string
  readonly apiKey: number
  readonly request: Schema
  readonly response: Schema
  readonly minVersion: number
  readonly maxVersion: number
  /** See {@link HandlerOptions.sinceTransactionVersion}. */
  readonly sinceTransactionVersion: HandlerOptions<Schema, Schema>['sinceTransactionVersion']
  /** See {@link HandlerOptions.mayOverlap}. */
  readonly mayOverlap: boolean
  /** See {@link HandlerOptions.mayRecycle}. */
  readonly mayRecycle: boolean
  /** See {@link HandlerOptions.answersInTurns}. */
  readonly answersInTurns: boolean
  readonly handle: (request: never, context: RequestContext) => object | undefined | Promise<object | undefined>
  readonly failed: (error: KafkaError, request: never, context: RequestContext) => object
}

export interface HandlerOptions<Q extends Schema, S extends Schema> {
  /** Versions that are advertised and served; all of the table's when left out. */
  readonly versions?: { readonly min: number; readonly max: number }
  /**
   * From which version on clients are told of the API only where the cluster has that level of `transaction.version`. It is
   * served in any case: whoever was told does not forget it when the level is lowered.
   */
  readonly sinceTransactionVersion?: { readonly version: number; readonly level: number }
  /** Whether requests may start before earlier ones of the same connection, which also may, are answered. */
  readonly mayOverlap?: boolean
  /** Whether nothing keeps the request's `bytes` and `records` when it is answered: their memory is then used again. */
  readonly mayRecycle?: boolean
  /** Whether an answer that comes late may have thousands of entries: it is encoded in several turns of the event loop. */
  readonly answersInTurns?: boolean
  /**
   * Does what the request asks, mostly by calling one manager. A `KafkaError` it throws or rejects with goes through
   * `failed`; anything else is a defect: it is logged and answered as UNKNOWN_SERVER_ERROR.
   */
  readonly handle: (request: MessageOf<Q>, context: RequestContext) => Answer<S> | Promise<Answer<S>>
  /** The response that says that the whole request failed: Kafka's `getErrorResponse`. */
  readonly failed: (error: KafkaError, request: MessageOf<Q>, context: RequestContext) => MessageInput<S>
}

/** Declares the handler of an API; `handlers/index.ts` lists them all. */
export function handler<Q extends Fields, S extends Fields>(
  request: Schema<Q>,
  response: Schema<S>,
  options: HandlerOptions<Schema<Q>, Schema<S>>,
): Handler {
  return {
    name: request.name,
    apiKey: request.apiKey,
    request,
    response,
    minVersion: options.versions?.min ?? request.versions.min,
    maxVersion: options.versions?.max ?? request.versions.max,
    sinceTransactionVersion: options.sinceTransactionVersion,
    mayOverlap: options.mayOverlap ?? false,
    mayRecycle: options.mayRecycle ?? false,
    answersInTurns: options.answersInTurns ?? false,
    // The dispatcher decodes with this very schema, so the types meet again there.
    handle: options.handle as Handler['handle'],
    failed: options.failed as Handler['failed'],
  }
}
