/** Record batches of format 2 as a whole: records in, bytes out, and back. */
import assert from 'node:assert/strict'
import { compress, decompress } from '../compression/compression.ts'
import type { CompressionType, DecompressLimits } from '../compression/compression-type.ts'
import type { TimestampType } from './attributes.ts'
import { BATCH_HEADER_BYTES, type BatchHeader, NO_TIMESTAMP } from './batch-header.ts'
import { writeBatchHeader } from './batch-header-writer.ts'
import { decodeMessages } from './message-set.ts'
import { type LogRecord, RecordCursor, type RecordInput, recordBodyBytes, writeRecord } from './record.ts'
import { invalidRecord } from './record-error.ts'
import { varintBytes } from './varint.ts'

/** A batch to write. Everything but the records has a default, that of a producer without idempotence. */
export interface BatchInput {
  readonly records: readonly RecordInput[]
  readonly baseOffset?: number
  /** By default the last record's; larger where a compaction took later records away (also all of them). */
  readonly lastOffsetDelta?: number
  readonly partitionLeaderEpoch?: number
  readonly compression?: CompressionType
  readonly compressionLevel?: number
  /** `LogAppendTime` wants `maxTimestamp`, the time of the append. */
  readonly timestampType?: TimestampType
  /** By default the largest timestamp of the records. */
  readonly maxTimestamp?: number
  /** Written in place of the first record's timestamp, with the attribute that says so (KIP-534). */
  readonly deleteHorizon?: number
  readonly producerId?: number
  readonly producerEpoch?: number
  readonly baseSequence?: number
  readonly isTransactional?: boolean
  readonly isControl?: boolean
}

/** The bytes of a batch. */
export function encodeBatch(batch: BatchInput): Uint8Array {
  const { records, compression = 'none' } = batch
  const baseTimestamp = batch.deleteHorizon ?? records[0]?.timestamp ?? NO_TIMESTAMP
  const sizes = new Array<number>(records.length)
  let recordsBytes = 0
  let lastOffsetDelta = -1
  let maxTimestamp = NO_TIMESTAMP
  for (const [index, record] of records.entries()) {
    const deltas = deltasOf(record, index, baseTimestamp)
    assert(deltas.offsetDelta > lastOffsetDelta, 'offsets of a batch must rise')
    const bodyBytes = recordBodyBytes(record, deltas)
    sizes[index] = bodyBytes
    recordsBytes += varintBytes(bodyBytes) + bodyBytes
    lastOffsetDelta = deltas.offsetDelta
    maxTimestamp = Math.max(maxTimestamp, record.timestamp ?? NO_TIMESTAMP)
  }
  const isPlain = compression === 'none'
  const body = Buffer.allocUnsafe((isPlain ? BATCH_HEADER_BYTES : 0) + recordsBytes)
  let position = isPlain ? BATCH_HEADER_BYTES : 0
  for (const [index, record] of records.entries()) {
    const deltas = deltasOf(record, index, baseTimestamp)
    position = writeRecord(body, position, { record, deltas, bodyBytes: sizes[index]! })
  }
  const bytes = isPlain ? body : behindHeader(compress(compression, body, batch.compressionLevel))
  writeBatchHeader(bytes, {
    // A field stands before the spread, behind which others would each time make a hidden class of its own: that takes microseconds.
    recordCount: records.length,
    ...batch,
    baseTimestamp,
    maxTimestamp: batch.maxTimestamp ?? maxTimestamp,
    lastOffsetDelta: batch.lastOffsetDelta ?? Math.max(lastOffsetDelta, 0),
    hasDeleteHorizon: batch.deleteHorizon !== undefined,
  })
  return bytes
}

function deltasOf(record: RecordInput, index: number, baseTimestamp: number) {
  return {
    offsetDelta: record.offsetDelta ?? index,
    timestampDelta: (record.timestamp ?? NO_TIMESTAMP) - baseTimestamp,
  }
}

/** Compressed records with room for a header before them. */
export function behindHeader(records: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(BATCH_HEADER_BYTES + records.length)
  bytes.set(records, BATCH_HEADER_BYTES)
  return bytes
}

/**
 * The records of a format 2 batch as they lie behind its header, decompressed: a view where they were not compressed.
 *
 * @throws MESSAGE_TOO_LARGE, INVALID_RECORD as {@link decompress} does; INVALID_RECORD when the batch is cut short.
 */
export function recordBytes(bytes: Uint8Array, header: BatchHeader, limits: DecompressLimits): Uint8Array {
  assert(header.magic === 2, 'formats 0 and 1 have messages')
  const end = header.position + header.length
  if (end > bytes.length) throw invalidRecord(`batch of ${header.length} bytes is cut short`)
  const body = bytes.subarray(header.position + BATCH_HEADER_BYTES, end)
  // Plain bytes are in memory already: the limit is for what decompression would add.
  return header.compression === 'none' ? body : decompress(header.compression, body, limits)
}

/** A walk over the records of a format 2 batch; see {@link RecordCursor}. */
export function recordCursor(bytes: Uint8Array, header: BatchHeader, limits: DecompressLimits): RecordCursor {
  return new RecordCursor(recordBytes(bytes, header, limits), header)
}

/**
 * The records of a batch of any format, decompressed and decoded as they are asked for. The CRC of format 2 is the
 * caller's to check ({@link batchCrcValid}).
 *
 * @throws INVALID_RECORD, MESSAGE_TOO_LARGE, and CORRUPT_MESSAGE for a message of an old format with a wrong CRC.
 */
export function* decodeRecords(
  bytes: Uint8Array,
  header: BatchHeader,
  limits: DecompressLimits,
): Generator<LogRecord, void, undefined> {
  if (header.magic !== 2) {
    yield* decodeMessages(bytes, header, limits)
    return
  }
  const cursor = recordCursor(bytes, header, limits)
  while (cursor.next()) yield cursor.record()
}
