import assert from 'node:assert/strict'
import type { Workers } from '../platform/index.ts'
import { KafkaError } from '../protocol/index.ts'
import { PreparedRecords, unpackJob } from './batch-conversion.ts'
import { emptyAppend, type LogAppendInfo, repeatedAppend } from './log-append-info.ts'
import { LogCompaction } from './log-compaction.ts'
import type { LogConfig } from './log-config.ts'
import type { ActiveProducer, LeaderAppendOptions, LogParts } from './log-parts.ts'
import type { LogReadOptions, LogSlice } from './log-reader.ts'
import { deletableSegments } from './log-retention.ts'
import { MAX_RELATIVE_OFFSET } from './log-segment.ts'
import { LogState } from './log-state.ts'
import { restartLog, truncateLog } from './log-truncation.ts'
import {
  batchesToUnpack,
  type CheckedBatches,
  checkForFollower,
  checkForLeader,
  stampBatches,
} from './log-validator.ts'
import type { AppendOrigin } from './producer-state.ts'
import { recordRules } from './record-check.ts'
import { maxTimestampOf } from './time-index.ts'
import { type FoundTimestamp, findByTimestamp, findMaxTimestamp } from './timestamp-search.ts'
import { partitionName, type TopicPartition } from './topic-partition.ts'
import type { AbortedTransaction } from './transaction-index.ts'

/**
 * One partition's log: segments, epochs, producers, and the offsets that say how far it goes.
 *
 * One writer: every method that changes the log is synchronous and runs to its end. When an append returns, the batches
 * are in the page cache and readers see them: they survive the process, not the machine. When `flushed(offset)` resolves,
 * everything below `offset` survives both. Reads are synchronous and may happen between any two calls.
 *
 * Every disk error takes the whole log directory offline; from then on all methods that touch the disk throw
 * KAFKA_STORAGE_ERROR.
 */
export class Log {
  readonly topicPartition: TopicPartition
  /** What its compaction sees of it. */
  readonly compaction: LogCompaction
  readonly #state: LogState

