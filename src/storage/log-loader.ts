import { checkEpochs } from './epoch-check.ts'
import { LeaderEpochCache } from './leader-epoch-cache.ts'
import { type DirectoryListing, removeOrphans, tidyDirectory } from './leftover-files.ts'
import { Log } from './log.ts'
import type { LogConfig } from './log-config.ts'
import type { LogDirectory, StorageContext } from './log-directory.ts'
import type { LogOwner } from './log-parts.ts'
import { LogSegment } from './log-segment.ts'
import { LogSegments } from './log-segments.ts'
import { PartitionMetadataFile } from './partition-metadata.ts'
import { rebuildProducers } from './producer-replay.ts'
import { ProducerSnapshots } from './producer-snapshots.ts'
import { ProducerState } from './producer-state.ts'
import { removeSegmentFiles } from './segment-deletion.ts'
import {
  INDEX_SUFFIX,
  LOG_SUFFIX,
  NEW_SEGMENT_FILES,
  SNAPSHOT_SUFFIX,
  segmentFileName,
  TIME_INDEX_SUFFIX,
  TXN_INDEX_SUFFIX,
} from './segment-files.ts'
import { recoverSegments } from './segment-recovery.ts'
import { partitionName, type TopicPartition } from './topic-partition.ts'
import { repairTransactionIndexes } from './transaction-repair.ts'
import { TransactionSums } from './transaction-sums.ts'
import { isUnwritten } from './unwritten-log.ts'

/** Which log to open, and what the checkpoints say of it. */
export interface LoadOptions {
  readonly context: StorageContext
  readonly owner: LogOwner
  readonly directory: LogDirectory
  /** The partition's own directory, which is there. */
  readonly path: string
  readonly topicPartition: TopicPartition
  readonly config: LogConfig
  /** The broker that wrote it last stopped cleanly: nothing needs recovery. */
  readonly wasClean: boolean
  /** The recovery before was cut off: it may have cut the log without having synced it. */
  readonly wasCutOff: boolean
  /** From the checkpoints; 0 where they know nothing. */
  readonly recoveryPoint: number
  readonly logStartOffset: number
  readonly highWatermark: number
  /** Below it a compaction may have left gaps between segments; undefined where none has been. */
  readonly cleanedUpTo: number | undefined
  /** Lets other work run now and then during a long recovery. */
  readonly pause: () => Promise<void>
}

/**
 * Opens a log as it lies on disk. After a clean stop that costs a listing and a look at the end of the last segment; so
 * it does after a kill for a log that was never written to ({@link isUnwritten}). Otherwise what lies above the recovery point is scanned, cut at the first batch that is not whole, and its indexes,
 * producers and epochs are made anew; see {@link recoverSegments}. Being killed during that and begun again changes
 * nothing.
 */
