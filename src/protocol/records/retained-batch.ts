/** What a compaction makes of a batch: the same batch with fewer records, or with none (Kafka's MemoryRecords.filterTo). */
import { compress } from '../compression/compression.ts'
import {
  BATCH_FIELD,
  BATCH_HEADER_BYTES,
  type BatchHeader,
  LOG_OVERHEAD_BYTES,
  writeBatchCrc,
  writeInt32,
  writeInt64,
} from './batch-header.ts'
import type { LogRecord } from './record.ts'
import { encodeBatch } from './record-batch.ts'

/** The records of a batch that stay. */
export interface RetainedRecords {
  /** As they lay in the batch, decompressed, one behind the other. */
  readonly records: Uint8Array
  readonly count: number
  /** The largest timestamp among them. */
  readonly maxTimestamp: number
}

/**
 * The format 2 batch at `header` with only some of its records, in its own codec. Records count from the batch's base
 * offset and base timestamp, which stay, and so do its last offset and its sequences: the records need not be written anew.
 */
export function retainRecords(bytes: Uint8Array, header: BatchHeader, retained: RetainedRecords): Uint8Array {
  const { compression } = header
  const body = compression === 'none' ? retained.records : compress(compression, retained.records)
  const batch = Buffer.allocUnsafe(BATCH_HEADER_BYTES + body.length)
  batch.set(bytes.subarray(header.position, header.position + BATCH_HEADER_BYTES))
  batch.set(body, BATCH_HEADER_BYTES)
  writeInt32(batch, BATCH_FIELD.length, batch.length - LOG_OVERHEAD_BYTES)
  writeInt64(batch, BATCH_FIELD.maxTimestamp, retained.maxTimestamp)
  writeInt32(batch, BATCH_FIELD.recordCount, retained.count)
  writeBatchCrc(batch, 0)
  return batch
}

/**
 * The batch at `header` with these of its records and the time from which its tombstones, or its marker, may go
 * (KIP-534). That takes the place of the base timestamp, so the records are written anew.
 */
export function setDeleteHorizon(
  header: BatchHeader,
  records: readonly LogRecord[],
  deleteHorizon: number,
): Uint8Array {
  return encodeBatch({
    ...identityOf(header),
    compression: header.compression,
    records: records.map(record => ({ ...record, offsetDelta: record.offset - header.baseOffset })),
    deleteHorizon,
  })
}

/** The header of a batch without any record: it keeps the offsets and the sequences that the batch stood for. */
export function emptyBatch(header: BatchHeader): Uint8Array {
  return encodeBatch({ ...identityOf(header), maxTimestamp: header.maxTimestamp, records: [] })
}

/** What stays of a batch whatever happens to its records. */
function identityOf(header: BatchHeader) {
  return {
    baseOffset: header.baseOffset,
    lastOffsetDelta: header.lastOffsetDelta,
    partitionLeaderEpoch: header.partitionLeaderEpoch,
    timestampType: header.timestampType,
    producerId: header.producerId,
    producerEpoch: header.producerEpoch,
    baseSequence: header.baseSequence,
    isTransactional: header.isTransactional,
    isControl: header.isControl,
    ...(header.timestampType === 'LogAppendTime' ? { maxTimestamp: header.maxTimestamp } : {}),
  }
}