  constructor(parts: LogParts) {
    this.topicPartition = parts.topicPartition
    this.#state = new LogState(parts)
    this.compaction = new LogCompaction(this.#state)
  }

  /** The topic's id; undefined for a topic that never got one. */
  get topicId(): string | undefined {
    return this.#state.topicId
  }

  /** The log directory (one of `log.dirs`) that the log lies in. */
  get directory(): string {
    return this.#state.directory.path
  }

  /** The partition's own directory. */
  get path(): string {
    return this.#state.path
  }

  /** A copy in the making, which will take the place of the log in another directory (KIP-113). */
  get isFuture(): boolean {
    return this.#state.path.endsWith('-future')
  }

  get config(): LogConfig {
    return this.#state.config
  }

  get isOffline(): boolean {
    return this.#state.directory.isOffline
  }

  /** The first offset that may be read. */
  get logStartOffset(): number {
    return this.#state.logStartOffset
  }

  /** The offset that the next record gets. */
  get logEndOffset(): number {
    return this.#state.logEndOffset
  }

  /** Below it everything survives a power cut. */
  get recoveryPoint(): number {
    return this.#state.flusher.recoveryPoint
  }

  /** Bytes of records in all segments. */
  get size(): number {
    return this.#state.segments.all.reduce((sum, { size }) => sum + size, 0)
  }

  /** Base offsets of the segments, oldest first. */
  get segmentBaseOffsets(): readonly number[] {
    return this.#state.segments.all.map(({ baseOffset }) => baseOffset)
  }

  /** Below it compaction has been (`cleaner-offset-checkpoint`); undefined where none has. */
  get cleanedUpTo(): number | undefined {
    return this.#state.cleanedUpTo
  }

  set cleanedUpTo(offset: number | undefined) {
    this.#state.cleanedUpTo = offset
  }

  /** An acknowledgement must wait for {@link flushed}: `flush.messages` is 1. */
  get mustSyncBeforeAck(): boolean {
    return this.#state.config.flushMessages === 1
  }

  /** When the last flush was, by `Clock.monotonicMs`. */
  get lastFlushMs(): number {
    return this.#state.lastFlushMs
  }

  /** Below it every in-sync replica has everything. */
  get highWatermark(): number {
    return this.#state.highWatermark
  }

  /** Moves forward only, and never beyond the log's end; it goes back with the log when that is cut. */
  set highWatermark(offset: number) {
    const state = this.#state
    const next = Math.min(offset, state.logEndOffset)
    if (next <= state.highWatermark) return
    state.highWatermark = next
    state.producers.highWatermarkMoved(next)
  }

  /** Below it, and below the high watermark, no transaction is undecided. */
  get lastStableOffset(): number {
    return this.#state.lastStableOffset
  }

  /**
   * Converts records that are not stored as they came, and looks into those that take long to unpack, beside the event
   * loop; undefined where {@link appendAsLeader} can have them at once. Nothing is appended, and nothing refused, before the result is handed to it.
   */
  prepare(
    records: Uint8Array,
    { origin, apiVersion }: Omit<LeaderAppendOptions, 'leaderEpoch'>,
    workers: Workers,
  ): Promise<PreparedRecords> | undefined {
    const { config, context } = this.#state
    const check = { config, origin, apiVersion, nowMs: context.clock.now() }
    const bytes = batchesToUnpack(records, check)
    if (bytes === undefined) return undefined
    const { compressionType, compressionLevel, messageFormat } = config
    return workers
      .run(unpackJob, { bytes, rules: recordRules(config, check), compressionType, compressionLevel, messageFormat })
      .then(outcome => new PreparedRecords(outcome))
  }

  /**
   * Appends what a client or a coordinator sent: checks it, gives offsets and epoch to the batches where they lie, and
   * writes them with one call. The log may keep the bytes for readers: they must not be changed afterwards.
   *
   * @throws what the checks of the batches and of the producer throw (the log is unchanged): CORRUPT_MESSAGE,
   * INVALID_RECORD, INVALID_TIMESTAMP, MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE, OUT_OF_ORDER_SEQUENCE_NUMBER,
   * INVALID_PRODUCER_EPOCH, INVALID_TXN_STATE, TRANSACTION_COORDINATOR_FENCED; and KAFKA_STORAGE_ERROR
   */
  appendAsLeader(records: Uint8Array | PreparedRecords, options: LeaderAppendOptions): LogAppendInfo {
    this.#assertAppendable()
    const { config, context, logEndOffset } = this.#state
    const { origin, leaderEpoch } = options
    const nowMs = context.clock.now()
    const checked = checkForLeader(records, { config, origin, apiVersion: options.apiVersion, nowMs })
    const duplicate = this.#checkProducers(checked, origin)
    if (duplicate !== undefined) return duplicate
    const logAppendTimeMs = config.messageTimestampType === 'LogAppendTime' ? nowMs : undefined
    const stamped = stampBatches(checked, { nextOffset: logEndOffset, leaderEpoch, logAppendTimeMs })
    return this.#append(stamped, logAppendTimeMs ?? -1)
  }

  /**
   * Appends batches as a leader stamped them. The log may keep the bytes for readers.
   *
   * @throws CORRUPT_MESSAGE; OFFSET_OUT_OF_RANGE for batches that are in the log already; KAFKA_STORAGE_ERROR
   */
  appendAsFollower(records: Uint8Array): LogAppendInfo {
    this.#assertAppendable()
    return this.#append(checkForFollower(records, this.#state.logEndOffset), -1)
  }

  /** Refuses what its producer may not append; returns the answer to a batch that the log has already. */
  #checkProducers({ batches, markers }: CheckedBatches, origin: AppendOrigin): LogAppendInfo | undefined {
    const { producers, logStartOffset } = this.#state
    for (let index = 0; index < batches.length; index++) {
      const header = batches[index]!
      if (header.producerId < 0) continue
      const known = origin === 'client' ? producers.findDuplicate(header) : undefined
      if (known !== undefined) return repeatedAppend(known, logStartOffset)
      producers.check(header, origin, markers?.get(index))
    }
    return undefined
  }

