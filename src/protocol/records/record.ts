/**
 * The records of format 2, one behind the other:
 *
 * ```
 * length           varint    of what follows
 * attributes       int8      none so far
 * timestamp delta  varlong   to the batch's base timestamp
 * offset delta     varint    to its base offset
 * key              varint length, -1 for null, and bytes
 * value            the same
 * headers          varint count; per header a key (varint length, UTF-8, never null) and a value like the record's
 * ```
 */
import type { BatchHeader } from './batch-header.ts'
import { invalidRecord } from './record-error.ts'
import { VarintReader, varintBytes, varlongBytes, writeVarint, writeVarlong } from './varint.ts'

/** A header of a record. */
export interface RecordHeader {
  readonly key: string
  readonly value: Uint8Array | null
}

/** One record as a reader sees it. Keys and values are views of the decoded bytes, not copies. */
export interface LogRecord {
  readonly offset: number
  /** Milliseconds since the epoch; -1 for none. */
  readonly timestamp: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly RecordHeader[]
}

/** One record as a writer gives it. */
export interface RecordInput {
  readonly key?: Uint8Array | null
  readonly value?: Uint8Array | null
  readonly headers?: readonly RecordHeader[]
  /** Milliseconds since the epoch; -1, for none, when absent. */
  readonly timestamp?: number
  /** To the batch's base offset; by default the place in the list. */
  readonly offsetDelta?: number
}

/** What the least record takes: length, attributes, two deltas, key, value and the count of headers, a byte each. */
export const MIN_RECORD_BYTES = 7
/** What the least header takes: the lengths of an empty key and of a null value. */
const MIN_HEADER_BYTES = 2

/** A piece of bytes as it stands in a record: `length` is -1 for null. */
const NULL_LENGTH = -1

/**
 * Walks over the records of one batch without making an object a record: the fields speak of the record that the last
 * {@link next} stepped onto. Every length is checked before it is followed.
 *
 * ```ts
 * const cursor = new RecordCursor(recordBytes(bytes, header, limits), header)
 * while (cursor.next()) if (cursor.timestamp >= wanted) return cursor.offset
 * ```
 */
export class RecordCursor {
  readonly #reader: VarintReader
  readonly #header: BatchHeader
  readonly #appendTime: boolean
  #left: number
  #keyStart = 0
  #keyLength = NULL_LENGTH
  #valueStart = 0
  #valueLength = NULL_LENGTH
  #headersStart = 0

  /** Offset of the record. */
  offset = -1
  /** Its timestamp, which is the batch's maximum when the broker's clock set it. */
  timestamp = -1
  /** How many headers it has. */
  headerCount = 0
  /** Bytes of it with its length before it. */
  sizeBytes = 0

  /** `records` are the batch's records, decompressed. */
  constructor(records: Uint8Array, header: BatchHeader) {
    if (header.recordCount > records.length / MIN_RECORD_BYTES) {
      throw invalidRecord(`${header.recordCount} records said to be in ${records.length} bytes`)
    }
    this.#reader = new VarintReader(records)
    this.#header = header
    this.#appendTime = header.timestampType === 'LogAppendTime'
    this.#left = header.recordCount
  }

  /**
   * Steps onto the next record; false when there was none left.
   *
   * @throws INVALID_RECORD for a record that does not fit its length, and for bytes behind the last one.
   */
  next(): boolean {
    const reader = this.#reader
    if (this.#left === 0) {
      if (reader.position !== reader.bytes.length) {
        throw invalidRecord(`${reader.bytes.length - reader.position} bytes behind the last record`)
      }
      return false
    }
    this.#left--
    const start = reader.position
    reader.end = reader.bytes.length
    const length = reader.varint()
    if (length < MIN_RECORD_BYTES - 1 || length > reader.bytes.length - reader.position) {
      throw invalidRecord(`record of ${length} bytes where ${reader.bytes.length - reader.position} remain`)
    }
    reader.end = reader.position + length
    this.sizeBytes = reader.end - start
    this.#readBody(reader)
    return true
  }

