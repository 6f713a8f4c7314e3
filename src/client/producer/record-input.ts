import type { RecordHeader } from '../../protocol/index.ts'

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
  /** Null or absent is a tombstone: a compacted topic forgets the key. */
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

/** Headers as a batch takes them. @throws TypeError for a value that is no text and no bytes */
export function headersOf(input: HeadersInput | undefined): readonly RecordHeader[] {
  if (input === undefined) return NO_HEADERS
  if (Array.isArray(input)) {
    return input.map(({ key, value }: { key: string; value: string | Uint8Array | null }) => header(key, value))
  }
  return Object.entries(input).map(([key, value]) => header(key, value))
}

function header(key: string, value: string | Uint8Array | null): RecordHeader {
  if (value === null || value instanceof Uint8Array) return { key, value }
  if (typeof value !== 'string') throw new TypeError(`header ${key} is no text and no bytes`)
  return { key, value: Buffer.from(value) }
}
