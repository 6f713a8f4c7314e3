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

/** The record at or behind `startOffset` with the largest timestamp, the first of them where several have it (KIP-734). */
export function findMaxTimestamp(segments: readonly LogSegment[], startOffset: number): FoundTimestamp | undefined {
  let newest: LogSegment | undefined
  let found: FoundTimestamp | undefined
  for (const segment of segments) {
    const { timestamp } = segment.indexes.maxTimestamp
    if (timestamp <= (found?.timestamp ?? newest?.indexes.maxTimestamp.timestamp ?? -1)) continue
    // Of a segment that is deleted in part the newest record may be gone, and only its batches know the newest that is left.
    if (segment.baseOffset >= startOffset) [newest, found] = [segment, undefined]
    else found = findMaxInSegment(segment, startOffset) ?? found
  }
  return found ?? (newest && findInSegment(newest, newest.indexes.maxTimestamp.timestamp, startOffset))
}

function findMaxInSegment(segment: LogSegment, startOffset: number): FoundTimestamp | undefined {
  let found: FoundTimestamp | undefined
  const scanner = segment.scan(segment.indexes.startOf(startOffset))
  for (let header = scanner.next(); header !== undefined; header = scanner.next()) {
    if (header.maxTimestamp <= (found?.timestamp ?? -1) || header.lastOffset < startOffset) continue
    const { bytes, header: whole } = scanner.batch()
    for (const { timestamp, offset } of decodeRecords(bytes, whole, { maxBytes: MAX_DECOMPRESSED_BYTES })) {
      if (offset >= startOffset && timestamp > (found?.timestamp ?? -1))
        found = { timestamp, offset, leaderEpoch: header.partitionLeaderEpoch }
    }
  }
  return found
}