  #readBody(reader: VarintReader): void {
    reader.position++
    const timestamp = this.#header.baseTimestamp + reader.varlong()
    const offset = this.#header.baseOffset + reader.varint()
    if (!Number.isSafeInteger(timestamp) || !Number.isSafeInteger(offset)) {
      throw invalidRecord('timestamp or offset beyond 2^53 - 1')
    }
    this.timestamp = this.#appendTime ? this.#header.maxTimestamp : timestamp
    this.offset = offset
    this.#keyLength = readLength(reader)
    this.#keyStart = reader.position
    if (this.#keyLength > 0) reader.position += this.#keyLength
    this.#valueLength = readLength(reader)
    this.#valueStart = reader.position
    if (this.#valueLength > 0) reader.position += this.#valueLength
    const headerCount = reader.varint()
    if (headerCount < 0 || headerCount > (reader.end - reader.position) / MIN_HEADER_BYTES) {
      throw invalidRecord(`${headerCount} headers said to be in ${reader.end - reader.position} bytes`)
    }
    this.headerCount = headerCount
    this.#headersStart = reader.position
    for (let index = 0; index < headerCount; index++) {
      const keyLength = readLength(reader)
      if (keyLength < 0) throw invalidRecord('header with a null key')
      reader.position += keyLength
      const valueLength = readLength(reader)
      if (valueLength > 0) reader.position += valueLength
    }
    if (reader.position !== reader.end) {
      throw invalidRecord(`${reader.end - reader.position} bytes of a record behind its last header`)
    }
  }

  /** Whether the record has a key. */
  get hasKey(): boolean {
    return this.#keyLength !== NULL_LENGTH
  }

  /** Whether the record has a value; one without is a tombstone to compaction. */
  get hasValue(): boolean {
    return this.#valueLength !== NULL_LENGTH
  }

  /** The key, a view. */
  get key(): Uint8Array | null {
    return view(this.#reader.bytes, this.#keyStart, this.#keyLength)
  }

  /** The value, a view. */
  get value(): Uint8Array | null {
    return view(this.#reader.bytes, this.#valueStart, this.#valueLength)
  }

  /** The headers; values are views. */
  get headers(): RecordHeader[] {
    const reader = new VarintReader(this.#reader.bytes, this.#headersStart, this.#reader.end)
    return Array.from({ length: this.headerCount }, () => {
      const key = textDecoder.decode(take(reader)!)
      return { key, value: take(reader) }
    })
  }

  /** The record as an object of its own. */
  record(): LogRecord {
    return {
      offset: this.offset,
      timestamp: this.timestamp,
      key: this.key,
      value: this.value,
      headers: this.headerCount === 0 ? NO_HEADERS : this.headers,
    }
  }
}

const NO_HEADERS: readonly RecordHeader[] = []
const textDecoder = new TextDecoder('utf-8', { ignoreBOM: true })

function view(bytes: Uint8Array, start: number, length: number): Uint8Array | null {
  return length === NULL_LENGTH ? null : bytes.subarray(start, start + length)
}

function take(reader: VarintReader): Uint8Array | null {
  const length = reader.varint()
  const taken = view(reader.bytes, reader.position, length)
  if (length > 0) reader.position += length
  return taken
}

function readLength(reader: VarintReader): number {
  const length = reader.varint()
  if (length < NULL_LENGTH || length > reader.end - reader.position) {
    throw invalidRecord(`field of ${length} bytes where ${reader.end - reader.position} remain`)
  }
  return length
}

/** Where a record stands in its batch. */
export interface RecordDeltas {
  readonly offsetDelta: number
  readonly timestampDelta: number
}

/** Bytes of a record without the length before it. */
export function recordBodyBytes(record: RecordInput, deltas: RecordDeltas): number {
  let bytes = 1 + varlongBytes(deltas.timestampDelta) + varintBytes(deltas.offsetDelta)
  bytes += fieldBytes(record.key) + fieldBytes(record.value)
  const headers = record.headers ?? NO_HEADERS
  bytes += varintBytes(headers.length)
  for (const header of headers) {
    const keyBytes = Buffer.byteLength(header.key)
    bytes += varintBytes(keyBytes) + keyBytes + fieldBytes(header.value)
  }
  return bytes
}

/** Writes a record of `bodyBytes` ({@link recordBodyBytes}) at `at`; returns where the next one goes. */
export function writeRecord(
  target: Buffer,
  at: number,
  { record, deltas, bodyBytes }: { record: RecordInput; deltas: RecordDeltas; bodyBytes: number },
): number {
  let position = writeVarint(target, at, bodyBytes)
  target[position++] = 0
  position = writeVarlong(target, position, deltas.timestampDelta)
  position = writeVarint(target, position, deltas.offsetDelta)
  position = writeField(target, position, record.key)
  position = writeField(target, position, record.value)
  const headers = record.headers ?? NO_HEADERS
  position = writeVarint(target, position, headers.length)
  for (const header of headers) {
    position = writeVarint(target, position, Buffer.byteLength(header.key))
    position += target.write(header.key, position)
    position = writeField(target, position, header.value)
  }
  return position
}

function fieldBytes(field: Uint8Array | null | undefined): number {
  return field == null ? 1 : varintBytes(field.length) + field.length
}

function writeField(target: Uint8Array, at: number, field: Uint8Array | null | undefined): number {
  if (field == null) return writeVarint(target, at, NULL_LENGTH)
  const position = writeVarint(target, at, field.length)
  target.set(field, position)
  return position + field.length
}
