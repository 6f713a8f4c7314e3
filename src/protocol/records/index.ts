export {
  addToSequence,
  BATCH_FIELD,
  BATCH_HEADER_BYTES,
  type BatchHeader,
  type BatchPlace,
  type BatchTimestamp,
  LOG_OVERHEAD_BYTES,
  NO_PARTITION_LEADER_EPOCH,
  NO_PRODUCER_EPOCH,
  NO_PRODUCER_ID,
  NO_SEQUENCE,
  NO_TIMESTAMP,
  patchBatch,
  readBatchHeader,
  setMaxTimestamp,
} from './batch-header.ts'
export { batchCrcValid, batches, nextBatch } from './batches.ts'
export { COMPRESSION_TYPES, type CompressionType, type TimestampType } from './compression-type.ts'
