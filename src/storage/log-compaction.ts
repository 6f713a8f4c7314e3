import type { DiskError } from '../platform/index.ts'
import type { CleanedGroup, CleaningMemory, CleaningTask, LastRecord, SegmentToClean } from './cleaning-task.ts'
import { LogSegment } from './log-segment.ts'
import type { LogState } from './log-state.ts'
import { CLEANED_SUFFIX } from './segment-files.ts'
import { markAsSwap, nameIndexes, nameRecords, takeBackSwap } from './swap-files.ts'
import type { AbortedTransaction } from './transaction-index.ts'

/** What of a log may be compacted, and how much of that is dirty (Kafka's LogToClean). */
export interface CleanableRange {
  /** Below it earlier rounds have been. */
  readonly firstDirtyOffset: number
  /** Begin of a segment; from here on nothing may be cleaned yet. */
  readonly firstUncleanableOffset: number
  /** Bytes of segments below `firstDirtyOffset`. */
  readonly cleanBytes: number
  /** Bytes of segments from there to `firstUncleanableOffset`. */
  readonly cleanableBytes: number
  /** How much longer than `max.compaction.lag.ms` lets them dirty records have waited, ms; 0 when they have not. */
  readonly overdueMs: number
}

/** One round under way: which segments it was planned with. */
export interface CleaningRound {
  readonly task: CleaningTask
  /** Counted up by whatever makes segments hold something else than they did. */
  readonly cuts: number
}

/** The side of a log that its compaction sees: what may be cleaned, and putting cleaned segments in place. */
export class LogCompaction {
  readonly #state: LogState

  constructor(state: LogState) {
    this.#state = state
  }

