import type { Attributes, Span, Tracer, TracerProvider } from '@opentelemetry/api'
import { KafkaError } from '../client/index.ts'
import { SpanStatusCode, trace } from './api.ts'

/** How spans are made. */
export interface TraceOptions {
  /** Makes the spans; the one that the program registered, now or later, when left out. */
  readonly tracerProvider?: TracerProvider
  /** Set on each span beside those that it has by itself: `server.address`, `messaging.client.id`. */
  readonly attributes?: Attributes
}

/** The name of the instrumentation scope, by which samplers and exporters know these spans. */
export const tracerOf = ({ tracerProvider = trace.getTracerProvider() }: TraceOptions): Tracer =>
  tracerProvider.getTracer('monedula')

/** What a span about a topic has from its beginning, by the semantic conventions for Kafka. */
export function spanAttributes(operation: 'send' | 'process', topic: string, { attributes }: TraceOptions): Attributes {
  return {
    ...attributes,
    'messaging.system': 'kafka',
    'messaging.operation.name': operation,
    'messaging.operation.type': operation,
    'messaging.destination.name': topic,
  }
}

/** What a span about a single record has. Keys that are no text and no number have no one way to be written. */
export function recordAttributes(key: unknown, value: unknown): Attributes {
  const isReadable = typeof key === 'string' || typeof key === 'number' || typeof key === 'bigint'
  return {
    ...(isReadable && { 'messaging.kafka.message.key': String(key) }),
    ...((value === null || value === undefined) && { 'messaging.kafka.message.tombstone': true }),
  }
}

/** Writes down why the work failed: the exception, and `error.type`, which is the code of a {@link KafkaError}. */
export function recordFailure(span: Span, error: unknown): void {
  const exception = error instanceof Error ? error : new Error(String(error))
  span.recordException(exception)
  span.setAttribute('error.type', exception instanceof KafkaError ? exception.code : exception.name)
  span.setStatus({ code: SpanStatusCode.ERROR, message: exception.message })
}
