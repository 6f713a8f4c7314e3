/** OpenTelemetry's own package, which whoever traces has: it knows the tracer and propagator that the program registered. */
import { createRequire } from 'node:module'

type Api = typeof import('@opentelemetry/api')

function load(): Api {
  try {
    return createRequire(import.meta.url)('@opentelemetry/api') as Api
  } catch (cause) {
    throw new Error('monedula/opentelemetry needs @opentelemetry/api: npm install @opentelemetry/api', { cause })
  }
}

export const { context, propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } = load()
