/// <reference types="node" preserve="true" />
export type { TraceOptions } from './spans.ts'
export { type TracedWork, traceConsumer } from './trace-consumer.ts'
export { traceProducer } from './trace-producer.ts'
