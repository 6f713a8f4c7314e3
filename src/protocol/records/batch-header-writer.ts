/** Writes the header of a format 2 batch whose records lie behind it already; see `batch-header.ts` for the fields. */
import type { CompressionType } from '../compression/compression-type.ts'
import { ATTRIBUTE, compressionId, type TimestampType } from './attributes.ts'
import {
  BATCH_FIELD,
  LOG_OVERHEAD_BYTES,
  NO_PARTITION_LEADER_EPOCH,
  NO_PRODUCER_EPOCH,
  NO_PRODUCER_ID,
  NO_SEQUENCE,
  writeBatchCrc,
  writeInt32,
  writeInt64,
} from './batch-header.ts'

/** Who wrote a batch, and as which of his: what a broker tells duplicates by. */
export interface BatchProducer {
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
}

/** What a header says. What may be left out has the value of a producer without idempotence. */
export interface BatchHeaderInput extends Partial<BatchProducer> {
  readonly recordCount: number
  readonly lastOffsetDelta: number
  readonly baseTimestamp: number
  readonly maxTimestamp: number
  readonly baseOffset?: number
  readonly partitionLeaderEpoch?: number
  readonly compression?: CompressionType
  readonly timestampType?: TimestampType
  readonly hasDeleteHorizon?: boolean
  readonly isTransactional?: boolean
  readonly isControl?: boolean
}

/** Writes the header, its CRC included, to the start of `bytes`, which are the whole batch. */
export function writeBatchHeader(bytes: Buffer, header: BatchHeaderInput): void {
  const attributes =
    compressionId(header.compression ?? 'none') |
    (header.timestampType === 'LogAppendTime' ? ATTRIBUTE.logAppendTime : 0) |
    (header.isTransactional ? ATTRIBUTE.transactional : 0) |
    (header.isControl ? ATTRIBUTE.control : 0) |
    (header.hasDeleteHorizon ? ATTRIBUTE.deleteHorizon : 0)
  writeInt64(bytes, 0, header.baseOffset ?? 0)
  writeInt32(bytes, BATCH_FIELD.length, bytes.length - LOG_OVERHEAD_BYTES)
  writeInt32(bytes, BATCH_FIELD.partitionLeaderEpoch, header.partitionLeaderEpoch ?? NO_PARTITION_LEADER_EPOCH)
  bytes[BATCH_FIELD.magic] = 2
  bytes.writeInt16BE(attributes, BATCH_FIELD.attributes)
  writeInt32(bytes, BATCH_FIELD.lastOffsetDelta, header.lastOffsetDelta)
  writeInt64(bytes, BATCH_FIELD.baseTimestamp, header.baseTimestamp)
  writeInt64(bytes, BATCH_FIELD.maxTimestamp, header.maxTimestamp)
  writeInt32(bytes, BATCH_FIELD.recordCount, header.recordCount)
  setBatchProducer(bytes, {
    producerId: header.producerId ?? NO_PRODUCER_ID,
    producerEpoch: header.producerEpoch ?? NO_PRODUCER_EPOCH,
    baseSequence: header.baseSequence ?? NO_SEQUENCE,
  })
}

/** Gives a batch another producer, epoch or sequence, and its CRC anew. */
export function setBatchProducer(bytes: Buffer, producer: BatchProducer): void {
  writeInt64(bytes, BATCH_FIELD.producerId, producer.producerId)
  bytes.writeInt16BE(producer.producerEpoch, BATCH_FIELD.producerEpoch)
  writeInt32(bytes, BATCH_FIELD.baseSequence, producer.baseSequence)
  writeBatchCrc(bytes, 0)
}
