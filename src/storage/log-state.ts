import { type BatchHeader, KafkaError } from '../protocol/index.ts'
import type { LeaderEpochCache } from './leader-epoch-cache.ts'
import type { LogConfig } from './log-config.ts'
import type { LogDirectory, StorageContext } from './log-directory.ts'
import { LogFlusher } from './log-flusher.ts'
import type { LogOwner, LogParts } from './log-parts.ts'
import { LogReader } from './log-reader.ts'
import { LogSegment } from './log-segment.ts'
import type { LogSegments } from './log-segments.ts'
import type { CheckedBatches } from './log-validator.ts'
import { PartitionMetadataFile } from './partition-metadata.ts'
import type { ProducerSnapshots } from './producer-snapshots.ts'
import type { ProducerState } from './producer-state.ts'
import { deleteSegments } from './segment-deletion.ts'
import { NEW_SEGMENT_FILES } from './segment-files.ts'
import { takeBackSwap } from './swap-files.ts'
import { TailCache } from './tail-cache.ts'
import { partitionName, type TopicPartition } from './topic-partition.ts'
import type { TransactionIndex } from './transaction-index.ts'
import { rebuildTransactionIndex } from './transaction-repair.ts'
import type { TransactionSums } from './transaction-sums.ts'

const NO_SEGMENTS: ReadonlySet<LogSegment> = new Set()

/**
 * What a `Log` is made of, and the steps that its operations share. It belongs to one `Log`, which alone changes it; it
 * is a class of its own so that appending, reading and cutting need not be one file.
 */
export class LogState {
  readonly context: StorageContext
  readonly owner: LogOwner
  readonly topicPartition: TopicPartition
  readonly directory: LogDirectory
  /** The partition's own directory. */
  readonly path: string
  readonly segments: LogSegments
  readonly epochs: LeaderEpochCache
  readonly producers: ProducerState
  readonly snapshots: ProducerSnapshots
  readonly #sums: TransactionSums
  readonly tail: TailCache
  readonly reader: LogReader
  readonly flusher: LogFlusher
  topicId: string | undefined
  config: LogConfig
  logStartOffset: number
  logEndOffset: number
  highWatermark: number
  /** Below it compaction has been; undefined where none has. */
  cleanedUpTo: number | undefined
  /** How often the log was cut: what was planned with its segments before a cut is of no use after it. */
  cuts = 0
  /** A cleaned segment whose `.swap` files are there, but which is not among the segments yet. */
  pendingSwap: LogSegment | undefined
  /** When the last flush was, by `Clock.monotonicMs`. */
  lastFlushMs: number
  /** Recovered, appended to, cut or rolled since the last clean stop: the next one has something to write. */
  isTouched: boolean
  #rollJitterMs = 0
  /** Files were made, renamed or removed since the directory was synced. */
  #entriesChanged: boolean
  #settleCreation: (() => Promise<void>) | undefined
  /** Made when the log gets an id that it did not have. */
  #metadata: PartitionMetadataFile | undefined
  /** Segments that were closed to appends, cut or recovered, and are to be synced with their indexes by the next flush. */
  #unsynced: Set<LogSegment> | undefined
  /** Segments whose records file was found removed. */
  #toldRemovals: WeakSet<LogSegment> | undefined
  /** Nothing changes it any more. */
  isClosed = false
  #isAbandoned = false
  readonly #wasKilled: boolean
  /** `.swap` files were removed by a cut, which must be on disk before anything is appended. */
  #swapTakenBack = false

