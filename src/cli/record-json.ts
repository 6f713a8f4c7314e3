/** Records as lines of JSON, the same form read and written. */
import { isUtf8 } from 'node:buffer'
import type { ConsumerRecord, ProducerRecord } from '../client/index.ts'

/** Bytes that are no text (UTF-8). */
interface Base64 {
  readonly base64: string
}

const FORM = '{"key": "k", "value": "v", "headers": [["name", "value"]], "timestamp": 1767225600000, "partition": 0}'
const FIELDS: ReadonlySet<string> = new Set(['topic', 'partition', 'offset', 'timestamp', 'key', 'value', 'headers'])

/** A record as `monedula consume --json` prints it: what is no text is `{"base64": …}`. */
export function toJson({ topic, partition, offset, timestamp, headers, keyBytes, valueBytes }: ConsumerRecord): string {
  return JSON.stringify({
    topic,
    partition,
    offset,
    timestamp,
    key: text(keyBytes),
    value: text(valueBytes),
    headers: headers.map(({ key, value }) => [key, text(value)]),
  })
}

function text(bytes: Uint8Array | null): string | Base64 | null {
  if (bytes === null) return null
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return isUtf8(buffer) ? buffer.toString('utf8') : { base64: buffer.toString('base64') }
}

/**
 * The record that a line of JSON holds, in the form of {@link toJson}; topic and offset are of where it came from, and left alone. What is
 * left out is null, or up to the producer.
 * @throws Error that names what is wrong
 */
export function fromJson(line: string): ProducerRecord {
  const fields = parsed(line)
  const unknown = Object.keys(fields).find(name => !FIELDS.has(name))
  if (unknown !== undefined) throw new Error(`a record has no ${JSON.stringify(unknown)}: give ${FORM}`)
  const { partition, timestamp } = fields
  return {
    key: bytesOf(fields.key ?? null, 'key'),
    value: bytesOf(fields.value ?? null, 'value'),
    headers: headersOf(fields.headers ?? []),
    ...(partition !== undefined && { partition: wholeNumber(partition, 'partition') }),
    // -1 is how a record without a time is shown.
    ...(timestamp !== undefined && timestamp !== -1 && { timestamp: wholeNumber(timestamp, 'timestamp') }),
  }
}

function parsed(line: string): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    value = undefined
  }
  if (!isObject(value)) throw new Error(`a line is no JSON object: ${line.slice(0, 100)}; give ${FORM}`)
  return value
}

function bytesOf(value: unknown, name: string): string | Uint8Array | null {
  if (value === null || typeof value === 'string') return value
  if (isObject(value) && Object.keys(value).length === 1 && typeof value.base64 === 'string') {
    const bytes = Buffer.from(value.base64, 'base64')
    // Node reads what it can, and leaves out the rest.
    if (bytes.toString('base64') === value.base64) return bytes
  }
  throw new Error(`${name} is ${JSON.stringify(value)}: give a text, null, or {"base64": "…"}`)
}

function headersOf(value: unknown): { key: string; value: string | Uint8Array | null }[] {
  if (Array.isArray(value)) {
    return value.map((pair: unknown) => {
      if (Array.isArray(pair) && pair.length === 2 && typeof pair[0] === 'string') {
        return { key: pair[0], value: bytesOf(pair[1], `header ${pair[0]}`) }
      }
      throw new Error(`a header is ${JSON.stringify(pair)}: give ["name", "value"]`)
    })
  }
  if (isObject(value)) {
    return Object.entries(value).map(([key, one]) => ({ key, value: bytesOf(one, `header ${key}`) }))
  }
  throw new Error(`headers are ${JSON.stringify(value)}: give [["name", "value"]]`)
}

function wholeNumber(value: unknown, name: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw new Error(`${name} is ${JSON.stringify(value)}: give a whole number from 0 on`)
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
