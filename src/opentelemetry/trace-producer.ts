import type { Attributes, Span } from '@opentelemetry/api'
import type { ProducerInterceptor, Raw, RecordMetadata, TopicRecord } from '../client/index.ts'
import { context, SpanKind, trace } from './api.ts'
import { originOf, withContext } from './header-context.ts'
import { recordAttributes, recordFailure, spanAttributes, type TraceOptions, tracerOf } from './spans.ts'

/**
 * Traces what a producer sends: a span `send <topic>` for each record, from the call to the broker's answer, child of the span that is
 * active at the call; and the span's context in the record's headers, as the registered propagator writes it (`traceparent`).
 *
 * A record that brings a context of its own keeps it, and its span has a link to that. Name it last of several interceptors, so that
 * none of them takes the headers away again.
 *
 * ```ts
 * const producer = kafka.producer({ interceptors: [traceProducer()] })
 * ```
 */
export function traceProducer<K = Raw, V = Raw>(options: TraceOptions = {}): ProducerInterceptor<K, V> {
  const tracer = tracerOf(options)
  const spans = new WeakMap<TopicRecord<K, V>, Span>()
  return {
    onSend(record) {
      const { topic, key, value, headers, partition, timestamp } = record
      const origin = headers && originOf(headers)
      const span = tracer.startSpan(`send ${topic}`, {
        kind: origin ? SpanKind.CLIENT : SpanKind.PRODUCER,
        attributes: { ...spanAttributes('send', topic, options), ...recordAttributes(key, value) },
        links: origin ? [{ context: origin }] : [],
      })
      const added = origin ? headers : withContext(headers, trace.setSpan(context.active(), span))
      // By name: an interceptor before this one may have made a record with getters.
      const sent = {
        ...record,
        topic,
        ...(key !== undefined && { key }),
        ...(value !== undefined && { value }),
        ...(added && { headers: added }),
        ...(partition !== undefined && { partition }),
        ...(timestamp !== undefined && { timestamp }),
      }
      spans.set(sent, span)
      return sent
    },
    onAcknowledgement(record, metadata, error) {
      const span = spans.get(record)
      if (metadata) span?.setAttributes(placeAttributes(metadata))
      if (span && error) recordFailure(span, error)
      span?.end()
    },
  }
}

function placeAttributes({ partition, offset }: RecordMetadata): Attributes {
  return {
    'messaging.destination.partition.id': String(partition),
    ...(offset >= 0 && { 'messaging.kafka.offset': offset }),
  }
}
