import {
  type BatchHeader,
  batchCrcValid,
  KafkaError,
  nextBatch,
  patchBatch,
  readBatchHeader,
  recordCursor,
  setMaxTimestamp,
} from '../protocol/index.ts'
import { convertBatches, mustConvert, PreparedRecords } from './batch-conversion.ts'
import type { LogConfig } from './log-config.ts'
import type { AppendOrigin } from './producer-state.ts'
import { MAX_DECOMPRESSED_BYTES, markerOf, type TransactionMarker } from './transaction-marker.ts'

/** Consumers as old as a producer of an older version could not read it (KIP-110). */
const FIRST_PRODUCE_WITH_ZSTD = 7

/** A record that a topic does not accept, by its place in the batch. */
export interface RecordError {
  readonly batchIndex: number
  readonly message: string
}

/** INVALID_RECORD or INVALID_TIMESTAMP, with the records that are to blame (KIP-467). */
export class RecordValidationError extends KafkaError {
  readonly recordErrors: readonly RecordError[]

  constructor(code: 'INVALID_RECORD' | 'INVALID_TIMESTAMP', recordErrors: readonly RecordError[]) {
    super(code, recordErrors[0]?.message)
    this.recordErrors = recordErrors
  }
}

/** Batches that may be appended. */
export interface CheckedBatches {
  /** Whole batches and nothing else. */
  readonly bytes: Uint8Array
  readonly batches: readonly BatchHeader[]
  /** Of each control batch among {@link batches} that holds one, by its index. */
  readonly markers: ReadonlyMap<number, TransactionMarker> | undefined
}

/** Against what a leader checks. */
export interface LeaderCheck {
  readonly config: LogConfig
  readonly origin: AppendOrigin
  /** Version of the produce request; from 3 on it must hold exactly one batch of format 2. */
  readonly apiVersion: number | undefined
  readonly nowMs: number
}

/**
 * Checks what a client or coordinator wants appended: sizes, CRC, counts, timestamps, keys. Message sets of formats 0 and
 * 1 become a batch, and batches of another codec than the topic's are compressed anew, unless they were prepared so;
 * otherwise the bytes are the given ones and records stay unread.
 *
 * @throws CORRUPT_MESSAGE, INVALID_RECORD, INVALID_TIMESTAMP, MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE,
 * UNSUPPORTED_FOR_MESSAGE_FORMAT, UNSUPPORTED_COMPRESSION_TYPE
 */
export function checkForLeader(records: Uint8Array | PreparedRecords, check: LeaderCheck): CheckedBatches {
  const { config } = check
  let { bytes, batches } =
    records instanceof PreparedRecords ? wholeBatchesOf(records.bytes, config.maxMessageBytes) : admit(records, check)
  if (mustConvert(batches, config)) {
    ;({ bytes, batches } = wholeBatchesOf(convertBatches(bytes, config), config.maxMessageBytes))
  }
  for (const header of batches) checkRecordsOf(bytes, header, check)
  if (bytes.length > config.segmentBytes) {
    throw new KafkaError(
      'RECORD_LIST_TOO_LARGE',
      `${bytes.length} bytes of batches for segments of ${config.segmentBytes}`,
    )
  }
  return { bytes, batches, markers: markersOf(bytes, batches) }
}

/**
 * The batches that are to be converted before they can be appended; undefined where they are stored as they are, and
 * where the append will refuse them without looking into them.
 */
export function batchesToConvert(records: Uint8Array, check: LeaderCheck): Uint8Array | undefined {
  try {
    const { bytes, batches } = admit(records, check)
    return mustConvert(batches, check.config) ? bytes : undefined
  } catch (error) {
    if (error instanceof KafkaError) return undefined
    throw error
  }
}

/** What can be said of records as they came, before any of them is unpacked. */
function admit(records: Uint8Array, check: LeaderCheck): { bytes: Uint8Array; batches: BatchHeader[] } {
  const { config, origin, apiVersion } = check
  const whole = wholeBatchesOf(records, config.maxMessageBytes)
  const { batches } = whole
  if (origin === 'client' && apiVersion !== undefined && apiVersion >= 3) {
    if (batches.length !== 1 || batches[0]!.magic !== 2) {
      throw new KafkaError('INVALID_RECORD', 'a produce request holds exactly one batch of format 2 per partition')
    }
    if (apiVersion < FIRST_PRODUCE_WITH_ZSTD && batches[0]!.compression === 'zstd') {
      throw new KafkaError('UNSUPPORTED_COMPRESSION_TYPE', `version ${apiVersion} of Produce has no zstd`)
    }
  }
  if (batches.length > 0 && batches[0]!.magic === 2) for (const header of batches) checkHeader(header, check)
  return whole
}

/**
 * Checks what a follower fetched: CRC and rising offsets from `nextOffset` on.
 *
 * @throws CORRUPT_MESSAGE; OFFSET_OUT_OF_RANGE for batches that the log has already
 */
export function checkForFollower(records: Uint8Array, nextOffset: number): CheckedBatches {
  const { bytes, batches } = wholeBatchesOf(records, Number.POSITIVE_INFINITY)
  let expected = nextOffset
  for (const header of batches) {
    if (header.lastOffset < expected || (header.magic === 2 && header.baseOffset < expected)) {
      throw new KafkaError('OFFSET_OUT_OF_RANGE', `batch of offset ${header.baseOffset} where ${expected} comes next`)
    }
    expected = header.lastOffset + 1
  }
  return { bytes, batches, markers: markersOf(bytes, batches) }
}

