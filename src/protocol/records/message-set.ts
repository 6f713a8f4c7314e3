/**
 * Message sets: the formats 0 and 1 of before Kafka 0.11, read and written. A set is a row of entries ({@link
 * BatchHeader} shows their bytes). A compressed set is the value of one more message, its wrapper, which has the offset
 * of the last message inside. Inside, format 0 keeps the messages' own offsets, format 1 counts from the first.
 */
import { compress, decompress } from '../compression/compression.ts'
import type { CompressionType, DecompressLimits } from '../compression/compression-type.ts'
import { compressLz4, decompressLz4 } from '../compression/lz4-frame.ts'
import { ATTRIBUTE, compressionId, type TimestampType } from './attributes.ts'
import { type BatchHeader, NO_TIMESTAMP, readInt32, writeInt32, writeInt64 } from './batch-header.ts'
import { batchCrcValid, batches } from './batches.ts'
import { crc32 } from './crc32.ts'
import type { LogRecord, RecordHeader } from './record.ts'
import { corruptMessage, invalidRecord } from './record-error.ts'

/** The formats that are message sets. */
export type LegacyMagic = 0 | 1

/** Bytes of an entry before its key, by magic. */
const HEADER_BYTES = [18, 26] as const
const NO_HEADERS: readonly RecordHeader[] = []

/**
 * The messages of a whole set, compressed ones unpacked; a part of a message at the end is passed over, as a fetch may
 * cut there.
 *
 * @throws CORRUPT_MESSAGE for a wrong CRC, INVALID_RECORD for what else is broken, MESSAGE_TOO_LARGE when a compressed
 * message gives more than `maxBytes`.
 */
export function* decodeMessageSet(bytes: Uint8Array, limits: DecompressLimits): Generator<LogRecord, void, undefined> {
  for (const header of batches(bytes)) yield* decodeMessages(bytes, header, limits)
}

/** The message of one entry, or those inside it when it is a wrapper; errors as {@link decodeMessageSet}. */
export function* decodeMessages(
  bytes: Uint8Array,
  header: BatchHeader,
  limits: DecompressLimits,
): Generator<LogRecord, void, undefined> {
  const wrapper = readMessage(bytes, header)
  if (header.compression === 'none') {
    yield wrapper
    return
  }
  if (wrapper.value === null) throw invalidRecord('compressed message without a value')
  const inside = unpack(header, wrapper.value, limits)
  const headers = [...batches(inside)]
  const last = headers.at(-1)
  if (last === undefined) throw invalidRecord('compressed message without messages inside')
  const base = header.magic === 1 ? baseOffset(header.baseOffset, last.baseOffset) : 0
  for (const inner of headers) {
    if (inner.magic === 2) throw invalidRecord('batch inside a message')
    if (inner.compression !== 'none') throw invalidRecord('compressed message inside a compressed message')
    const message = readMessage(inside, inner)
    const timestamp = header.timestampType === 'LogAppendTime' ? wrapper.timestamp : message.timestamp
    yield { ...message, offset: base + message.offset, timestamp }
  }
}

function unpack(header: BatchHeader, value: Uint8Array, limits: DecompressLimits): Uint8Array {
  return header.compression === 'lz4'
    ? decompressLz4(value, { maxBytes: limits.maxBytes, legacyChecksum: header.magic === 0 })
    : decompress(header.compression, value, limits)
}

/** The offset that relative ones are added to. Old librdkafkas send 0 as the wrapper's offset, whatever is inside. */
function baseOffset(wrapperOffset: number, lastInside: number): number {
  if (wrapperOffset === 0) return 0
  if (wrapperOffset < lastInside) {
    throw invalidRecord(`compressed message at offset ${wrapperOffset} with offset ${lastInside} inside`)
  }
  return wrapperOffset - lastInside
}

/** The entry's own message: of a wrapper, the compressed set as its value. */
function readMessage(bytes: Uint8Array, header: BatchHeader): LogRecord {
  if (!batchCrcValid(bytes, header)) throw corruptMessage(`message at offset ${header.baseOffset} with a wrong CRC`)
  const end = header.position + header.length
  const keyAt = header.position + HEADER_BYTES[header.magic as LegacyMagic]
  const key = readField(bytes, keyAt, end)
  const valueAt = keyAt + 4 + (key?.length ?? 0)
  const value = readField(bytes, valueAt, end)
  const rest = end - valueAt - 4 - (value?.length ?? 0)
  if (rest !== 0) throw invalidRecord(`${rest} bytes of a message behind its value`)
  return { offset: header.baseOffset, timestamp: header.maxTimestamp, key, value, headers: NO_HEADERS }
}

