import { bufferPool } from '../platform/index.ts'
import type { BatchHeader } from '../protocol/index.ts'
import { KafkaError } from '../protocol/index.ts'
import { batchBaseOffset, batchLastOffset, batchLength, headerMissing, MIN_BATCH_BYTES } from './batch-fields.ts'
import { BatchScanner } from './batch-scanner.ts'
import { FileRecords } from './file-records.ts'
import { type LogConfig, maxSegmentMs } from './log-config.ts'
import type { StorageContext } from './log-directory.ts'
import { LOG_SUFFIX, type SegmentFiles, segmentFileName } from './segment-files.ts'
import { SegmentIndexes } from './segment-indexes.ts'
import type { TimestampOffset } from './time-index.ts'

/** Which segment, and where. */
export interface SegmentOptions {
  readonly context: StorageContext
  /** The partition's directory. */
  readonly directory: string
  readonly baseOffset: number
  readonly config: LogConfig
  readonly files: SegmentFiles
  /** Wall clock at which the segment was made, as well as it is known. */
  readonly createdMs: number
  /** Behind the names of the files, for a compaction's; default none. */
  readonly mark?: string
}

/** What is about to be appended. */
export interface SegmentAppend {
  readonly bytes: Uint8Array
  readonly batches: readonly BatchHeader[]
  /** The largest timestamp among the batches, with the last offset of its batch. */
  readonly newest: TimestampOffset
}

/** How much may be read, and how far. */
export interface SegmentReadOptions {
  readonly maxBytes: number
  /** Records of this offset and above are not returned. */
  readonly maxOffset: number
  /** The first batch is returned even where it is larger than `maxBytes`. */
  readonly minOneMessage: boolean
  /** Where the batch that holds the start offset begins, if the caller knows. */
  readonly position?: number | undefined
}

/** Whole batches out of one segment. */
export interface SegmentSlice {
  readonly bytes: Uint8Array
  /** Base offset of the first batch; it may be below the start offset. */
  readonly baseOffset: number
  /** One above the last offset in the last batch. */
  readonly nextOffset: number
  /** Where the batch behind these begins. */
  readonly nextPosition: number
}

const EMPTY = new Uint8Array(0)
const SCAN_WINDOW_BYTES = 64 * 1024
/** So many times its own bytes, by which it counts, what is read may hold in memory. */
const MOST_HELD = 3
/** How far above its base a segment's offsets may be: indexes have 31 bits for it. */
export const MAX_RELATIVE_OFFSET = 2 ** 31 - 1

/**
 * One records file and its indexes: the part of a log that begins at `baseOffset`. It knows bytes, offsets and times,
 * and nothing of high watermarks, epochs or producers.
 */
export class LogSegment {
  readonly baseOffset: number
  readonly records: FileRecords
  readonly #options: SegmentOptions
  #indexes: SegmentIndexes | undefined
  #createdMs: number
  #rollingBasedTimestamp: number | undefined

  constructor(options: SegmentOptions) {
    const { context, directory, baseOffset, files, mark = '' } = options
    this.#options = options
    this.baseOffset = baseOffset
    this.#createdMs = options.createdMs
    this.records = new FileRecords(`${directory}/${segmentFileName(baseOffset, LOG_SUFFIX)}${mark}`, files.log, context)
  }

  /** Made when somebody asks: of thousands of partitions most are idle, and of a log's segments most are closed. */
  get indexes(): SegmentIndexes {
    this.#indexes ??= this.#openIndexes()
    return this.#indexes
  }