/** How a leader stamps batches. */
export interface Stamp {
  readonly nextOffset: number
  readonly leaderEpoch: number
  /** Set over the producer's timestamps when not undefined. */
  readonly logAppendTimeMs: number | undefined
}

/** Gives batches their offsets, epoch and perhaps time, in place; returns the headers as they then are. */
export function stampBatches(checked: CheckedBatches, stamp: Stamp): BatchHeader[] {
  let baseOffset = stamp.nextOffset
  return checked.batches.map(({ position, lastOffsetDelta }) => {
    patchBatch(checked.bytes, position, { baseOffset, partitionLeaderEpoch: stamp.leaderEpoch })
    if (stamp.logAppendTimeMs !== undefined) {
      setMaxTimestamp(checked.bytes, position, { timestampType: 'LogAppendTime', maxTimestamp: stamp.logAppendTimeMs })
    }
    baseOffset += lastOffsetDelta + 1
    return readBatchHeader(checked.bytes, position)!
  })
}

function wholeBatchesOf(records: Uint8Array, maxBatchBytes: number): { bytes: Uint8Array; batches: BatchHeader[] } {
  const batches: BatchHeader[] = []
  let position = 0
  for (let header = nextBatch(records, 0); header !== undefined; header = nextBatch(records, position)) {
    if (header.length > maxBatchBytes) {
      throw new KafkaError('MESSAGE_TOO_LARGE', `batch of ${header.length} bytes where ${maxBatchBytes} are allowed`)
    }
    if (!batchCrcValid(records, header)) {
      throw new KafkaError('CORRUPT_MESSAGE', `batch does not match its checksum ${header.crc}`)
    }
    batches.push(header)
    position += header.length
  }
  return { bytes: position === records.length ? records : records.subarray(0, position), batches }
}

function checkHeader(header: BatchHeader, { config, origin }: LeaderCheck): void {
  if (header.magic < 2) throw new KafkaError('INVALID_RECORD', 'message of an old format behind a batch')
  if (header.recordCount <= 0 || header.recordCount !== header.lastOffsetDelta + 1) {
    throw new KafkaError(
      'INVALID_RECORD',
      `batch of ${header.recordCount} records with the last offset delta ${header.lastOffsetDelta}`,
    )
  }
  if (origin !== 'client') return
  if (header.isControl) throw new KafkaError('INVALID_RECORD', 'clients may not write control records')
  if (header.producerId >= 0 && (header.baseSequence < 0 || header.producerEpoch < 0)) {
    throw new KafkaError('INVALID_RECORD', `batch of producer ${header.producerId} without a sequence or epoch`)
  }
  if (header.isTransactional && header.producerId < 0) {
    throw new KafkaError('INVALID_RECORD', 'transactional batch without a producer id')
  }
  if (config.messageTimestampType === 'CreateTime' && header.timestampType === 'LogAppendTime') {
    throw new KafkaError('INVALID_TIMESTAMP', 'a producer may not set the append time')
  }
}

function checkRecordsOf(bytes: Uint8Array, header: BatchHeader, { config, origin, nowMs }: LeaderCheck): void {
  if (origin !== 'client') return
  const createTime = config.messageTimestampType === 'CreateTime'
  checkRecords(bytes, header, {
    needsKeys: config.cleanupPolicy.includes('compact'),
    oldest: createTime ? nowMs - config.messageTimestampBeforeMaxMs : Number.NEGATIVE_INFINITY,
    newest: createTime ? nowMs + config.messageTimestampAfterMaxMs : Number.POSITIVE_INFINITY,
  })
}

/** Looks into the records where the topic asks for it, and only there. */
function checkRecords(
  bytes: Uint8Array,
  header: BatchHeader,
  rules: { needsKeys: boolean; oldest: number; newest: number },
): void {
  const timed = rules.oldest > 0 || header.maxTimestamp > rules.newest
  if (!rules.needsKeys && !timed) return
  const cursor = recordCursor(bytes, header, { maxBytes: MAX_DECOMPRESSED_BYTES })
  const errors: RecordError[] = []
  let code: 'INVALID_RECORD' | 'INVALID_TIMESTAMP' = 'INVALID_TIMESTAMP'
  for (let batchIndex = 0; cursor.next(); batchIndex++) {
    const { timestamp } = cursor
    if (rules.needsKeys && !cursor.hasKey) {
      code = 'INVALID_RECORD'
      errors.push({ batchIndex, message: 'Compacted topic cannot accept message without key' })
    } else if (timed && timestamp >= 0 && (timestamp < rules.oldest || timestamp > rules.newest)) {
      const message = `Timestamp ${timestamp} of message is out of range [${rules.oldest}, ${rules.newest}]`
      errors.push({ batchIndex, message })
    }
  }
  if (errors.length > 0) throw new RecordValidationError(code, errors)
}

function markersOf(
  bytes: Uint8Array,
  batches: readonly BatchHeader[],
): ReadonlyMap<number, TransactionMarker> | undefined {
  let markers: Map<number, TransactionMarker> | undefined
  for (let index = 0; index < batches.length; index++) {
    const marker = markerOf(bytes, batches[index]!)
    if (marker === undefined) continue
    markers ??= new Map()
    markers.set(index, marker)
  }
  return markers
}
