/** What a broker asks of a format 2 batch that a client produces, beyond a valid CRC (Kafka's LogValidator). */
import type { DecompressLimits } from '../compression/compression-type.ts'
import { KafkaError } from '../errors.ts'
import { type BatchHeader, NO_PRODUCER_ID, NO_TIMESTAMP } from './batch-header.ts'
import { recordCursor } from './record-batch.ts'
import { invalidRecord, invalidTimestamp } from './record-error.ts'

/** One record that made a broker refuse its batch (KIP-467); `index` counts from 0 within the batch. */
export interface RejectedRecord {
  readonly index: number
  readonly message: string
}

/** A batch refused for some of its records, which are named (`INVALID_RECORD`). */
export class RecordsRejectedError extends KafkaError {
  readonly records: readonly RejectedRecord[]

  constructor(records: readonly RejectedRecord[]) {
    super('INVALID_RECORD', `${records.length} records refused, the first for: ${records[0]?.message}`)
    this.name = 'RecordsRejectedError'
    this.records = records
  }
}

/**
 * Checks what the header says, without looking at the records.
 *
 * @throws INVALID_RECORD for a count that does not fit the offsets or is 0, for a control batch, and for a producer id
 * without a sequence; INVALID_TIMESTAMP where the producer claims a broker's append time.
 */
export function checkProducedHeader(header: BatchHeader): void {
  if (header.recordCount === 0 || header.recordCount !== header.lastOffsetDelta + 1) {
    throw invalidRecord(`${header.recordCount} records with a last offset delta of ${header.lastOffsetDelta}`)
  }
  if (header.isControl) throw invalidRecord('clients may not write control records')
  if (header.producerId !== NO_PRODUCER_ID && header.baseSequence < 0) {
    throw invalidRecord(`sequence ${header.baseSequence} of producer id ${header.producerId}`)
  }
  if (header.timestampType === 'LogAppendTime') throw invalidTimestamp('append time set by a producer')
}

/** What is asked of each record. */
export interface ProducedRecordRules extends DecompressLimits {
  /** The topic is compacted: a record without a key could never be superseded. */
  readonly keysRequired?: boolean
}

/** What a walk over the records found. */
export interface ProducedRecords {
  /** The largest timestamp; -1 when there is none. */
  readonly maxTimestamp: number
  /** Offset of the first record that has it. */
  readonly offsetOfMaxTimestamp: number
}

/**
 * Walks over the records, decompressing them where they are compressed: for compacted topics and whoever wants to
 * trust every byte. Allocates nothing a record.
 *
 * @throws INVALID_RECORD for broken records and for offsets with gaps; {@link RecordsRejectedError} for missing keys;
 * MESSAGE_TOO_LARGE when more than `maxBytes` come out.
 */
export function checkProducedRecords(
  bytes: Uint8Array,
  header: BatchHeader,
  rules: ProducedRecordRules,
): ProducedRecords {
  const cursor = recordCursor(bytes, header, rules)
  const rejected: RejectedRecord[] = []
  let maxTimestamp = NO_TIMESTAMP
  let offsetOfMaxTimestamp = header.baseOffset
  for (let index = 0; cursor.next(); index++) {
    if (cursor.offset !== header.baseOffset + index) {
      throw invalidRecord(`record ${index} has offset delta ${cursor.offset - header.baseOffset}`)
    }
    if (rules.keysRequired && !cursor.hasKey) {
      rejected.push({ index, message: 'a compacted topic takes no record without a key' })
    }
    if (cursor.timestamp <= maxTimestamp) continue
    maxTimestamp = cursor.timestamp
    offsetOfMaxTimestamp = cursor.offset
  }
  if (rejected.length > 0) throw new RecordsRejectedError(rejected)
  return { maxTimestamp, offsetOfMaxTimestamp }
}