  /**
   * What may be cleaned now (LogCleanerManager.cleanableOffsets): whole segments, below the last stable offset and the
   * high watermark (what no reader may see yet), never the active one, and none with records
   * younger than `min.compaction.lag.ms`.
   */
  cleanableRange(nowMs: number): CleanableRange {
    const { segments, config } = this.#state
    const firstDirtyOffset = this.#firstDirtyOffset()
    const firstYoung =
      config.minCompactionLagMs > 0
        ? this.#closedFrom(firstDirtyOffset).find(
            segment => segment.largestTimestamp > nowMs - config.minCompactionLagMs,
          )
        : undefined
    const limit = Math.min(
      this.#state.lastStableOffset,
      segments.active.baseOffset,
      firstYoung?.baseOffset ?? Number.POSITIVE_INFINITY,
    )
    const firstUncleanable = segments.floor(Math.max(firstDirtyOffset, limit)) ?? segments.first
    const firstUncleanableOffset = firstUncleanable.baseOffset
    let [cleanBytes, cleanableBytes] = [0, 0]
    for (const [index, { baseOffset, size }] of segments.all.entries()) {
      if (baseOffset >= firstUncleanableOffset) break
      const nextBase = segments.all[index + 1]!.baseOffset
      if (nextBase <= firstDirtyOffset) cleanBytes += size
      else cleanableBytes += size
    }
    const overdueMs = this.#overdueMs(firstDirtyOffset, nowMs)
    return { firstDirtyOffset, firstUncleanableOffset, cleanBytes, cleanableBytes, overdueMs }
  }

  #firstDirtyOffset(): number {
    const { cleanedUpTo, logStartOffset, logEndOffset } = this.#state
    // A checkpoint above the end is of another log than this, or of records that are lost: nothing is known to be clean.
    if (cleanedUpTo === undefined || cleanedUpTo < logStartOffset || cleanedUpTo > logEndOffset) return logStartOffset
    return cleanedUpTo
  }

  /** Segments that are closed to appends and reach to `offset` or above. */
  #closedFrom(offset: number): LogSegment[] {
    const { segments } = this.#state
    return segments.between(offset, segments.active.baseOffset)
  }

  #overdueMs(firstDirtyOffset: number, nowMs: number): number {
    const dueMs = nowMs - this.#state.config.maxCompactionLagMs
    if (dueMs <= 0) return 0
    const timestamps = this.#closedFrom(firstDirtyOffset).map(segment => segment.firstBatchTimestamp())
    return Math.max(0, dueMs - Math.min(...timestamps.filter(timestamp => timestamp > 0)))
  }

  /** Plans a round over a range. */
  plan(range: CleanableRange, nowMs: number, memory: CleaningMemory): CleaningRound {
    const { config, segments, path, cuts } = this.#state
    const { firstDirtyOffset, firstUncleanableOffset } = range
    const toClean = segments.all.filter(({ baseOffset }) => baseOffset < firstUncleanableOffset)
    const { segmentBytes, maxIndexSize, indexIntervalBytes, deleteRetentionMs } = config
    const task: CleaningTask = {
      directory: path,
      segments: toClean.map(describe),
      firstDirtyOffset,
      firstUncleanableOffset,
      nowMs,
      aborted: this.#abortedBelow(firstUncleanableOffset),
      producers: this.#lastRecords(),
      settings: { segmentBytes, maxIndexSize, indexIntervalBytes, deleteRetentionMs },
      memory,
    }
    return { task, cuts }
  }

  #abortedBelow(endOffset: number): AbortedTransaction[] {
    const found: AbortedTransaction[] = []
    for (const segment of this.#state.segments.all) {
      const transactions = this.#state.transactionsOf(segment)
      for (const aborted of transactions.entries()) {
        if (aborted.firstOffset < endOffset) found.push(aborted)
      }
      transactions.release()
    }
    return found
  }

  #lastRecords(): Map<number, LastRecord> {
    const records = new Map<number, LastRecord>()
    for (const { producerId, batches, producerEpoch } of this.#state.producers.producers()) {
      records.set(producerId, { lastDataOffset: batches.at(-1)?.lastOffset, producerEpoch })
    }
    return records
  }

  /** A disk error met the round: takes the log directory offline. */
  failed(error: DiskError): void {
    this.#state.directory.failed(error)
  }

  /** Whether the segments of a round are what they were when it was planned, and are still to be compacted. */
  isCurrent({ cuts }: CleaningRound): boolean {
    const { config, directory, isAbandoned } = this.#state
    if (isAbandoned || directory.isOffline || cuts !== this.#state.cuts) return false
    return config.cleanupPolicy.includes('compact')
  }

  /**
   * Puts a cleaned segment in the place of those that it stands for; resolves to whether it did. Readers see either the
   * old segments or the new one, in every moment; so does a recovery, wherever the power goes:
   *
   * 1. `.cleaned` becomes `.swap`: until that is on disk the old segments count, from then on the new one.
   * 2. The old segments become `.deleted`.
   * 3. The records of the new one take their name, then its indexes: for as long as `.log.swap` is there a recovery takes
   *    all else under the segment's name for a part of the old ones.
   *
   * Each step is on disk before the next one begins. If the log is cut before step 2, {@link LogState.movedBack} takes the
   * `.swap` away.
   *
   * @throws KAFKA_STORAGE_ERROR
   */
  async replaceSegments(round: CleaningRound, group: CleanedGroup): Promise<boolean> {
    const state = this.#state
    if (!this.isCurrent(round) || !this.#areThere(group)) return false
    const segment = this.#openCleaned(group)
    state.directory.run(() => markAsSwap(segment))
    state.pendingSwap = segment
    try {
      await this.#syncEntries()
      if (state.pendingSwap === segment && this.isCurrent(round) && this.#areThere(group)) {
        state.directory.run(() => state.swapSegments(segment, this.#segmentsOf(group)))
      } else {
        await this.#takeBack(segment)
        return false
      }
    } finally {
      if (state.pendingSwap === segment) state.pendingSwap = undefined
    }
    await this.#syncEntries()
    await this.#giveName(segment, () => nameRecords(segment))
    await this.#giveName(segment, () => nameIndexes(segment))
    if (!state.isAbandoned) await state.directory.runLater(() => state.saveTransactionSums())
    return true
  }

  #openCleaned(group: CleanedGroup): LogSegment {
    const { context, path, config } = this.#state
    return new LogSegment({
      context,
      directory: path,
      baseOffset: group.replaced[0]!,
      config,
      files: { log: group.bytes, hasIndex: true, hasTimeIndex: true, hasTxnIndex: group.hasTxnIndex },
      createdMs: context.clock.now(),
      mark: CLEANED_SUFFIX,
    })
  }

  /** Retention may have taken the oldest ones away meanwhile. */
  #areThere(group: CleanedGroup): boolean {
    return this.#segmentsOf(group).length === group.replaced.length
  }

  #segmentsOf({ replaced }: CleanedGroup): LogSegment[] {
    return replaced
      .map(baseOffset => this.#state.segments.floor(baseOffset))
      .filter((segment, index): segment is LogSegment => segment?.baseOffset === replaced[index])
  }

  async #takeBack(segment: LogSegment): Promise<void> {
    const { directory, context, isAbandoned, pendingSwap } = this.#state
    if (isAbandoned || directory.isOffline) return
    // A cut has done it already.
    if (pendingSwap === segment) directory.run(() => takeBackSwap(segment))
    await this.#syncEntries()
    if (this.#state.isAbandoned) return
    directory.run(() => {
      for (const path of segment.indexes.paths()) context.disk.remove(path)
    })
    await this.#syncEntries()
    if (!this.#state.isAbandoned) directory.run(() => context.disk.remove(segment.records.path))
  }

  /** A segment that has left the log meanwhile, or whose log has, has another name already. */
  async #giveName(segment: LogSegment, rename: () => void): Promise<void> {
    const { directory, isAbandoned, segments } = this.#state
    if (isAbandoned || !segments.has(segment)) return
    directory.run(rename)
    await this.#syncEntries()
  }

  #syncEntries(): Promise<void> {
    const { directory, context, path, isAbandoned } = this.#state
    if (isAbandoned) return Promise.resolve()
    return directory.runLater(() => context.disk.syncDirectory(path))
  }
}

function describe(segment: LogSegment): SegmentToClean {
  const { baseOffset, size, modifiedMs, indexes } = segment
  const { offsets, times } = indexes.sizes()
  return { baseOffset, bytes: size, indexBytes: offsets, timeIndexBytes: times, modifiedMs }
}
