import type { LeaderEpochCache } from './leader-epoch-cache.ts'
import type { LoadOptions } from './log-loader.ts'
import type { LogSegment } from './log-segment.ts'
import type { LogSegments } from './log-segments.ts'
import { rebuildProducers } from './producer-replay.ts'
import type { ProducerSnapshots } from './producer-snapshots.ts'
import type { ProducerState } from './producer-state.ts'
import { removeSegmentFiles } from './segment-deletion.ts'
import { newestOf } from './time-index.ts'
import { partitionName } from './topic-partition.ts'
import { markerOf } from './transaction-marker.ts'

/** What a recovery works on. */
export interface RecoveryParts {
  readonly segments: LogSegments
  readonly snapshots: ProducerSnapshots
  readonly producers: ProducerState
  readonly epochs: LeaderEpochCache
}

const WINDOW_BYTES = 1 << 20
/** Scanned between two pauses: some 20 ms. */
const PAUSE_EVERY_BYTES = 8 << 20

/**
 * Scans every segment that reaches above the recovery point from its begin, cuts the log behind the last batch that is
 * whole (length, CRC, offsets and epochs that follow on), drops all segments behind a cut, and makes indexes, epochs and
 * producers of what it scanned anew. Segments below were synced with their indexes before the recovery point passed
 * them. Returns where the log ends; undefined for a log without segments.
 */
export async function recoverSegments(
  parts: RecoveryParts,
  options: LoadOptions,
  recoveryPoint: number,
): Promise<number | undefined> {
  const { segments, snapshots, producers } = parts
  if (segments.count === 0) return undefined
  tellHoles(segments, options, recoveryPoint)
  // A segment that ends at the recovery point may have been rolled since without its indexes being synced.
  const unflushed = segments.between(recoveryPoint - 1, Number.POSITIVE_INFINITY)
  const first = unflushed[0]!
  // Epochs above the scan come from the file, those of the scan from the batches.
  parts.epochs.truncateFromEnd(first.baseOffset)
  snapshots.truncateTo(first.baseOffset)
  const range = { logStartOffset: options.logStartOffset, highWatermark: options.highWatermark }
  rebuildProducers(producers, parts, { ...range, endOffset: first.baseOffset })
  let end = first.baseOffset
  let previousIsDense = true
  let wasCut = options.wasCutOff
  const countBefore = segments.count
  for (const segment of unflushed) {
    // What is behind a hole of offsets that were synced was there when somebody or a failing disk made it.
    const isGap = segment.baseOffset > end && segment.baseOffset > Math.max(options.logStartOffset, recoveryPoint)
    if (isGap && previousIsDense && gapMeansLoss(segment, options)) {
      dropFrom(segment, parts, options, `offsets ${end} to ${segment.baseOffset - 1} are missing before it`)
      break
    }
    if (segment.baseOffset < end) {
      dropFrom(segment, parts, options, `the segment before it reaches to ${end - 1}`)
      break
    }
    if (segment !== first) {
      segments.floor(segment.baseOffset - 1)!.indexes.seal()
      producers.mapEndOffset = segment.baseOffset
      snapshots.take(producers)
    }
    const scan = await recoverSegment(segment, parts, options)
    end = scan.nextOffset
    previousIsDense = scan.isDense
    if (scan.bytesCut > 0) {
      wasCut = true
      const next = segments.higher(segment.baseOffset)
      if (next !== undefined) dropFrom(next, parts, options, 'the segment before it was cut')
      break
    }
  }
  producers.mapEndOffset = end
  if (wasCut || segments.count < countBefore) {
    // What was cut off must not come back with the next power cut, when readers have seen something else in its place.
    await segments.active.records.sync()
    await options.context.disk.syncDirectory(options.path)
  }
  // The log was being cut, and the checkpoint does not know it: the next recovery would look at what comes before, and undo this one.
  if (end < recoveryPoint && end === first.baseOffset && first !== segments.first) {
    return recoverSegments(parts, options, end)
  }
  return end
}

