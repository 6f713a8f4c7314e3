export type { TimestampType } from './attributes.ts'
export { BatchBuilder, type BatchEnd, mostRecordBytes, type RecordPart } from './batch-builder.ts'
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
export { type BatchProducer, setBatchProducer } from './batch-header-writer.ts'
export { batchCrcValid, batches, nextBatch } from './batches.ts'
export {
  decodeEndTxnMarker,
  encodeEndTxnMarker,
  type TransactionMarker,
  type TransactionMarkerBatch,
  type TransactionResult,
} from './control-record.ts'
export { type DownconvertOptions, downconvert, type UpconvertOptions, upconvert } from './convert.ts'
export {
  decodeMessageSet,
  decodeMessages,
  encodeMessageSet,
  type LegacyMagic,
  type LegacyMessageInput,
  type MessageSetInput,
  stampMessage,
} from './message-set.ts'
export {
  checkProducedHeader,
  checkProducedRecords,
  type ProducedRecordRules,
  type ProducedRecords,
  RecordsRejectedError,
  type RejectedRecord,
} from './produced-batch.ts'
export { type LogRecord, RecordCursor, type RecordHeader, type RecordInput } from './record.ts'
export { type BatchInput, decodeRecords, encodeBatch, recordBytes, recordCursor } from './record-batch.ts'
export { emptyBatch, type RetainedRecords, retainRecords, setDeleteHorizon } from './retained-batch.ts'