export async function loadLog(options: LoadOptions): Promise<Log> {
  const { context, path, config } = options
  const { disk } = context
  const files = await tidyDirectory({ context, directory: path, config })
  removeOrphans(context, path, files)
  const snapshotOffsets = [...files.segments]
    .filter(([, kinds]) => kinds.has(SNAPSHOT_SUFFIX))
    .map(([offset]) => offset)
  const snapshots = new ProducerSnapshots(disk, path, snapshotOffsets)
  const segments = new LogSegments(openSegments(options, files))
  const epochs = new LeaderEpochCache(disk, path)
  const sums = new TransactionSums(disk, path, files.hasTransactionSums)
  const epochsKnown = !files.hasEpochs || epochs.load()
  const producers = new ProducerState()
  const parts = { segments, snapshots, producers, epochs, sums }

  let recoveryPoint = epochsKnown ? options.recoveryPoint : 0
  const isUntouched = !options.wasCutOff && isUnwritten(parts, recoveryPoint)
  const isClean = epochsKnown && (options.wasClean || isUntouched)
  // Where a clean stop is claimed and the last segment does not bear it out, the claim is somebody else's.
  const cleanEnd = isClean ? endOfCleanLog(segments) : undefined
  // What is not recovered is as it was synced, or damaged since.
  const trusted = cleanEnd ?? segments.floor(recoveryPoint - 1)?.baseOffset ?? 0
  const trustedRange = { logStartOffset: firstOffset(segments, options), endOffset: trusted }
  if (epochsKnown && checkEpochs(epochs, segments, trustedRange)) {
    context.logger.warn(
      { partition: partitionName(options.topicPartition) },
      'leader epochs are learnt anew from the log',
    )
  }
  const recovered = cleanEnd === undefined ? await recoverSegments(parts, options, recoveryPoint) : undefined
  await repairTransactionIndexes(parts, options, trusted)
  let logEndOffset = cleanEnd ?? recovered ?? 0
  if (segments.count > 0 && options.logStartOffset > logEndOffset) {
    context.logger.warn(
      { partition: partitionName(options.topicPartition), logEndOffset, logStartOffset: options.logStartOffset },
      'log ends below its start offset: it is emptied',
    )
    removeAll(parts, options)
  }
  if (segments.count === 0) {
    logEndOffset = options.logStartOffset
    addFirstSegment(parts.segments, options)
  }
  if (options.recoveryPoint > logEndOffset) {
    context.logger.warn(
      { partition: partitionName(options.topicPartition), logEndOffset, recoveryPoint: options.recoveryPoint },
      'log ends below what was synced: records are missing at its end',
    )
  }
  recoveryPoint = cleanEnd ?? Math.min(recoveryPoint, logEndOffset)
  const logStartOffset = Math.max(options.logStartOffset, segments.first.baseOffset)
  epochs.truncateFromEnd(logEndOffset)
  epochs.truncateFromStart(logStartOffset)
  if (recovered === undefined) {
    const highWatermark = Math.min(options.highWatermark, logEndOffset)
    rebuildFromSnapshot(parts, { logStartOffset, endOffset: logEndOffset, highWatermark })
  } else {
    producers.logStartMoved(logStartOffset)
    producers.mapEndOffset = logEndOffset
  }
  snapshots.removeStray(new Set(segments.all.map(({ baseOffset }) => baseOffset)))
  // Field by field: a spread would give each log, of which there may be thousands, a hidden class of its own.
  return new Log({
    segments,
    snapshots,
    producers,
    epochs,
    sums,
    context,
    directory: options.directory,
    path,
    topicPartition: options.topicPartition,
    topicId: files.hasMetadata ? new PartitionMetadataFile(disk, path).read() : undefined,
    config,
    logStartOffset,
    logEndOffset,
    recoveryPoint,
    highWatermark: options.highWatermark,
    cleanedUpTo: options.cleanedUpTo,
    // What was never written to may never have been synced.
    entriesChanged: !options.wasClean || cleanEnd === undefined || logEndOffset === 0,
    wasKilled: !options.wasClean,
    recoveredFrom: recovered === undefined ? undefined : recoveryPoint - 1,
    owner: options.owner,
  })
}

interface OpenParts {
  readonly segments: LogSegments
  readonly snapshots: ProducerSnapshots
  readonly producers: ProducerState
  readonly epochs: LeaderEpochCache
}

function firstOffset(segments: LogSegments, { logStartOffset }: LoadOptions): number {
  return segments.count === 0 ? logStartOffset : Math.max(logStartOffset, segments.first.baseOffset)
}

/** After a clean stop without any snapshot there were no producers: no scan is needed to know it. */
function rebuildFromSnapshot(
  { producers, segments, snapshots }: OpenParts,
  range: { logStartOffset: number; endOffset: number; highWatermark: number },
): void {
  if (snapshots.latest === undefined) producers.restore([], range.endOffset)
  else rebuildProducers(producers, { segments, snapshots }, range)
}

function endOfCleanLog(segments: LogSegments): number | undefined {
  if (segments.count === 0) return undefined
  const { active } = segments
  if (active.size === 0) return active.baseOffset
  const end = active.readNextOffset()
  active.close()
  return end
}

function openSegments(options: LoadOptions, files: DirectoryListing): LogSegment[] {
  const { context, path, config } = options
  const { disk } = context
  const nowMs = context.clock.now()
  const opened: LogSegment[] = []
  const offsets = [...files.segments.keys()]
    .filter(offset => files.segments.get(offset)!.has(LOG_SUFFIX))
    .sort((a, b) => a - b)
  for (const baseOffset of offsets) {
    const kinds = files.segments.get(baseOffset)!
    const segment = new LogSegment({
      context,
      directory: path,
      baseOffset,
      config,
      files: {
        log: disk.stat(`${path}/${segmentFileName(baseOffset, LOG_SUFFIX)}`)?.size ?? 0,
        hasIndex: kinds.has(INDEX_SUFFIX),
        hasTimeIndex: kinds.has(TIME_INDEX_SUFFIX),
        hasTxnIndex: kinds.has(TXN_INDEX_SUFFIX),
      },
      createdMs: nowMs,
    })
    opened.push(segment)
  }
  return opened
}

function removeAll({ segments, snapshots, epochs, producers }: OpenParts, { context }: LoadOptions): void {
  for (const segment of segments.all) removeSegmentFiles(segment, context)
  segments.remove([...segments.all])
  snapshots.clear()
  epochs.clear()
  producers.restore([], 0)
}

function addFirstSegment(segments: LogSegments, { context, path, config, logStartOffset }: LoadOptions): void {
  const segment = new LogSegment({
    context,
    directory: path,
    baseOffset: logStartOffset,
    config,
    files: NEW_SEGMENT_FILES,
    createdMs: context.clock.now(),
  })
  segment.records.create()
  segments.add(segment)
}