/** Offsets that were synced and are missing between two segments: no power cut has taken them. */
function tellHoles(segments: LogSegments, options: LoadOptions, recoveryPoint: number): void {
  let end: number | undefined
  for (const segment of segments.all) {
    const { baseOffset } = segment
    if (baseOffset > recoveryPoint) return
    if (end !== undefined && baseOffset > Math.max(end, options.logStartOffset) && gapMeansLoss(segment, options)) {
      const fields = { partition: partitionName(options.topicPartition), missing: `${end} to ${baseOffset - 1}` }
      options.context.logger.error(
        fields,
        'synced records are missing between two segments: the log goes on behind them',
      )
    }
    end = segment.readNextOffset()
  }
}

/**
 * Whether missing offsets before a segment are a loss: above the recovery point the end of the segment before it, or whole
 * segments, were not on disk when the power went. Behind a compaction they may just as well have been cleaned away.
 */
function gapMeansLoss(segment: LogSegment, { config, cleanedUpTo }: LoadOptions): boolean {
  if (cleanedUpTo !== undefined) return segment.baseOffset > cleanedUpTo
  return !config.cleanupPolicy.includes('compact')
}

function dropFrom(from: LogSegment, parts: RecoveryParts, options: LoadOptions, reason: string): void {
  const gone = parts.segments.all.filter(({ baseOffset }) => baseOffset >= from.baseOffset)
  const { logger } = options.context
  logger.warn(
    { partition: partitionName(options.topicPartition), baseOffsets: gone.map(({ baseOffset }) => baseOffset) },
    `recovery drops segments: ${reason}`,
  )
  parts.segments.remove(gone)
  for (const segment of gone.reverse()) {
    removeSegmentFiles(segment, options.context)
    parts.snapshots.remove(segment.baseOffset)
  }
}

async function recoverSegment(
  segment: LogSegment,
  { epochs, producers }: RecoveryParts,
  { context, pause, highWatermark, topicPartition }: LoadOptions,
): Promise<{ nextOffset: number; bytesCut: number; isDense: boolean }> {
  const startedMs = context.clock.monotonicMs()
  segment.indexes.reset()
  const scanner = segment.scan(0, WINDOW_BYTES)
  let nextOffset = segment.baseOffset
  let isDense = true
  let valid = 0
  let pausedAt = 0
  for (let header = scanner.next(); header !== undefined; header = scanner.next()) {
    const follows = header.magic < 2 ? header.lastOffset >= nextOffset : header.baseOffset >= nextOffset
    const epoch = header.partitionLeaderEpoch
    if (!follows || !segment.canHold(header.lastOffset) || (epoch >= 0 && epoch < (epochs.latestEpoch ?? -1))) break
    if (!scanner.crcValid()) break
    if (header.baseOffset > nextOffset) isDense = false
    segment.indexes.add(header, scanner.position, newestOf(header))
    epochs.assign(epoch, header.baseOffset)
    if (header.producerId >= 0) {
      const whole = header.isControl ? scanner.batch() : undefined
      const aborted = producers.update(header, whole && markerOf(whole.bytes, whole.header), highWatermark)
      if (aborted !== undefined) segment.indexes.transactions.add(aborted)
    }
    nextOffset = header.lastOffset + 1
    valid = scanner.end
    if (valid - pausedAt > PAUSE_EVERY_BYTES) {
      pausedAt = valid
      await pause()
    }
  }
  const bytesCut = segment.size - valid
  segment.records.truncate(valid)
  const partition = partitionName(topicPartition)
  const ms = Math.round(context.clock.monotonicMs() - startedMs)
  if (valid > 0 || bytesCut > 0) {
    context.logger.info(
      { partition, baseOffset: segment.baseOffset, bytes: valid, bytesCut, nextOffset, ms },
      'recovered segment',
    )
  }
  return { nextOffset, bytesCut, isDense }
}
