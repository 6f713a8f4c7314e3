import {
  type BatchHeader,
  batchCrcValid,
  KafkaError,
  nextBatch,
  patchBatch,
  readBatchHeader,
  setMaxTimestamp,
} from '../protocol/index.ts'
import { convertBatches, isCompressed, isMessageSet, mustConvert, PreparedRecords } from './batch-conversion.ts'
import type { LogConfig } from './log-config.ts'
import { stampMessages, toMessageSet } from './old-format-append.ts'
import type { AppendOrigin } from './producer-state.ts'
import { checkRecords, mayLookInto, mustLookInto, recordRules } from './record-check.ts'
import { markerOf, type TransactionMarker } from './transaction-marker.ts'

/** Consumers as old as a producer of an older version could not read it (KIP-110). */
const FIRST_PRODUCE_WITH_ZSTD = 7
/** No codec makes more of such a batch than is unpacked in some milliseconds. */
const QUICKLY_UNPACKED_BYTES = 8 * 1024

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
 * 1 become a batch, and batches of another codec than the topic's are compressed anew, unless they were prepared so; for a
 * topic of an old format batches become a message set. Otherwise the bytes are the given ones and records stay unread.
 *
 * @throws CORRUPT_MESSAGE, INVALID_RECORD, INVALID_TIMESTAMP, MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE,
 * UNSUPPORTED_FOR_MESSAGE_FORMAT, UNSUPPORTED_COMPRESSION_TYPE
 */
export function checkForLeader(records: Uint8Array | PreparedRecords, check: LeaderCheck): CheckedBatches {
  const { config } = check
  const isPrepared = records instanceof PreparedRecords
  let { bytes, batches } = isPrepared ? wholeBatchesOf(records.bytes, config.maxMessageBytes) : admit(records, check)
  const become = (converted: Uint8Array): void => {
    ;({ bytes, batches } = wholeBatchesOf(converted, config.maxMessageBytes))
  }
  const isInOldFormat = isPrepared && config.messageFormat < 2
  if (!isInOldFormat && mustConvert(batches, config)) become(convertBatches(bytes, config))
  if (!isPrepared) {
    const rules = recordRules(config, check)
    for (const header of batches) checkRecords(bytes, header, rules)
    if (config.messageFormat < 2) become(toMessageSet(bytes, config))
  }
  if (bytes.length > config.segmentBytes) {
    throw new KafkaError(
      'RECORD_LIST_TOO_LARGE',
      `${bytes.length} bytes of batches for segments of ${config.segmentBytes}`,
    )
  }
  return { bytes, batches, markers: markersOf(bytes, batches) }
}

/**
 * The batches that are to be unpacked before they can be appended, because the topic stores them in another form or looks
 * into them; undefined where that is quickly done, and where the append will refuse them without unpacking.
 */
export function batchesToUnpack(records: Uint8Array, check: LeaderCheck): Uint8Array | undefined {
  const rules = recordRules(check.config, check)
  const isOfToday = check.config.messageFormat === 2
  const asItCame = check.config.compressionType === 'producer' && !isMessageSet(records) && isOfToday
  if (asItCame && !(isCompressed(records) && mayLookInto(rules))) return undefined
  try {
    const { bytes, batches } = admit(records, check)
    const mustUnpack = batches.some(
      header => header.compression !== 'none' && header.length > QUICKLY_UNPACKED_BYTES && mustLookInto(header, rules),
    )
    return mustUnpack || !isOfToday || mustConvert(batches, check.config) ? bytes : undefined
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

/** Gives batches their offsets, epoch and perhaps time, in place where that can be; returns them as they then are. */
export function stampBatches(checked: CheckedBatches, stamp: Stamp): CheckedBatches {
  if (checked.batches[0] !== undefined && checked.batches[0].magic < 2) {
    return { ...checked, ...stampMessages(checked, stamp) }
  }
  let baseOffset = stamp.nextOffset
  const batches = checked.batches.map(({ position, lastOffsetDelta }) => {
    patchBatch(checked.bytes, position, { baseOffset, partitionLeaderEpoch: stamp.leaderEpoch })
    if (stamp.logAppendTimeMs !== undefined) {
      setMaxTimestamp(checked.bytes, position, { timestampType: 'LogAppendTime', maxTimestamp: stamp.logAppendTimeMs })
    }
    baseOffset += lastOffsetDelta + 1
    return readBatchHeader(checked.bytes, position)!
  })
  return { ...checked, batches }
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
