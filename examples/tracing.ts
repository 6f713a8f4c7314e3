/**
 * One trace from an order to the bill that is sent for it, by OpenTelemetry: `node dist/examples/tracing.js host:port`. A program would
 * register its SDK as it does anyway, with an exporter; this one prints the spans as a tree.
 */
import { context, propagation, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { connect, string } from 'monedula'
import { traceConsumer, traceProducer } from 'monedula/opentelemetry'

const exporter = new InMemorySpanExporter()
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
propagation.setGlobalPropagator(new W3CTraceContextPropagator())
trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }))

const kafka = connect(process.argv[2] ?? '127.0.0.1:9092')
await using producer = kafka.producer({ interceptors: [traceProducer()] })
await producer.send('orders', { key: 'u1', value: 'a small crow' })

await using consumer = kafka.consumer({ groupId: 'billing', value: string, autoOffsetReset: 'earliest' })
consumer.subscribe('orders')
const traced = traceConsumer(consumer)
for await (const record of consumer) {
  await traced(record, () => producer.send('bills', { key: 'u1', value: `the bill for ${record.value}` }))
  break
}

const spans = exporter.getFinishedSpans()
function print(parent: string | undefined, indent = ''): void {
  for (const one of spans.filter(({ parentSpanContext }) => parentSpanContext?.spanId === parent)) {
    console.log(indent + one.name)
    print(one.spanContext().spanId, `${indent}  `)
  }
}
print(undefined)
