import { decodeRecords } from '../protocol/index.ts'
import type { LogSegment } from './log-segment.ts'
import { MAX_DECOMPRESSED_BYTES } from './transaction-marker.ts'

/** A record by its time. */
export interface FoundTimestamp {
  readonly timestamp: number
  readonly offset: number
  /** Epoch of its batch; -1 where the batch has none. */
  readonly leaderEpoch: number
}

/** The first record at or behind `startOffset` whose timestamp is not below `timestamp`. */
export function findByTimestamp(
  segments: readonly LogSegment[],
  timestamp: number,
  startOffset: number,
): FoundTimestamp | undefined {
  for (const segment of segments) {
    if (segment.size === 0 || segment.largestTimestamp < timestamp) continue
    const found = findInSegment(segment, timestamp, startOffset)
    if (found !== undefined) return found
  }
  return undefined
}

function findInSegment(segment: LogSegment, timestamp: number, startOffset: number): FoundTimestamp | undefined {
  const scanner = segment.scan(segment.indexes.startOfTime(timestamp, startOffset))
  for (let header = scanner.next(); header !== undefined; header = scanner.next()) {
    if (header.maxTimestamp < timestamp || header.lastOffset < startOffset) continue
    const { bytes, header: whole } = scanner.batch()
    for (const record of decodeRecords(bytes, whole, { maxBytes: MAX_DECOMPRESSED_BYTES })) {
      if (record.timestamp >= timestamp && record.offset >= startOffset) {
        return { timestamp: record.timestamp, offset: record.offset, leaderEpoch: header.partitionLeaderEpoch }
      }
    }
  }
  return undefined
}

/** The record with the largest timestamp, the first of them where several have it (KIP-734). */
export function findMaxTimestamp(segments: readonly LogSegment[], startOffset: number): FoundTimestamp | undefined {
  let newest: LogSegment | undefined
  for (const segment of segments) {
    const { timestamp } = segment.indexes.maxTimestamp
    if (timestamp >= 0 && timestamp > (newest?.indexes.maxTimestamp.timestamp ?? -1)) newest = segment
  }
  return newest && findInSegment(newest, newest.indexes.maxTimestamp.timestamp, startOffset)
}
