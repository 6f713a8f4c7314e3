import type { Context, SpanContext, TextMapGetter } from '@opentelemetry/api'
import type { HeadersInput } from '../client/index.ts'
import { propagation, ROOT_CONTEXT, trace } from './api.ts'

type HeaderList = readonly { readonly key: string; readonly value: string | Uint8Array | null }[]

/** Where a name repeats the last one counts, as in Java. */
const fromHeaders: TextMapGetter<HeaderList> = {
  keys: headers => headers.map(({ key }) => key),
  get: (headers, name) => {
    const value = headers.findLast(({ key }) => key === name)?.value
    return value instanceof Uint8Array ? Buffer.from(value).toString() : (value ?? undefined)
  },
}

/** `onto` with what headers say of trace and baggage; `onto` itself where they say nothing that can be read. */
export function contextFrom(headers: HeadersInput, onto: Context): Context {
  return propagation.extract(onto, asList(headers), fromHeaders)
}

/** Where a record comes from, as its headers say; undefined for one that has no context, or a broken one. */
export function originOf(headers: HeadersInput): SpanContext | undefined {
  return validSpanContext(contextFrom(headers, ROOT_CONTEXT))
}

/** The span of a context; undefined where there is none, or one that stands for nothing. */
export function validSpanContext(context: Context): SpanContext | undefined {
  const found = trace.getSpanContext(context)
  return found && trace.isSpanContextValid(found) ? found : undefined
}

/** The same headers, and those of a context in place of what had their names. */
export function withContext(headers: HeadersInput | undefined, context: Context): HeadersInput | undefined {
  const added: Record<string, string> = {}
  propagation.inject(context, added)
  const entries = Object.entries(added)
  if (entries.length === 0) return headers
  const kept = asList(headers ?? []).filter(({ key }) => !Object.hasOwn(added, key))
  return [...kept, ...entries.map(([key, value]) => ({ key, value }))]
}

function asList(headers: HeadersInput): HeaderList {
  if (isList(headers)) return headers
  return Object.entries(headers).map(([key, value]) => ({ key, value }))
}

const isList = (headers: HeadersInput): headers is HeaderList => Array.isArray(headers)
