import type { BatchHeader } from '../protocol/index.ts'
import type { LeaderEpochCache } from './leader-epoch-cache.ts'
import type { LogSegments } from './log-segments.ts'

const WINDOW_BYTES = 8 * 1024

/** Which batches are looked at. */
export interface EpochCheckRange {
  readonly logStartOffset: number
  readonly endOffset: number
}

/**
 * Holds the epochs of the file, which has no checksum, against the batches on both sides of where each begins, and learns them
 * anew from all batches where these say something else. Returns whether it did.
 *
 * No checksum covers the epoch of a batch either: where batches contradict each other the file is believed.
 */
export function checkEpochs(epochs: LeaderEpochCache, segments: LogSegments, range: EpochCheckRange): boolean {
  if (range.endOffset <= range.logStartOffset || isBorneOut(epochs, segments, range)) return false
  const learnt: BatchHeader[] = []
  for (const segment of segments.between(range.logStartOffset, range.endOffset)) {
    const scanner = segment.scan(0)
    for (let header = scanner.next(); header !== undefined; header = scanner.next()) {
      if (header.baseOffset >= range.endOffset) break
      const epoch = learnt.at(-1)?.partitionLeaderEpoch ?? -1
      if (header.partitionLeaderEpoch < epoch) return false
      if (header.partitionLeaderEpoch > epoch) learnt.push(header)
    }
    segment.close()
  }
  epochs.clear()
  for (const { partitionLeaderEpoch, baseOffset } of learnt) epochs.assign(partitionLeaderEpoch, baseOffset)
  return true
}

function isBorneOut(epochs: LeaderEpochCache, segments: LogSegments, range: EpochCheckRange): boolean {
  const { logStartOffset, endOffset } = range
  const begins = epochs.entries.map(({ startOffset }) => startOffset)
  const inside = begins.filter(offset => offset > logStartOffset && offset < endOffset)
  const batches = [
    firstFrom(segments, logStartOffset),
    ...inside.flatMap(offset => [lastBelow(segments, offset), firstFrom(segments, offset)]),
    lastBelow(segments, endOffset),
  ]
  return batches.every(header => {
    if (header === undefined || header.partitionLeaderEpoch < 0 || header.baseOffset >= endOffset) return true
    return epochs.epochOf(Math.max(header.baseOffset, logStartOffset)) === header.partitionLeaderEpoch
  })
}

/** The first batch that ends at `offset` or behind. */
function firstFrom(segments: LogSegments, offset: number): BatchHeader | undefined {
  for (let segment = segments.floor(offset); segment; segment = segments.higher(segment.baseOffset)) {
    const position = offset <= segment.baseOffset ? 0 : segment.indexes.startOf(offset)
    const scanner = segment.scan(position, WINDOW_BYTES)
    for (let header = scanner.next(); header !== undefined; header = scanner.next()) {
      if (header.lastOffset >= offset) return header
    }
  }
  return undefined
}

/** The last batch that begins below `offset`, in the segment that holds the offset before. */
function lastBelow(segments: LogSegments, offset: number): BatchHeader | undefined {
  const segment = segments.floor(offset - 1)
  if (segment === undefined) return undefined
  const scanner = segment.scan(segment.indexes.startOf(offset - 1), WINDOW_BYTES)
  let last: BatchHeader | undefined
  for (let header = scanner.next(); header !== undefined; header = scanner.next()) {
    if (header.baseOffset >= offset) break
    last = header
  }
  return last
}
