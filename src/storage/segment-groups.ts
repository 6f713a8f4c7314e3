import type { CleaningSettings, SegmentToClean } from './cleaning-task.ts'

const MAX_OFFSET_SPAN = 2 ** 31 - 1

/**
 * Neighbouring segments that become one: together no larger than a segment may be, no more index than it may have, and
 * no more offsets than an index can tell apart (Cleaner.groupSegmentsBySize; KAFKA-4451, KAFKA-5413, KAFKA-6264).
 * `endOffset` is where the segment behind them begins.
 */
export function groupSegments(
  segments: readonly SegmentToClean[],
  settings: CleaningSettings,
  endOffset: number,
): SegmentToClean[][] {
  const groups: SegmentToClean[][] = []
  let [bytes, indexBytes, timeIndexBytes] = [0, 0, 0]
  for (const [index, segment] of segments.entries()) {
    const group = groups.at(-1)
    bytes += segment.bytes
    indexBytes += segment.indexBytes
    timeIndexBytes += segment.timeIndexBytes
    const lastOffset = (segments[index + 1]?.baseOffset ?? endOffset) - 1
    const fits =
      bytes <= settings.segmentBytes &&
      indexBytes <= settings.maxIndexSize &&
      timeIndexBytes <= settings.maxIndexSize &&
      // Nothing in an empty segment needs an entry: else one would be left over every 2^31 offsets.
      (segment.bytes === 0 || (group !== undefined && lastOffset - group[0]!.baseOffset <= MAX_OFFSET_SPAN))
    if (group !== undefined && fits) {
      group.push(segment)
      continue
    }
    groups.push([segment])
    bytes = segment.bytes
    indexBytes = segment.indexBytes
    timeIndexBytes = segment.timeIndexBytes
  }
  return groups
}
