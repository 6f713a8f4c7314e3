import { batches, ErrorCode, type ErrorName } from '../protocol/index.ts'
import type { Log, LogConfig, LogReadOptions, LogSlice } from '../storage/index.ts'
import {
  type FetchParams,
  type FetchPartition,
  type FetchPartitionResult,
  NO_RECORDS,
  NOT_DIVERGING,
  UNKNOWN_LEADER,
} from './fetch-result.ts'

/** What is left of a fetch's limits when it comes to a partition. */
export interface FetchLimits {
  readonly maxBytes: number
  /** No records are in the response yet: one batch goes in however large it is (KIP-74). */
  readonly minOneMessage: boolean
}

/** Why a topic's settings keep it from an old reader, if so; followers are converted for in any case (KIP-283, KIP-110). */
export function refusalOf(config: LogConfig, params: FetchParams): ErrorName | undefined {
  if (params.isBeforeZstd && config.compressionType === 'zstd') return 'UNSUPPORTED_COMPRESSION_TYPE'
  const mustConvert = params.legacyMagic !== undefined && params.replicaId < 0
  return mustConvert && !config.messageDownconversion ? 'UNSUPPORTED_VERSION' : undefined
}

/**
 * Reads from a log for a fetch; undefined when the log has no such offset. The offsets in the answer are read once, before
 * the records, so that they fit each other.
 */
export function readForFetch(
  log: Log,
  request: FetchPartition,
  { params, limits }: { readonly params: FetchParams; readonly limits: FetchLimits },
): FetchPartitionResult | undefined {
  const { highWatermark, lastStableOffset, logStartOffset, logEndOffset } = log
  const { fetchOffset } = request
  if (fetchOffset < logStartOffset) return undefined
  const divergingEpoch = request.lastFetchedEpoch === -1 ? NOT_DIVERGING : divergence(log, request)
  if (!divergingEpoch) return undefined
  const isDiverging = divergingEpoch !== NOT_DIVERGING
  if (fetchOffset > logEndOffset && !isDiverging) return undefined
  const isCommitted = params.isolation === 'committed'
  const maxOffset =
    params.isolation === 'high_watermark' ? highWatermark : isCommitted ? lastStableOffset : logEndOffset
  const { maxBytes, minOneMessage } = limits
  const read = params.legacyMagic === undefined ? readBatches : readForOldReader
  const slice =
    fetchOffset < maxOffset && !isDiverging ? read(log, fetchOffset, { maxBytes, maxOffset, minOneMessage }) : undefined
  const recordBytes = slice?.bytes ?? 0
  const aborted = slice && recordBytes > 0 && isCommitted ? log.abortedTransactions(fetchOffset, slice.nextOffset) : []
  return {
    partitionIndex: log.topicPartition.partition,
    errorCode: ErrorCode.NONE,
    highWatermark,
    lastStableOffset,
    logStartOffset,
    divergingEpoch,
    currentLeader: UNKNOWN_LEADER,
    abortedTransactions: isCommitted ? aborted : null,
    preferredReadReplica: -1,
    records: slice?.chunks ?? NO_RECORDS,
    recordBytes,
    hasMore: slice !== undefined && slice.nextOffset < maxOffset && (recordBytes > 0 || !minOneMessage),
  }
}

function readBatches(log: Log, startOffset: number, options: LogReadOptions): LogSlice {
  return log.read(startOffset, options)
}

/** So often a read is repeated that found nothing which formats 0 and 1 could hold. */
const MAX_FRUITLESS_READS = 16

/**
 * Passes over what leaves nothing when it is converted: control batches, and batches that a compaction emptied. A reader
 * that was given nothing would ask for the same offset for ever.
 */
function readForOldReader(log: Log, startOffset: number, options: LogReadOptions): LogSlice {
  let slice = log.read(startOffset, options)
  for (let reads = 1; reads < MAX_FRUITLESS_READS && slice.bytes > 0 && !holdsRecords(slice); reads++) {
    slice = log.read(slice.nextOffset, options)
  }
  return slice
}

function holdsRecords({ chunks }: LogSlice): boolean {
  return chunks.some(chunk => {
    for (const { isControl, recordCount } of batches(chunk)) if (!isControl && recordCount !== 0) return true
    return false
  })
}

/**
 * Where the requester's log, whose last record is of `lastFetchedEpoch`, leaves this one (KIP-595); undefined when this
 * log knows nothing of that epoch.
 */
function divergence(
  log: Log,
  { fetchOffset, lastFetchedEpoch }: FetchPartition,
): FetchPartitionResult['divergingEpoch'] | undefined {
  const end = log.offsetForLeaderEpoch(lastFetchedEpoch)
  if (end.epoch === -1 || end.endOffset === -1) return undefined
  return end.epoch < lastFetchedEpoch || end.endOffset < fetchOffset ? end : NOT_DIVERGING
}
