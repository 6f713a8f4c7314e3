/** From the message formats of old clients to batches, and back for those that read. */
import type { CompressionType, DecompressLimits } from '../compression/compression-type.ts'
import type { BatchHeader } from './batch-header.ts'
import { batches } from './batches.ts'
import { decodeMessages, encodeMessageSet, type LegacyMagic } from './message-set.ts'
import type { LogRecord } from './record.ts'
import { decodeRecords, encodeBatch } from './record-batch.ts'
import { invalidRecord, invalidTimestamp, unsupportedCompression } from './record-error.ts'

/** How a message set becomes a batch. */
export interface UpconvertOptions extends DecompressLimits {
  /** Codec of the batch; by default that of the set. */
  readonly compression?: CompressionType
  readonly compressionLevel?: number
}

/**
 * A produced message set of format 0 or 1 as one format 2 batch with base offset 0, as Kafka's LogValidator makes it:
 * offsets count from 0 whatever the producer wrote, a message of format 0 has the timestamp -1. Empty where the set has
 * no whole message.
 *
 * @throws CORRUPT_MESSAGE for a wrong CRC; INVALID_RECORD for broken messages, for a compressed message that is not
 * alone, and for a format 2 batch; INVALID_TIMESTAMP where the producer claims a broker's append time;
 * MESSAGE_TOO_LARGE when more than `maxBytes` come out of a compressed message.
 */
export function upconvert(bytes: Uint8Array, options: UpconvertOptions): Uint8Array {
  const entries = [...batches(bytes)]
  const compression = entries.find(header => header.compression !== 'none')?.compression ?? 'none'
  if (entries.length === 0) return new Uint8Array(0)
  if (compression !== 'none' && entries.length > 1) throw invalidRecord('compressed message beside other messages')
  const records: LogRecord[] = []
  for (const header of entries) {
    if (header.magic === 2) throw invalidRecord('format 2 batch in a message set')
    if (header.timestampType === 'LogAppendTime') throw invalidTimestamp('append time set by a producer')
    for (const record of decodeMessages(bytes, header, options)) records.push(record)
  }
  return encodeBatch({
    records,
    compression: options.compression ?? compression,
    ...(options.compressionLevel === undefined ? {} : { compressionLevel: options.compressionLevel }),
  })
}

/** How batches become message sets. */
export interface DownconvertOptions extends DecompressLimits {
  /** The newest format that the reader knows. */
  readonly magic: LegacyMagic
  /** Records below it are left out. */
  readonly startOffset?: number
  /** Bytes of the set at most, but for its first entry; no limit when left out. */
  readonly maxSetBytes?: number
  readonly compressionLevel?: number
}

/**
 * Batches as a message set for a reader of old formats, codec kept, headers dropped. Entries that are old enough stay
 * as they are; control batches, which such a reader could not tell from records, are left out. Ends before a batch that
 * cannot be converted when there is something before it: that reader will come again and learn why.
 *
 * @throws UNSUPPORTED_COMPRESSION_TYPE for zstd, and what {@link decodeRecords} throws.
 */
export function downconvert(bytes: Uint8Array, options: DownconvertOptions): Uint8Array {
  const { maxSetBytes = Number.POSITIVE_INFINITY } = options
  const parts: Uint8Array[] = []
  let size = 0
  for (const header of batches(bytes)) {
    if (header.isControl) continue
    if (parts.length > 0 && (header.compression === 'zstd' || size >= maxSetBytes)) break
    const isOldEnough = header.magic <= options.magic
    const part = isOldEnough
      ? bytes.subarray(header.position, header.position + header.length)
      : downconvertBatch(bytes, header, options)
    if (part.length === 0) continue
    if (parts.length > 0 && size + part.length > maxSetBytes) break
    parts.push(part)
    size += part.length
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
}

function downconvertBatch(bytes: Uint8Array, header: BatchHeader, options: DownconvertOptions): Uint8Array {
  if (header.compression === 'zstd') throw unsupportedCompression('zstd records for a reader of old formats')
  const { startOffset = 0 } = options
  const messages = [...decodeRecords(bytes, header, options)].filter(record => record.offset >= startOffset)
  return encodeMessageSet({
    magic: options.magic,
    messages,
    compression: header.compression,
    timestampType: header.timestampType,
    ...(options.compressionLevel === undefined ? {} : { compressionLevel: options.compressionLevel }),
  })
}
