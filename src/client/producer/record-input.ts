import { KafkaError, type RecordHeader } from '../../protocol/index.ts'

/** What a record may have as key or value where no serializer says otherwise. */
export type Raw = string | Uint8Array | null

/** Headers by name, or as a list where names repeat or their order matters. */
export type HeadersInput =
  | Readonly<Record<string, string | Uint8Array | null>>
  | readonly { readonly key: string; readonly value: string | Uint8Array | null }[]

/** A record to send, beside its topic. */
export interface ProducerRecord<K = Raw, V = Raw> {
  /** Records of one key keep their order and go to one partition; null or absent for none. */
  readonly key?: K | null
  /** Null or absent is a tombstone: a compacted topic forgets the key. Undefined is refused, as it mostly is a slip. */
  readonly value?: V | null
  readonly headers?: HeadersInput
  /** Left out, the partitioner chooses. */
  readonly partition?: number
  /** Milliseconds since 1970; now when left out. */
  readonly timestamp?: number
}

/** A record that names its topic. */
export interface TopicRecord<K = Raw, V = Raw> extends ProducerRecord<K, V> {
  readonly topic: string
}

/** Where a record went. */
export interface RecordMetadata {
  readonly topic: string
  readonly partition: number
  /** -1 when the broker was not asked for an answer (`acks=0`), or had the record already and forgot where. */
  readonly offset: number
  /** The record's timestamp, or the broker's where the topic is set to `LogAppendTime`. */
  readonly timestamp: number
}

/** Where records of one `sendBatch` went: `count` of them, one after the other, from `offset` on. */
export interface BatchMetadata {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly count: number
}

const NO_HEADERS: readonly RecordHeader[] = []

const RECORD_FIELDS: ReadonlySet<string> = new Set(['topic', 'key', 'value', 'headers', 'partition', 'timestamp'])

/**
 * Where no compiler looks, a record without a value may be something else: a text, or what other clients call a record. It would be
 * written as a tombstone, and so would a value that is undefined.
 * @throws KafkaError INVALID_RECORD
 */
export function checkEmptyRecord(record: unknown): void {
  const wanted = 'a record is an object such as { key, value, headers }'
  if (typeof record !== 'object' || record === null) {
    throw new KafkaError('INVALID_RECORD', `${wanted}, not ${record === null ? 'null' : typeof record}`)
  }
  if ('value' in record) {
    throw new KafkaError(
      'INVALID_RECORD',
      'the value of a record is undefined: give null where a key is to be forgotten',
    )
  }
  const stray = Object.keys(record).find(name => !RECORD_FIELDS.has(name))
  if (stray === undefined) return
  const way = stray === 'messages' ? 'give them to sendBatch(topic, messages)' : wanted
  throw new KafkaError('INVALID_RECORD', `a record without value, but with ${stray}: ${way}`)
}

/**
 * A record as an object of its own with nothing but a record's fields, which interceptors may spread: what is given may have them by
 * getters, as a ConsumerRecord has.
 * @throws KafkaError INVALID_RECORD as {@link checkEmptyRecord} does
 */
export function plainRecord<K, V>(topic: string, given: ProducerRecord<K, V>): TopicRecord<K, V> {
  if (given?.value === undefined) checkEmptyRecord(given)
  const { key, value, headers, partition, timestamp } = given
  return {
    topic,
    ...(key !== undefined && { key }),
    ...(value !== undefined && { value }),
    ...(headers !== undefined && { headers }),
    ...(partition !== undefined && { partition }),
    ...(timestamp !== undefined && { timestamp }),
  }
}

/** Headers as a batch takes them. @throws KafkaError INVALID_RECORD for a value that is no text and no bytes */
export function headersOf(input: HeadersInput | undefined): readonly RecordHeader[] {
  if (input === undefined || input === null) return NO_HEADERS
  if (Array.isArray(input)) {
    return input.map(one => {
      if (typeof one?.key === 'string') return header(one.key, one.value)
      throw new KafkaError('INVALID_RECORD', 'a list of headers is one of { key, value }; an object of names does, too')
    })
  }
  if (typeof input !== 'object' || Symbol.iterator in input) {
    throw new KafkaError('INVALID_RECORD', 'headers are an object of names and values, or a list of { key, value }')
  }
  return Object.entries(input).map(([key, value]) => header(key, value))
}

function header(key: string, value: string | Uint8Array | null): RecordHeader {
  if (value === null || value instanceof Uint8Array) return { key, value }
  if (typeof value !== 'string') {
    const way = Array.isArray(value) ? 'for a name that repeats, give headers as a list of { key, value }' : undefined
    const what = `header ${key} is ${value === undefined ? 'undefined' : `of type ${typeof value}`}`
    throw new KafkaError('INVALID_RECORD', `${what}: ${way ?? 'give text, bytes or null'}`)
  }
  return { key, value: Buffer.from(value) }
}