  #openIndexes(): SegmentIndexes {
    const { context, directory, baseOffset, config, files, mark } = this.#options
    return new SegmentIndexes({
      disk: context.disk,
      directory,
      baseOffset,
      mark,
      records: this.records,
      maxBytes: config.maxIndexSize,
      intervalBytes: config.indexIntervalBytes,
      files,
    })
  }

  /** Bytes of records. */
  get size(): number {
    return this.records.size
  }

  /** Appends whole batches, which the caller has checked, and index entries as they fall due. */
  append({ bytes, batches, newest }: SegmentAppend): void {
    // Before the first records, so that indexes that have no file yet are taken for new, not for lost.
    const { indexes } = this
    let position = this.records.size
    this.records.append([bytes], bytes.length)
    if (position === 0) this.#rollingBasedTimestamp = newest.timestamp
    for (let index = 0; index < batches.length; index++) {
      const header = batches[index]!
      indexes.add(header, position, newest)
      position += header.length
    }
  }

  /** Whether `offset` can stand in the indexes, which count from the base in 31 bits. */
  canHold(offset: number): boolean {
    return offset - this.baseOffset <= MAX_RELATIVE_OFFSET
  }

  /** Whether a batch set must go to a new segment (LogSegment.shouldRoll). */
  shouldRoll(
    append: { bytes: number; lastOffset: number; maxTimestamp: number },
    config: LogConfig,
    jitterMs: number,
  ): boolean {
    if (this.size > config.segmentBytes - append.bytes && this.size > 0) return true
    if (this.records.isLost) return true
    if (this.size > 0 && this.#timeWaited(append.maxTimestamp) > maxSegmentMs(config) - jitterMs) return true
    return this.indexes.isFull || !this.canHold(append.lastOffset)
  }

  /** How old the segment is by its records' time, or by the clock where records have none. */
  #timeWaited(timestamp: number): number {
    const base = this.#rollingBase()
    return base >= 0 ? timestamp - base : this.#options.context.clock.now() - this.#createdMs
  }

  /** The largest timestamp of the first batch, by which the age of the segment is told; -1 without any. */
  firstBatchTimestamp(): number {
    return this.#rollingBase()
  }

  #rollingBase(): number {
    if (this.#rollingBasedTimestamp === undefined) {
      const first = this.#unlessLost(() => this.scan(0, 128).next())
      this.#rollingBasedTimestamp = first?.maxTimestamp ?? -1
    }
    return this.#rollingBasedTimestamp
  }

  /** The largest timestamp, or where records have none, the time of the last write. */
  get largestTimestamp(): number {
    const timestamp = this.#unlessLost(() => this.indexes.maxTimestamp.timestamp) ?? -1
    return timestamp >= 0 ? timestamp : this.modifiedMs
  }

  /** What is to be found in the records; undefined where they are lost, which keeps nobody from deleting what is left. */
  #unlessLost<T>(find: () => T): T | undefined {
    try {
      return find()
    } catch (error) {
      if (this.records.isLost) return undefined
      throw error
    }
  }

  /** Wall clock of the last write to the records. */
  get modifiedMs(): number {
    return this.#options.context.disk.stat(this.records.path)?.modifiedMs ?? this.#createdMs
  }

  /**
   * Whole batches from the one that holds `startOffset` on, or the first behind it; undefined when the segment ends
   * before. Empty bytes where the first batch may not be returned: it is too large, or reaches above `maxOffset`.
   */
  read(startOffset: number, options: SegmentReadOptions): SegmentSlice | undefined {
    const { maxBytes, maxOffset } = options
    const known = options.position !== undefined
    let position = options.position ?? this.indexes.startOf(startOffset)
    let window = this.records.read(position, maxBytes + (known ? 0 : SCAN_WINDOW_BYTES))
    let at = 0
    for (;;) {
      if (headerMissing(window, at)) {
        if (position + at >= this.size) return undefined
        position += at
        at = 0
        window = this.records.read(position, Math.max(maxBytes, SCAN_WINDOW_BYTES))
        if (headerMissing(window, 0)) throw this.#noBatchAt(position)
      }
      if (batchLastOffset(window, at) >= startOffset) break
      at += this.#lengthAt(window, at, position)
    }
    const length = this.#lengthAt(window, at, position)
    const baseOffset = batchBaseOffset(window, at)
    // No sum covers the base offset: one that cannot be is damage, and not a batch that is yet to become readable.
    if (!this.canHold(batchLastOffset(window, at))) throw this.#noBatchAt(position + at)
    if ((length > maxBytes && !options.minOneMessage) || batchLastOffset(window, at) >= maxOffset) {
      return { bytes: EMPTY, baseOffset, nextOffset: startOffset, nextPosition: position + at }
    }
    if (at + length > window.length) {
      position += at
      at = 0
      window = this.records.read(position, Math.max(length, maxBytes))
      if (window.length < length) throw this.#noBatchAt(position)
    }
    const end = wholeBatches(window, at, { maxBytes, maxOffset })
    return {
      bytes: keptOf(window, at, end.at),
      baseOffset,
      nextOffset: end.nextOffset,
      nextPosition: position + end.at,
    }
  }

  /** Length of the batch at `at` in a window that begins at `position`. */
  #lengthAt(window: Uint8Array, at: number, position: number): number {
    const length = batchLength(window, at)
    if (length < MIN_BATCH_BYTES || position + at + length > this.size) throw this.#noBatchAt(position + at)
    return length
  }

  #noBatchAt(position: number): KafkaError {
    return new KafkaError('CORRUPT_MESSAGE', `no batch at ${position} in ${this.records.path}`)
  }

  /** Where the first batch that ends at or behind `offset` begins; the size of the records when there is none. */
  positionOf(offset: number): number {
    const scanner = this.scan(this.indexes.startOf(offset))
    for (let header = scanner.next(); header !== undefined; header = scanner.next()) {
      if (header.lastOffset >= offset) return scanner.position
    }
    return this.size
  }

  /**
   * One above the last offset in the segment, by its last index entry and the batches behind it; undefined when the
   * records do not end with a whole batch.
   */
  readNextOffset(): number | undefined {
    const scanner = this.scan(this.indexes.lastStart(), 16 * 1024)
    let next = this.baseOffset
    for (let header = scanner.next(); header !== undefined; header = scanner.next()) next = header.lastOffset + 1
    return scanner.end === this.size ? next : undefined
  }

  /** Walks over the batches from `position` on. */
  scan(position: number, windowBytes = SCAN_WINDOW_BYTES): BatchScanner {
    return new BatchScanner(this.records, { position, windowBytes })
  }

  /** Cuts off the batch that holds `offset` and all behind it. */
  truncateTo(offset: number): void {
    const position = this.positionOf(offset)
    this.records.truncate(position)
    this.indexes.truncateTo(offset)
    if (position === 0) {
      this.#createdMs = this.#options.context.clock.now()
      this.#rollingBasedTimestamp = undefined
    }
  }

  /** Gives the records file the name that `nameOf` makes of its own; nothing is open then. */
  renameRecords(nameOf: (path: string) => string): void {
    const path = nameOf(this.records.path)
    this.close()
    this.#options.context.disk.rename(this.records.path, path)
    this.records.moved(path)
  }

  /** Closes the files. */
  close(): void {
    this.records.close()
    this.#indexes?.transactions.release()
  }
}

