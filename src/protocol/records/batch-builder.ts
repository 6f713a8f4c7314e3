/**
 * A record batch that grows record by record: each is encoded when it comes, into memory that goes to the socket as it is,
 * without an object a record in between.
 */
import { bufferPool } from '../../platform/index.ts'
import { compress } from '../compression/compression.ts'
import type { CompressionType } from '../compression/compression-type.ts'
import { BATCH_HEADER_BYTES, NO_TIMESTAMP } from './batch-header.ts'
import { type BatchProducer, writeBatchHeader } from './batch-header-writer.ts'
import type { RecordHeader } from './record.ts'
import { behindHeader } from './record-batch.ts'
import { varintBytes, varlongBytes, writeVarint, writeVarlong } from './varint.ts'

/** A key or a value: bytes, or a text that is written as UTF-8. */
export type RecordPart = Uint8Array | string | null

/** Up to this length a loop over characters or bytes is faster than a call into C++. */
const LOOPED = 32
/** Length, attributes and the two deltas at their longest. */
const MOST_FRAMING_BYTES = 5 + 1 + 10 + 5

/** How a batch is closed. */
export interface BatchEnd extends Partial<BatchProducer> {
  readonly compression?: CompressionType
  readonly compressionLevel?: number | undefined
  readonly isTransactional?: boolean
}

export class BatchBuilder {
  #buffer: Buffer
  #position = BATCH_HEADER_BYTES
  #recordCount = 0
  #baseTimestamp = NO_TIMESTAMP
  #maxTimestamp = NO_TIMESTAMP

  /** `capacity` is what it begins with; it grows as records come. The memory is of the pool. */
  constructor(capacity: number) {
    this.#buffer = bufferPool.take(Math.max(capacity, BATCH_HEADER_BYTES))
  }

  get recordCount(): number {
    return this.#recordCount
  }

  /** Bytes of the batch as it is, uncompressed. */
  get sizeBytes(): number {
    return this.#position
  }

  /** Adds a record; `timestamp` in milliseconds since 1970. */
  append(timestamp: number, key: RecordPart, value: RecordPart, headers: readonly RecordHeader[]): void {
    if (this.#recordCount === 0) this.#baseTimestamp = timestamp
    if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp
    const delta = timestamp - this.#baseTimestamp
    const offsetDelta = this.#recordCount++
    const keyBytes = partBytes(key)
    const valueBytes = partBytes(value)
    let body = 1 + (delta === 0 ? 1 : varlongBytes(delta)) + varintBytes(offsetDelta)
    body +=
      varintBytes(keyBytes) +
      (keyBytes > 0 ? keyBytes : 0) +
      varintBytes(valueBytes) +
      (valueBytes > 0 ? valueBytes : 0)
    body += headers.length === 0 ? 1 : headersBytes(headers)
    if (this.#position + 5 + body > this.#buffer.length) this.#grow(5 + body)
    const buffer = this.#buffer
    let at = writeVarint(buffer, this.#position, body)
    buffer[at++] = 0
    if (delta === 0) buffer[at++] = 0
    else at = writeVarlong(buffer, at, delta)
    at = writeVarint(buffer, at, offsetDelta)
    at = writePart(buffer, writeVarint(buffer, at, keyBytes), key, keyBytes)
    at = writePart(buffer, writeVarint(buffer, at, valueBytes), value, valueBytes)
    if (headers.length === 0) buffer[at++] = 0
    else at = writeHeaders(buffer, at, headers)
    this.#position = at
  }

  /** The bytes of the batch, which whoever has no use for them any more may recycle. Nothing can be added afterwards. */
  finish({ compression = 'none', compressionLevel, ...end }: BatchEnd): Buffer {
    const records = this.#buffer.subarray(0, this.#position)
    let bytes = records
    if (compression !== 'none') {
      bytes = behindHeader(compress(compression, records.subarray(BATCH_HEADER_BYTES), compressionLevel))
      bufferPool.recycle(records)
    }
    writeBatchHeader(bytes, {
      recordCount: this.#recordCount,
      ...end,
      compression,
      lastOffsetDelta: Math.max(this.#recordCount - 1, 0),
      baseTimestamp: this.#baseTimestamp,
      maxTimestamp: this.#maxTimestamp,
    })
    return bytes
  }

  #grow(room: number): void {
    const larger = bufferPool.take(Math.max(this.#buffer.length * 2, this.#position + room))
    this.#buffer.copy(larger, 0, 0, this.#position)
    bufferPool.recycle(this.#buffer)
    this.#buffer = larger
  }
}

/** Bytes that a record takes in a batch, at most: what a producer reckons with before it has one. */
export function mostRecordBytes(key: RecordPart, value: RecordPart, headers: readonly RecordHeader[]): number {
  const parts = 5 + Math.max(0, partBytes(key)) + 5 + Math.max(0, partBytes(value))
  return MOST_FRAMING_BYTES + parts + headersBytes(headers)
}

/** Bytes of a part; -1 for null, as its length is written. */
function partBytes(part: RecordPart): number {
  if (part === null) return -1
  return typeof part === 'string' ? textBytes(part) : part.length
}

function textBytes(text: string): number {
  if (text.length >= LOOPED) return Buffer.byteLength(text)
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) > 0x7f) return Buffer.byteLength(text)
  }
  return text.length
}

function writePart(target: Buffer, at: number, part: RecordPart, bytes: number): number {
  if (part === null) return at
  if (typeof part !== 'string') {
    if (bytes < LOOPED) for (let index = 0; index < bytes; index++) target[at + index] = part[index]!
    else target.set(part, at)
  } else if (bytes === part.length) {
    // As many bytes as characters: all of them are ASCII.
    if (bytes < LOOPED) for (let index = 0; index < bytes; index++) target[at + index] = part.charCodeAt(index)
    else target.write(part, at, bytes, 'latin1')
  } else target.write(part, at, bytes, 'utf8')
  return at + bytes
}

function headersBytes(headers: readonly RecordHeader[]): number {
  let bytes = varintBytes(headers.length)
  for (const { key, value } of headers) {
    const keyBytes = textBytes(key)
    bytes += varintBytes(keyBytes) + keyBytes
    bytes += value === null ? 1 : varintBytes(value.length) + value.length
  }
  return bytes
}

function writeHeaders(target: Buffer, start: number, headers: readonly RecordHeader[]): number {
  let at = writeVarint(target, start, headers.length)
  for (const { key, value } of headers) {
    const keyBytes = textBytes(key)
    at = writePart(target, writeVarint(target, at, keyBytes), key, keyBytes)
    at = writePart(target, writeVarint(target, at, value === null ? -1 : value.length), value, value?.length ?? 0)
  }
  return at
}
