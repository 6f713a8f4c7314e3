import type { Attributes, Context, Link, Span } from '@opentelemetry/api'
import type { ConsumerBatch, ConsumerRecord } from '../client/index.ts'
import { context, SpanKind, trace } from './api.ts'
import { contextFrom, originOf, validSpanContext } from './header-context.ts'
import { recordAttributes, recordFailure, spanAttributes, type TraceOptions, tracerOf } from './spans.ts'

/** Does `work` inside of a span about a record, or about a batch of them, and gives what it gives. See {@link traceConsumer}. */
export type TracedWork = <K, V, T>(worked: ConsumerRecord<K, V> | ConsumerBatch<K, V>, work: (span: Span) => T) => T

/**
 * Traces what is done with the records of a consumer: the function that it gives does work in a span `process <topic>`, which is active
 * meanwhile, and ends when the work, or its promise, does. What the work throws is written into the span, and thrown.
 *
 * The span has a link to where each record comes from, as its headers say. That of a single record is also child of the producer's,
 * in one trace with it, unless the call is made inside of another span already, whose child it then is. Of the headers, the baggage is
 * taken over, too.
 *
 * ```ts
 * const traced = traceConsumer(consumer)
 * for await (const record of consumer) await traced(record, () => bill(record.value))
 * ```
 *
 * @param consumer whose group the spans name
 */
export function traceConsumer(
  consumer: { readonly groupId: string | undefined },
  options: TraceOptions = {},
): TracedWork {
  const tracer = tracerOf(options)
  return (worked, work) => {
    const { topic, partition } = worked
    const isBatch = 'records' in worked
    const attributes = {
      ...spanAttributes('process', topic, options),
      ...(consumer.groupId !== undefined && { 'messaging.consumer.group.name': consumer.groupId }),
      'messaging.destination.partition.id': String(partition),
      ...(isBatch ? { 'messaging.batch.message_count': worked.records.length } : aboutRecord(worked)),
    }
    const links = originLinks(isBatch ? worked.records : [worked])
    const parent = isBatch ? context.active() : parentOf(worked)
    const span = tracer.startSpan(`process ${topic}`, { kind: SpanKind.CONSUMER, attributes, links }, parent)
    return endingWith(span, () => context.with(trace.setSpan(parent, span), work, undefined, span))
  }
}

function aboutRecord<K, V>(record: ConsumerRecord<K, V>): Attributes {
  return { 'messaging.kafka.offset': record.offset, ...recordAttributes(readableKey(record), record.valueBytes) }
}

/** A key that cannot be read is the program's to hear of, when it looks at it. */
function readableKey<K, V>(record: ConsumerRecord<K, V>): unknown {
  try {
    return record.key
  } catch {
    return undefined
  }
}

function originLinks<K, V>(records: readonly ConsumerRecord<K, V>[]): Link[] {
  return records.flatMap(({ headers }) => {
    const origin = headers.length > 0 ? originOf(headers) : undefined
    return origin ? { context: origin } : []
  })
}

/** What the headers say, below the span that is active, if there is one. */
function parentOf<K, V>({ headers }: ConsumerRecord<K, V>): Context {
  const said = contextFrom(headers, context.active())
  const around = validSpanContext(context.active())
  return around ? trace.setSpanContext(said, around) : said
}

function endingWith<T>(span: Span, work: () => T): T {
  const failed = (error: unknown): never => {
    recordFailure(span, error)
    throw error
  }
  let isUnderWay = false
  try {
    const result = work()
    // Also what only acts as a promise, like the queries of some database clients.
    if (typeof (result as PromiseLike<unknown> | undefined)?.then !== 'function') return result
    isUnderWay = true
    // The cast says that a promise of what was promised is the same type.
    return Promise.resolve(result)
      .catch(failed)
      .finally(() => span.end()) as T
  } catch (error) {
    return failed(error)
  } finally {
    if (!isUnderWay) span.end()
  }
}