/** What is kept of a window; not all of the window's memory where that is much more, for an answer may wait long to be read. */
function keptOf(window: Uint8Array, start: number, end: number): Uint8Array {
  const kept = window.subarray(start, end)
  if (window.buffer.byteLength <= MOST_HELD * kept.length) return kept
  // In memory of its own: a piece of Node's pool keeps all of that, 64 KiB from Node 24 on.
  const copy = Buffer.allocUnsafeSlow(kept.length)
  copy.set(kept)
  bufferPool.recycle(window)
  return copy
}

/** The end of the whole batches from `at` on that fit; at least the first is taken. */
export function wholeBatches(
  window: Uint8Array,
  at: number,
  limits: { readonly maxBytes: number; readonly maxOffset: number },
): { readonly at: number; readonly nextOffset: number } {
  let end = at + batchLength(window, at)
  let nextOffset = batchLastOffset(window, at) + 1
  const limit = Math.min(window.length, at + limits.maxBytes)
  while (end + MIN_BATCH_BYTES <= limit) {
    const next = end + batchLength(window, end)
    if (next > limit || next < end + MIN_BATCH_BYTES) break
    const lastOffset = batchLastOffset(window, end)
    if (lastOffset >= limits.maxOffset) break
    end = next
    nextOffset = lastOffset + 1
  }
  return { at: end, nextOffset }
}
