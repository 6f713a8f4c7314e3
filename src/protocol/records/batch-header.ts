/**
 * The header of a record batch, read and patched where it lies.
 *
 * Format 2 (61 bytes, then the records):
 *
 * ```
 *  0 base offset          int64     not covered by the CRC: the broker assigns it
 *  8 length               int32     of what follows, so 49 or more
 * 12 partition leader epoch int32   not covered either
 * 16 magic                int8
 * 17 CRC-32C              uint32    of everything from the attributes on
 * 21 attributes           int16     codec 0-2, timestamp type 3, transactional 4, control 5, delete horizon 6
 * 23 last offset delta    int32
 * 27 base timestamp       int64
 * 35 max timestamp        int64
 * 43 producer id          int64
 * 51 producer epoch       int16
 * 53 base sequence        int32
 * 57 record count         int32
 * ```
 *
 * Formats 0 and 1 have no batch: a message is one entry, and a compressed set of them is the value of another. Logs
 * written long ago and requests of old clients hold them, so the header of such an entry reads as a batch of its own:
 *
 * ```
 *  0 offset     int64   of a compressed set: that of its last message
 *  8 length     int32   of what follows, so 14 (format 0) or 22 (format 1) or more
 * 12 CRC-32     uint32  of everything from the magic on
 * 16 magic      int8
 * 17 attributes int8
 * 18 timestamp  int64   format 1 only; then key and value, each with an int32 length before it
 * ```
 */

import { COMPRESSION_TYPES, type CompressionType } from '../compression/compression-type.ts'
import { crc32c } from '../crc32c.ts'
import { ATTRIBUTE, type TimestampType } from './attributes.ts'

/** Bytes of a format 2 header: the smallest batch, one without records. */
export const BATCH_HEADER_BYTES = 61
/** Bytes of offset and length, which the length does not count. */
export const LOG_OVERHEAD_BYTES = 12
/** Bytes up to and with the magic, which has the same place in every format. */
export const HEADER_UP_TO_MAGIC_BYTES = 17
/** The producer id of a batch whose producer is not idempotent. */
export const NO_PRODUCER_ID = -1
/** The producer epoch beside {@link NO_PRODUCER_ID}. */
export const NO_PRODUCER_EPOCH = -1
/** The sequence of a batch that has none. */
export const NO_SEQUENCE = -1
/** The timestamp of a message that has none: all of format 0. */
export const NO_TIMESTAMP = -1
/** The leader epoch of a batch that no leader has stamped yet. */
export const NO_PARTITION_LEADER_EPOCH = -1

/** Where fields of format 2 lie. */
export const BATCH_FIELD = {
  length: 8,
  partitionLeaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57,
} as const

/** Bytes of the smallest entry of each format, by magic. */
export const MIN_BATCH_BYTES = [
  LOG_OVERHEAD_BYTES + 14,
  LOG_OVERHEAD_BYTES + 22,
  BATCH_HEADER_BYTES,
] as const satisfies readonly number[]

/**
 * What the header of a batch says. Checked when read: sizes that cannot be, unknown magic and codec, numbers that are
 * not exact. Not checked: the CRC ({@link batchCrcValid}) and what only the records can tell.
 *
 * Of a format 0 or 1 entry the fields that it lacks read as "none": -1, and the base offset is the entry's own offset,
 * which of a compressed set is that of its *last* message.
 */
export interface BatchHeader {
  /** Where the batch begins in the bytes it was read from. */
  readonly position: number
  /** Bytes of the whole batch: the next one begins at `position + length`. */
  readonly length: number
  /** 2, or 0 or 1 for an entry of the old formats. */
  readonly magic: 0 | 1 | 2
  readonly baseOffset: number
  readonly lastOffset: number
  readonly lastOffsetDelta: number
  readonly partitionLeaderEpoch: number
  readonly crc: number
  readonly attributes: number
  readonly compression: CompressionType
  readonly timestampType: TimestampType
  readonly isTransactional: boolean
  /** The batch holds a marker of a transaction coordinator and not a user's records. */
  readonly isControl: boolean
  /** `baseTimestamp` is the time from which a compaction may drop tombstones, not the first record's (KIP-534). */
  readonly hasDeleteHorizon: boolean
  readonly baseTimestamp: number
  readonly maxTimestamp: number
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  /** Sequence of the last record: `baseSequence + lastOffsetDelta`, beginning again at 0 after 2^31 - 1. */
  readonly lastSequence: number
  /** How many records follow, as the producer says; -1 in formats 0 and 1. */
  readonly recordCount: number
}