  #append({ bytes, batches, markers }: CheckedBatches, logAppendTimeMs: number): LogAppendInfo {
    const state = this.#state
    const first = batches[0]
    if (first === undefined) return emptyAppend(state.logStartOffset)
    let [maxTimestamp, offsetOfMaxTimestamp, recordCount] = [-1, first.lastOffset, 0]
    for (const header of batches) {
      recordCount += header.lastOffset - header.baseOffset + 1
      const timestamp = maxTimestampOf(header)
      if (timestamp > maxTimestamp) {
        maxTimestamp = timestamp
        offsetOfMaxTimestamp = header.lastOffset
      }
    }
    const { lastOffset } = batches[batches.length - 1]!
    // A compressed message of an old format tells its last offset only: what it holds begins where the log ends, or above.
    const isPacked = first.magic < 2 && first.compression !== 'none'
    const firstOffset = isPacked ? Math.max(state.logEndOffset, lastOffset - MAX_RELATIVE_OFFSET) : first.baseOffset
    state.isTouched = true
    state.directory.run(() => {
      state.rollIfDue({ bytes: bytes.length, lastOffset, maxTimestamp }, firstOffset)
      const newest = { timestamp: maxTimestamp, offset: offsetOfMaxTimestamp }
      state.segments.active.append({ bytes, batches, newest })
      state.logEndOffset = lastOffset + 1
      state.tail.add(bytes, firstOffset, lastOffset + 1)
      state.noteBatches(batches, markers)
    })
    if (state.logEndOffset - this.recoveryPoint >= state.config.flushMessages && !this.mustSyncBeforeAck) {
      state.flushInBackground()
    }
    return {
      firstOffset,
      lastOffset,
      recordCount,
      bytes: bytes.length,
      maxTimestamp,
      logAppendTimeMs,
      logStartOffset: state.logStartOffset,
      isDuplicate: false,
    }
  }

  /**
   * Whole batches from the one that holds `startOffset` on; empty where nothing below `maxOffset` is there.
   *
   * @throws OFFSET_OUT_OF_RANGE below the log's start and above its end; KAFKA_STORAGE_ERROR; CORRUPT_MESSAGE where the
   * file does not hold a batch
   */
  read(startOffset: number, options: LogReadOptions): LogSlice {
    const { logStartOffset, logEndOffset, directory, reader } = this.#state
    if (startOffset < logStartOffset || startOffset > logEndOffset) {
      throw new KafkaError(
        'OFFSET_OUT_OF_RANGE',
        `offset ${startOffset} of ${partitionName(this.topicPartition)}, which has ${logStartOffset} to ${logEndOffset}`,
      )
    }
    const maxOffset = Math.min(options.maxOffset, logEndOffset)
    return directory.run(() => reader.read(startOffset, { ...options, maxOffset }))
  }

  /** Aborted transactions with records in `[startOffset, endOffset)`, for a reader of committed records. */
  abortedTransactions(startOffset: number, endOffset: number): AbortedTransaction[] {
    const { directory, segments } = this.#state
    return directory.run(() => {
      const found: AbortedTransaction[] = []
      for (const segment of segments.between(startOffset, Number.POSITIVE_INFINITY)) {
        for (const aborted of this.#state.transactionsOf(segment).entries()) {
          if (aborted.lastOffset >= startOffset && aborted.firstOffset < endOffset) found.push(aborted)
          if (aborted.lastStableOffset >= endOffset) return found
        }
      }
      return found
    })
  }

  /** The first record whose timestamp is not below `timestamp`. */
  offsetForTimestamp(timestamp: number): FoundTimestamp | undefined {
    const { directory, segments, logStartOffset } = this.#state
    return directory.run(() => findByTimestamp(segments.all, timestamp, logStartOffset))
  }

  /** The record with the largest timestamp, the first of them where several have it. */
  offsetForMaxTimestamp(): FoundTimestamp | undefined {
    const { directory, segments, logStartOffset } = this.#state
    return directory.run(() => findMaxTimestamp(segments.all, logStartOffset))
  }

  /** Where `epoch`, or the greatest one below it that wrote here, ends; both -1 when the log cannot tell. */
  offsetForLeaderEpoch(epoch: number): { readonly epoch: number; readonly endOffset: number } {
    return this.#state.epochs.endOffsetFor(epoch, this.#state.logEndOffset)
  }

  /** The last epoch that wrote here. */
  get latestEpoch(): number | undefined {
    return this.#state.epochs.latestEpoch
  }

  /** The epoch of the batch at `offset`. */
  epochOf(offset: number): number | undefined {
    return this.#state.epochs.epochOf(offset)
  }

  /** A leader of `epoch` begins to write at `startOffset`. */
  assignLeaderEpoch(epoch: number, startOffset: number): void {
    // As long as nothing is appended in it, an epoch need not be on disk: a load drops what begins at the log's end.
    this.#state.epochs.assign(epoch, startOffset)
  }

  /** Producers that the log remembers. */
  producerStates(): ActiveProducer[] {
    return Array.from(this.#state.producers.producers(), entry => ({
      producerId: entry.producerId,
      producerEpoch: entry.producerEpoch,
      lastSequence: entry.lastSequence,
      lastTimestamp: entry.lastTimestamp,
      coordinatorEpoch: entry.coordinatorEpoch,
      currentTxnStartOffset: entry.currentTxnFirstOffset ?? -1,
    }))
  }

  /** Whether the producer, in this very epoch, has a transaction open here. */
  hasOpenTransaction(producerId: number, producerEpoch: number): boolean {
    const entry = this.#state.producers.get(producerId)
    return entry?.currentTxnFirstOffset !== undefined && entry.producerEpoch === producerEpoch
  }

  /** Whether anything is remembered of the producer: without, the sequence of its next batch is not checked. */
  knowsProducer(producerId: number): boolean {
    return this.#state.producers.get(producerId) !== undefined
  }

  /** Forgets producers that wrote nothing for `expirationMs` and are in no transaction; returns how many. */
  expireProducers(expirationMs: number): number {
    return this.#state.producers.expire(this.#state.context.clock.now() - expirationMs)
  }

  /**
   * Resolves when everything below `offset` survives a power cut.
   *
   * @throws KAFKA_STORAGE_ERROR; NOT_LEADER_OR_FOLLOWER when the log was cut below `offset` meanwhile
   */
  flushed(offset: number): Promise<void> {
    const { logEndOffset, flusher } = this.#state
    assert(offset <= logEndOffset, `flush to ${offset} of a log that ends at ${logEndOffset}`)
    return flusher.flushed(offset)
  }

  /** Resolves when everything that is in the log now survives a power cut. */
  flush(): Promise<void> {
    return this.flushed(this.#state.logEndOffset)
  }

  /** Begins a new segment, unless the active one is empty. */
  roll(): void {
    this.#assertWritable()
    this.#state.directory.run(() => this.#state.roll(this.#state.logEndOffset))
  }

  /**
   * Cuts the log so that it ends at `offset`, or below where a batch reaches over it. Nothing may be appended before the
   * promise resolves.
   *
   * @throws KAFKA_STORAGE_ERROR
   */
  async truncateTo(offset: number): Promise<void> {
    this.#assertWritable()
    await truncateLog(this.#state, offset)
  }

  /**
   * Drops everything and begins anew, empty, at `offset`: for a follower whose leader no longer has what would follow.
   * As with {@link truncateTo}, append when the promise has resolved.
   *
   * @throws KAFKA_STORAGE_ERROR
   */
  async truncateFullyAndStartAt(offset: number): Promise<void> {
    this.#assertWritable()
    await restartLog(this.#state, offset)
  }

  /**
   * Moves the log's start forward, as DeleteRecords and retention do; segments below it go with the next retention. It
   * has moved when the call returns; the promise resolves when that is on disk.
   *
   * @throws OFFSET_OUT_OF_RANGE above the high watermark (at once); KAFKA_STORAGE_ERROR
   */
  advanceLogStartOffset(offset: number): Promise<void> {
    const state = this.#state
    state.directory.assertOnline()
    if (offset > state.highWatermark) {
      throw new KafkaError('OFFSET_OUT_OF_RANGE', `log start ${offset} above high watermark ${state.highWatermark}`)
    }
    if (offset <= state.logStartOffset) return Promise.resolve()
    return state.moveLogStart(offset)
  }

  /**
   * Deletes old segments as the topic's retention says; resolves to how many. They go when the new start of the log is on
   * disk, so that a power cut which brings some of them back does not look like a loss of those between.
   *
   * @throws KAFKA_STORAGE_ERROR
   */
  async deleteOldSegments(): Promise<number> {
    this.#assertWritable()
    const state = this.#state
    let deleted = 0
    for (;;) {
      const view = { ...this.#offsets(), segments: state.segments.all, config: state.config }
      const due = state.directory.run(() => deletableSegments(view, state.context.clock.now()))
      if (due === undefined) return deleted
      const { segments, reason } = due
      const fields = { partition: partitionName(this.topicPartition), baseOffsets: segments.map(s => s.baseOffset) }
      state.context.logger.info(fields, `deleting segments due to ${reason}`)
      state.directory.run(() => {
        if (segments.length === state.segments.count) state.roll(state.logEndOffset)
      })
      const next = state.segments.higher(segments.at(-1)!.baseOffset)!.baseOffset
      await state.moveLogStart(Math.max(next, state.logStartOffset))
      // The log may have been cut, closed or deleted meanwhile.
      if (this.#state.isClosed) return deleted
      const gone = segments.filter(segment => state.segments.has(segment))
      state.directory.run(() => state.removeSegments(gone, state.config.fileDeleteDelayMs))
      deleted += gone.length
    }
  }

  #offsets(): { logStartOffset: number; logEndOffset: number; highWatermark: number } {
    const { logStartOffset, logEndOffset, highWatermark } = this.#state
    return { logStartOffset, logEndOffset, highWatermark }
  }

  /** The topic's settings changed; they count from the next append on. */
  configChanged(config: LogConfig): void {
    this.#state.config = config
    this.#state.drawJitter()
  }

  /** The topic got its id after the log was made. */
  topicIdAssigned(topicId: string): void {
    this.#state.assignTopicId(topicId)
  }

  /**
   * A clean stop: resolves when everything is synced and the files are closed. Nothing can be appended or read after.
   *
   * @throws KAFKA_STORAGE_ERROR
   */
  async close(): Promise<void> {
    if (this.#state.isClosed) return
    this.#state.isClosed = true
    await this.#state.settle()
    this.#state.close()
  }

  /** Closes the files as they are, for a log that is deleted or whose directory failed. */
  abandon(): void {
    this.#state.isClosed = true
    this.#state.abandon()
  }

  #assertAppendable(): void {
    this.#assertWritable()
    assert(!this.#state.flusher.isBeingCut, `log ${partitionName(this.topicPartition)} is being cut`)
  }

  #assertWritable(): void {
    this.#state.directory.assertOnline()
    assert(!this.#state.isClosed, `log ${partitionName(this.topicPartition)} is closed`)
  }
}