  constructor(parts: LogParts) {
    this.context = parts.context
    this.owner = parts.owner
    this.topicPartition = parts.topicPartition
    this.directory = parts.directory
    this.path = parts.path
    this.topicId = parts.topicId
    this.config = parts.config
    this.segments = parts.segments
    this.epochs = parts.epochs
    this.producers = parts.producers
    this.snapshots = parts.snapshots
    this.#sums = parts.sums
    this.logStartOffset = parts.logStartOffset
    this.logEndOffset = parts.logEndOffset
    this.highWatermark = Math.min(Math.max(parts.highWatermark, parts.logStartOffset), parts.logEndOffset)
    this.cleanedUpTo = parts.cleanedUpTo
    this.#entriesChanged = parts.entriesChanged
    this.#wasKilled = parts.wasKilled ?? false
    this.isTouched = parts.recoveredFrom !== undefined
    if (parts.recoveredFrom !== undefined) {
      this.#unsynced = new Set(parts.segments.between(parts.recoveredFrom, Number.POSITIVE_INFINITY))
    }
    this.#settleCreation = parts.settleCreation
    this.lastFlushMs = parts.context.clock.monotonicMs()
    this.tail = new TailCache(parts.context.tailBudget)
    this.reader = new LogReader(parts.segments, this.tail)
    this.flusher = new LogFlusher(this, Math.min(parts.recoveryPoint, parts.logEndOffset))
    this.drawJitter()
  }

  /** The log is deleted, closed as it is, or its directory has failed. */
  get isAbandoned(): boolean {
    return this.#isAbandoned
  }

  /** Below it, and below the high watermark, no transaction is undecided. */
  get lastStableOffset(): number {
    if (this.producers.isStable) return this.highWatermark
    const undecided = Math.max(this.logStartOffset, this.producers.firstUnstableOffset() ?? this.highWatermark)
    return Math.min(this.highWatermark, undecided)
  }

  /** Notes epochs and producers of batches that are in the active segment now. */
  noteBatches(batches: readonly BatchHeader[], markers: CheckedBatches['markers']): void {
    for (let index = 0; index < batches.length; index++) {
      const header = batches[index]!
      this.epochs.assign(header.partitionLeaderEpoch, header.baseOffset)
      if (header.producerId < 0) continue
      const aborted = this.producers.update(header, markers?.get(index), this.highWatermark)
      if (aborted === undefined) continue
      const transactions = this.transactionsOf(this.segments.active)
      this.#entriesChanged ||= !transactions.hasFile
      transactions.add(aborted)
    }
    this.producers.mapEndOffset = this.logEndOffset
  }

  /** The transaction index of a segment, made anew from the records where somebody has removed it. */
  transactionsOf(segment: LogSegment): TransactionIndex {
    const { transactions } = segment.indexes
    if (transactions.isLost) {
      this.#tell({ baseOffset: segment.baseOffset }, 'transaction index was removed: it is made anew from the records')
      // Where its records are lost, too, it has nothing to tell of.
      if (segment.records.isLost) transactions.reset()
      else rebuildTransactionIndex(segment, this, this)
    }
    return transactions
  }

