import type { ProducerBatch } from './producer-state-entry.ts'

/** What became of an append. */
export interface LogAppendInfo {
  /** Offset of the first record; -1 when there was nothing to append. */
  readonly firstOffset: number
  /** Offset of the last record; -1 when there was nothing to append. */
  readonly lastOffset: number
  readonly recordCount: number
  /** Bytes that went into the log; 0 for a duplicate. */
  readonly bytes: number
  readonly maxTimestamp: number
  /** The time that the broker set over the records', or -1 where producers' times count. */
  readonly logAppendTimeMs: number
  readonly logStartOffset: number
  /** The log had the batch already: the offsets are those it got the first time. */
  readonly isDuplicate: boolean
}

/** Nothing was appended. */
export function emptyAppend(logStartOffset: number): LogAppendInfo {
  return {
    firstOffset: -1,
    lastOffset: -1,
    recordCount: 0,
    bytes: 0,
    maxTimestamp: -1,
    logAppendTimeMs: -1,
    logStartOffset,
    isDuplicate: false,
  }
}

/** What became of a batch when its producer sent it the first time. */
export function repeatedAppend(known: ProducerBatch, logStartOffset: number): LogAppendInfo {
  return {
    ...emptyAppend(logStartOffset),
    firstOffset: known.lastOffset - known.offsetDelta,
    lastOffset: known.lastOffset,
    recordCount: known.offsetDelta + 1,
    maxTimestamp: known.timestamp,
    logAppendTimeMs: known.timestamp,
    isDuplicate: true,
  }
}
