import { ErrorCode } from '../protocol/index.ts'
import type { Log } from '../storage/index.ts'
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
  const slice =
    fetchOffset < maxOffset && !isDiverging ? log.read(fetchOffset, { maxBytes, maxOffset, minOneMessage }) : undefined
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