/** The int32 at `at`. */
export function readInt32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
}

/** The int64 at `at`; NaN where it is outside ±(2^53 - 1), which no field of ours may be. */
export function readInt64(bytes: Uint8Array, at: number): number {
  const value = readInt32(bytes, at) * 0x1_0000_0000 + (readInt32(bytes, at + 4) >>> 0)
  return value <= Number.MAX_SAFE_INTEGER && value >= -Number.MAX_SAFE_INTEGER ? value : Number.NaN
}

/** Writes an int32 at `at`. */
export function writeInt32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}

/** Writes a whole number within ±(2^53 - 1) as an int64 at `at`. */
export function writeInt64(bytes: Uint8Array, at: number, value: number): void {
  writeInt32(bytes, at, Math.floor(value / 0x1_0000_0000))
  writeInt32(bytes, at + 4, value >>> 0)
}

/** `sequence + increment` in the ring of sequences 0 to 2^31 - 1; both non-negative. */
export function addToSequence(sequence: number, increment: number): number {
  const sum = sequence + increment
  return sum > 0x7fff_ffff ? sum - 0x8000_0000 : sum
}

/**
 * The header of the batch that begins at `position`, or undefined where the bytes end before the header does or hold
 * nothing that could be one. The records behind the header need not be there.
 */
export function readBatchHeader(bytes: Uint8Array, position: number): BatchHeader | undefined {
  if (position + HEADER_UP_TO_MAGIC_BYTES > bytes.length) return undefined
  const magic = bytes[position + BATCH_FIELD.magic]!
  if (magic !== 2) return magic < 2 ? readLegacyHeader(bytes, position, magic as 0 | 1) : undefined
  const length = readInt32(bytes, position + BATCH_FIELD.length) + LOG_OVERHEAD_BYTES
  if (length < BATCH_HEADER_BYTES || position + BATCH_HEADER_BYTES > bytes.length) return undefined
  const attributes = (bytes[position + BATCH_FIELD.attributes]! << 8) | bytes[position + BATCH_FIELD.attributes + 1]!
  const compression = COMPRESSION_TYPES[attributes & ATTRIBUTE.compressionMask]
  const baseOffset = readInt64(bytes, position)
  const lastOffsetDelta = readInt32(bytes, position + BATCH_FIELD.lastOffsetDelta)
  const recordCount = readInt32(bytes, position + BATCH_FIELD.recordCount)
  const baseTimestamp = readInt64(bytes, position + BATCH_FIELD.baseTimestamp)
  const maxTimestamp = readInt64(bytes, position + BATCH_FIELD.maxTimestamp)
  const producerId = readInt64(bytes, position + BATCH_FIELD.producerId)
  const baseSequence = readInt32(bytes, position + BATCH_FIELD.baseSequence)
  const lastOffset = baseOffset + lastOffsetDelta
  if (compression === undefined || lastOffsetDelta < 0 || recordCount < 0) return undefined
  // One NaN makes the sum NaN; the sum itself means nothing.
  if (Number.isNaN(baseOffset + baseTimestamp + maxTimestamp + producerId)) return undefined
  if (lastOffset > Number.MAX_SAFE_INTEGER) return undefined
  return {
    position,
    length,
    magic: 2,
    baseOffset,
    lastOffset,
    lastOffsetDelta,
    partitionLeaderEpoch: readInt32(bytes, position + BATCH_FIELD.partitionLeaderEpoch),
    crc: readInt32(bytes, position + BATCH_FIELD.crc) >>> 0,
    attributes,
    compression,
    timestampType: attributes & ATTRIBUTE.logAppendTime ? 'LogAppendTime' : 'CreateTime',
    isTransactional: (attributes & ATTRIBUTE.transactional) !== 0,
    isControl: (attributes & ATTRIBUTE.control) !== 0,
    hasDeleteHorizon: (attributes & ATTRIBUTE.deleteHorizon) !== 0,
    baseTimestamp,
    maxTimestamp,
    producerId,
    producerEpoch:
      ((bytes[position + BATCH_FIELD.producerEpoch]! << 24) >> 16) | bytes[position + BATCH_FIELD.producerEpoch + 1]!,
    baseSequence,
    lastSequence: baseSequence < 0 ? NO_SEQUENCE : addToSequence(baseSequence, lastOffsetDelta),
    recordCount,
  }
}