  #tell(fields: object, message: string): void {
    this.context.logger.error({ partition: partitionName(this.topicPartition), ...fields }, message)
  }

  /** Rolls if the batches must not go to the active segment. */
  rollIfDue(append: { bytes: number; lastOffset: number; maxTimestamp: number }, baseOffset: number): void {
    if (this.segments.active.shouldRoll(append, this.config, this.#rollJitterMs)) this.roll(baseOffset)
  }

  /** Begins a new segment at `baseOffset`, unless the active one begins there. */
  roll(baseOffset: number): void {
    const { active } = this.segments
    if (active.baseOffset === baseOffset) return
    this.isTouched = true
    this.#seal(active)
    this.#syncLater(active)
    this.producers.mapEndOffset = baseOffset
    this.snapshots.take(this.producers)
    this.addSegment(baseOffset)
    this.drawJitter()
    this.flushInBackground()
  }

  #seal({ records, indexes }: LogSegment): void {
    if (!records.isLost) indexes.seal()
  }

  addSegment(baseOffset: number): void {
    const segment = new LogSegment({
      context: this.context,
      directory: this.path,
      baseOffset,
      config: this.config,
      files: NEW_SEGMENT_FILES,
      createdMs: this.context.clock.now(),
    })
    segment.records.create()
    this.segments.add(segment)
    this.#entriesChanged = true
  }

  removeSegments(segments: readonly LogSegment[], delayMs: number): void {
    if (segments.length === 0) return
    const { context, directory, snapshots } = this
    this.segments.remove(segments)
    for (const segment of segments) this.#unsynced?.delete(segment)
    this.reader.forget()
    this.#entriesChanged = true
    deleteSegments(segments, { context, directory, snapshots, delayMs })
  }

  /** Puts a cleaned segment in the place of `old` ones. */
  swapSegments(segment: LogSegment, old: readonly LogSegment[]): void {
    this.pendingSwap = undefined
    this.removeSegments(old, this.config.fileDeleteDelayMs)
    this.segments.add(segment)
    // What memory still holds of the old ones tells of transactions that the new one's index does not know any more.
    if (this.tail.firstOffset < this.segments.higher(segment.baseOffset)!.baseOffset) this.tail.clear()
  }

  /**
   * The log begins at `offset` now, which is above its old start. Resolves when that is on disk; only then do epochs go,
   * for after a power cut before that the log begins where it did.
   */
  async moveLogStart(offset: number): Promise<void> {
    this.logStartOffset = offset
    this.producers.logStartMoved(offset)
    await this.owner.saveLogStartOffsets(this.directory)
    this.epochs.truncateFromStart(this.logStartOffset)
  }

  /** The log was cut and ends at `end` now. */
  movedBack(end: number): void {
    this.isTouched = true
    this.cuts += 1
    if (this.pendingSwap !== undefined) {
      takeBackSwap(this.pendingSwap)
      this.pendingSwap = undefined
      this.#swapTakenBack = true
    }
    if (this.cleanedUpTo !== undefined) this.cleanedUpTo = Math.min(this.cleanedUpTo, end)
    this.logEndOffset = end
    this.logStartOffset = Math.min(this.logStartOffset, end)
    this.highWatermark = Math.min(this.highWatermark, end)
    this.tail.clear()
    this.reader.forget()
    this.flusher.truncated(end)
  }

  /** Resolves when it is on disk that compaction has not been where the log was cut off, nor is about to be. */
  async cutSaved(): Promise<void> {
    const { owner, directory } = this
    const saved: Promise<void>[] = []
    if (this.cleanedUpTo !== undefined) saved.push(owner.saveCleanerOffsets(directory))
    if (this.#swapTakenBack) {
      this.#swapTakenBack = false
      saved.push(directory.runLater(() => this.context.disk.syncDirectory(this.path)))
    }
    await Promise.all(saved)
  }

  /** Where the log ends when all batches that reach to `offset` or above are cut off. */
  batchBoundary(offset: number): number {
    const segment = this.segments.floor(offset)!
    const cut = segment.scan(segment.positionOf(offset)).next()
    return cut === undefined ? offset : Math.min(offset, cut.baseOffset)
  }

  /** Cuts the active segment off at `offset`. */
  cutActive(offset: number): void {
    const { active } = this.segments
    this.transactionsOf(active)
    active.truncateTo(offset)
    // The segment may end below the recovery point from now on, and the next one begin there.
    this.#syncLater(active)
  }

  #syncLater(segment: LogSegment): void {
    this.#unsynced ??= new Set()
    this.#unsynced.add(segment)
  }

  /** Draws anew how much earlier than `segment.ms` the active segment rolls. */
  drawJitter(): void {
    const bound = Math.min(this.config.segmentJitterMs, this.config.segmentMs)
    this.#rollJitterMs = bound > 0 ? this.context.random.below(bound) : 0
  }

  flushInBackground(): void {
    // Whoever a failure concerns learns of it by the directory going offline.
    this.flusher.flushed(this.logEndOffset).catch(() => {})
  }

  /** Brings to disk what is in the log at this call below `endOffset`; for the flusher. */
  async syncUpTo(from: number, endOffset: number): Promise<void> {
    this.directory.assertOnline()
    this.#assertThere()
    this.lastFlushMs = this.context.clock.monotonicMs()
    try {
      await Promise.all(this.#syncsUpTo(from, endOffset))
    } catch (error) {
      this.#assertThere()
      throw this.directory.failed(error)
    }
  }

  #assertThere(): void {
    if (this.#isAbandoned) throw new KafkaError('NOT_LEADER_OR_FOLLOWER', 'the log was deleted')
  }

  #syncsUpTo(from: number, endOffset: number): Promise<void>[] {
    // What is sealed or cut from now on is for the next flush, also where this one covers the same segment.
    const unsynced = this.#unsynced ?? NO_SEGMENTS
    this.#unsynced = undefined
    const segments = new Set([...unsynced, ...this.segments.between(from, endOffset)])
    const syncs = Array.from(segments, async segment => {
      if (segment.records.isRemoved) this.#tellRemoval(segment)
      if (segment.records.isLost) return
      await segment.records.sync()
      // A cut of the records is on disk now, so that of the indexes may follow.
      if (unsynced.has(segment) && !this.#isAbandoned && this.segments.has(segment)) await this.#syncIndexes(segment)
    })
    if (this.#entriesChanged) {
      this.#entriesChanged = false
      syncs.push(this.context.disk.syncDirectory(this.path))
    }
    if (this.epochs.isDirty) syncs.push(this.epochs.write())
    if (this.snapshots.isDirty) syncs.push(this.snapshots.sync())
    if (unsynced.size > 0) syncs.push(this.saveTransactionSums())
    if (this.#settleCreation !== undefined) {
      syncs.push(this.#settleCreation())
      this.#settleCreation = undefined
    }
    return syncs
  }

  async #syncIndexes(segment: LogSegment): Promise<void> {
    if (segment.records.isLost) return
    this.transactionsOf(segment)
    await segment.indexes.sync()
  }

  /** Nothing shows that a records file was removed while it is open; Kafka's operators learn of it by what is missing later. */
  #tellRemoval(segment: LogSegment): void {
    if (this.#toldRemovals?.has(segment)) return
    this.#toldRemovals ??= new WeakSet()
    this.#toldRemovals.add(segment)
    this.#tell({ file: segment.records.path }, 'records file was removed: its records are lost when it is closed')
  }

  /** Resolves when the sums of the transaction indexes as they are now survive a power cut. */
  async saveTransactionSums(): Promise<void> {
    for (const segment of this.segments.all) this.transactionsOf(segment)
    await this.#sums.write(this.segments.all)
  }

  /** Gives the log an id that it did not have; it is on disk with the next flush. */
  assignTopicId(topicId: string): void {
    this.topicId = topicId
    const before = this.#settleCreation
    this.#metadata ??= new PartitionMetadataFile(this.context.disk, this.path)
    const metadata = this.#metadata
    const written = this.directory.runLater(() => metadata.write(topicId))
    // Whoever a failure concerns learns of it by the directory going offline.
    written.catch(() => {})
    this.#settleCreation = async () => {
      await Promise.all([before?.(), written])
    }
  }

  /** Brings everything to disk for a clean stop: also what a recovery could make anew. */
  async settle(): Promise<void> {
    const { active } = this.segments
    if (!this.isTouched && active.size === 0 && !this.directory.isOffline) {
      // Kafka wants indexes of empty segments too.
      this.directory.run(() => active.indexes.seal())
      // Empty it may be because all was cut off, and what comes back of that counts for a start after a clean stop.
      const sync = (): Promise<unknown> =>
        Promise.all([active.records.sync(), this.context.disk.syncDirectory(this.path)])
      if (this.#wasKilled) await this.directory.runLater(sync)
    } else if (this.isTouched && !this.directory.isOffline) {
      this.directory.run(() => {
        this.#seal(active)
        this.snapshots.take(this.producers)
      })
      this.#entriesChanged = true
      await this.flusher.flushed(this.logEndOffset)
      await this.syncUpTo(this.logEndOffset, this.logEndOffset)
      await this.directory.runLater(() => this.#syncIndexes(active))
      await this.directory.runLater(() => this.saveTransactionSums())
    }
    await this.epochs.settled()
    await this.#sums.settled()
  }

  /** Closes the files. */
  close(): void {
    this.tail.clear()
    for (const segment of this.segments.all) segment.close()
  }

  /** Closes the files as they are; what is being written comes to nothing. */
  abandon(): void {
    this.#isAbandoned = true
    this.epochs.abandon()
    this.#sums.abandon()
    this.#metadata?.abandon()
    this.close()
  }
}