function readField(bytes: Uint8Array, at: number, end: number): Uint8Array | null {
  const remaining = end - at - 4
  if (remaining < 0) throw invalidRecord('message ends within a length')
  const length = readInt32(bytes, at)
  if (length < -1 || length > remaining) throw invalidRecord(`field of ${length} bytes where ${remaining} remain`)
  return length === -1 ? null : bytes.subarray(at + 4, at + 4 + length)
}

/** Where a leader puts a message, and when. */
export interface MessageStamp {
  readonly offset: number
  /** Set over the producer's when not undefined; format 0 has no time. */
  readonly logAppendTimeMs: number | undefined
}

/** Gives the entry at `header` its offset, which no CRC covers, and perhaps the time of its append. */
export function stampMessage(bytes: Uint8Array, header: BatchHeader, { offset, logAppendTimeMs }: MessageStamp): void {
  const { position, length, magic } = header
  writeInt64(bytes, position, offset)
  if (magic === 0 || logAppendTimeMs === undefined) return
  bytes[position + 17]! |= ATTRIBUTE.logAppendTime
  writeInt64(bytes, position + 18, logAppendTimeMs)
  writeInt32(bytes, position + 12, crc32(bytes, position + 16, position + length))
}

/** A message to write. */
export interface LegacyMessageInput {
  readonly offset: number
  /** Milliseconds since the epoch; format 0 has none. */
  readonly timestamp?: number
  readonly key?: Uint8Array | null
  readonly value?: Uint8Array | null
}

/** A message set to write. */
export interface MessageSetInput {
  readonly magic: LegacyMagic
  /** With rising offsets. */
  readonly messages: readonly LegacyMessageInput[]
  /** `zstd` is not known to these formats. */
  readonly compression?: Exclude<CompressionType, 'zstd'>
  readonly compressionLevel?: number
  readonly timestampType?: TimestampType
}

/** The bytes of a message set; compressed as one wrapper message around all. */
export function encodeMessageSet(set: MessageSetInput): Uint8Array {
  const { magic, messages, compression = 'none' } = set
  const timeBit = magic === 1 && set.timestampType === 'LogAppendTime' ? ATTRIBUTE.logAppendTime : 0
  if (compression === 'none' || messages.length === 0) {
    return Buffer.concat(messages.map(message => encodeMessage(magic, message, timeBit)))
  }
  const first = messages[0]!.offset
  const inside = Buffer.concat(
    messages.map(message => {
      const offset = magic === 1 ? message.offset - first : message.offset
      return encodeMessage(magic, { ...message, offset }, timeBit)
    }),
  )
  const value =
    compression === 'lz4'
      ? compressLz4(inside, { legacyChecksum: magic === 0, level: set.compressionLevel })
      : compress(compression, inside, set.compressionLevel)
  const timestamp = messages.reduce((max, message) => Math.max(max, message.timestamp ?? NO_TIMESTAMP), NO_TIMESTAMP)
  const wrapper = { offset: messages.at(-1)!.offset, timestamp, value }
  return encodeMessage(magic, wrapper, timeBit | compressionId(compression))
}

function encodeMessage(magic: LegacyMagic, message: LegacyMessageInput, attributes: number): Buffer {
  const { key = null, value = null } = message
  const headerBytes = HEADER_BYTES[magic]
  const bytes = Buffer.allocUnsafe(headerBytes + 8 + (key?.length ?? 0) + (value?.length ?? 0))
  writeInt64(bytes, 0, message.offset)
  writeInt32(bytes, 8, bytes.length - 12)
  bytes[16] = magic
  bytes[17] = attributes
  if (magic === 1) writeInt64(bytes, 18, message.timestamp ?? NO_TIMESTAMP)
  let position = headerBytes
  for (const field of [key, value]) {
    writeInt32(bytes, position, field?.length ?? -1)
    position += 4
    if (field === null) continue
    bytes.set(field, position)
    position += field.length
  }
  writeInt32(bytes, 12, crc32(bytes, 16, bytes.length))
  return bytes
}