/** The header of a format 0 or 1 entry in the shape of a batch's. */
function readLegacyHeader(bytes: Uint8Array, position: number, magic: 0 | 1): BatchHeader | undefined {
  const length = readInt32(bytes, position + BATCH_FIELD.length) + LOG_OVERHEAD_BYTES
  const headerBytes = magic === 0 ? 18 : 26
  if (length < MIN_BATCH_BYTES[magic] || position + headerBytes > bytes.length) return undefined
  const attributes = bytes[position + 17]!
  const compression = COMPRESSION_TYPES[attributes & ATTRIBUTE.compressionMask]
  const offset = readInt64(bytes, position)
  const timestamp = magic === 0 ? NO_TIMESTAMP : readInt64(bytes, position + 18)
  // zstd came after format 2 and is in no older one (KIP-110).
  if (compression === undefined || compression === 'zstd' || Number.isNaN(offset + timestamp)) return undefined
  return {
    position,
    length,
    magic,
    baseOffset: offset,
    lastOffset: offset,
    lastOffsetDelta: 0,
    partitionLeaderEpoch: NO_PARTITION_LEADER_EPOCH,
    crc: readInt32(bytes, position + 12) >>> 0,
    attributes,
    compression,
    timestampType: magic === 1 && attributes & ATTRIBUTE.logAppendTime ? 'LogAppendTime' : 'CreateTime',
    isTransactional: false,
    isControl: false,
    hasDeleteHorizon: false,
    baseTimestamp: timestamp,
    maxTimestamp: timestamp,
    producerId: NO_PRODUCER_ID,
    producerEpoch: NO_PRODUCER_EPOCH,
    baseSequence: NO_SEQUENCE,
    lastSequence: NO_SEQUENCE,
    recordCount: -1,
  }
}

/** Where a leader puts a batch. */
export interface BatchPlace {
  readonly baseOffset: number
  readonly partitionLeaderEpoch: number
}

/** Gives the format 2 batch at `position` its place in the log. The CRC does not cover these fields. */
export function patchBatch(bytes: Uint8Array, position: number, place: BatchPlace): void {
  writeInt64(bytes, position, place.baseOffset)
  writeInt32(bytes, position + BATCH_FIELD.partitionLeaderEpoch, place.partitionLeaderEpoch)
}

/** The timestamp that a broker sets over a producer's. */
export interface BatchTimestamp {
  readonly timestampType: TimestampType
  readonly maxTimestamp: number
}

/**
 * Sets type and maximum of the timestamps of the format 2 batch at `position`, which must lie in `bytes` to its end, and
 * its CRC anew. With `LogAppendTime` every record of the batch has `maxTimestamp` for a reader, whatever it holds itself.
 */
export function setMaxTimestamp(bytes: Uint8Array, position: number, timestamp: BatchTimestamp): void {
  const low = position + BATCH_FIELD.attributes + 1
  const isAppendTime = timestamp.timestampType === 'LogAppendTime'
  bytes[low] = isAppendTime ? bytes[low]! | ATTRIBUTE.logAppendTime : bytes[low]! & ~ATTRIBUTE.logAppendTime
  writeInt64(bytes, position + BATCH_FIELD.maxTimestamp, timestamp.maxTimestamp)
  writeBatchCrc(bytes, position)
}

/** Computes and writes the CRC of the format 2 batch at `position`. */
export function writeBatchCrc(bytes: Uint8Array, position: number): void {
  const end = position + readInt32(bytes, position + BATCH_FIELD.length) + LOG_OVERHEAD_BYTES
  writeInt32(bytes, position + BATCH_FIELD.crc, crc32c(bytes, position + BATCH_FIELD.attributes, end))
}
