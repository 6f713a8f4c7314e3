import { type Disk, DiskError, type DiskFile } from '../platform/index.ts'
import type { BatchHeader } from '../protocol/index.ts'
import { batchBaseOffset, batchLength, headerMissing, MIN_BATCH_BYTES } from './batch-fields.ts'
import { BatchScanner } from './batch-scanner.ts'
import type { FileRecords } from './file-records.ts'
import { OFFSET_INDEX_ENTRY_BYTES, OffsetIndex, type OffsetPosition, type SegmentIndexOptions } from './offset-index.ts'
import {
  INDEX_SUFFIX,
  type SegmentFiles,
  segmentFileName,
  TIME_INDEX_SUFFIX,
  TXN_INDEX_SUFFIX,
} from './segment-files.ts'
import { syncAndClose } from './sync-file.ts'
import { newestOf, TIME_INDEX_ENTRY_BYTES, TimeIndex, type TimestampOffset } from './time-index.ts'
import { TransactionIndex } from './transaction-index.ts'

/** Which segment, and which of its indexes have files. */
export interface SegmentIndexesOptions {
  readonly disk: Disk
  /** The partition's directory. */
  readonly directory: string
  readonly baseOffset: number
  /** Behind the names of the files, for a compaction's; default none. */
  readonly mark?: string | undefined
  readonly records: FileRecords
  /** `segment.index.bytes`. */
  readonly maxBytes: number
  /** `index.interval.bytes`. */
  readonly intervalBytes: number
  /** Those that there are. */
  readonly files: SegmentFiles
}

const HEADER_BYTES = 27
const WINDOW_BYTES = 64 * 1024

/**
 * The indexes of a segment. They are never trusted further than the records bear out: an index file that is missing, at first
 * or later, or cannot be one, and an entry that points to no batch, make both indexes be built anew from the records.
 */
export class SegmentIndexes {
  readonly transactions: TransactionIndex
  readonly #disk: Disk
  readonly #baseOffset: number
  readonly #records: FileRecords
  readonly #intervalBytes: number
  readonly #offsets: OffsetIndex
  readonly #times: TimeIndex
  #maxTimestamp: TimestampOffset | undefined
  #bytesSinceEntry = 0
  /** The files have been looked at, or are ours. */
  #isChecked: boolean
  #isRebuilding = false

  constructor(options: SegmentIndexesOptions) {
    const { disk, directory, baseOffset, maxBytes, files, mark = '' } = options
    const path = (suffix: string): string => `${directory}/${segmentFileName(baseOffset, suffix)}${mark}`
    this.#disk = disk
    this.#baseOffset = baseOffset
    this.#records = options.records
    this.#intervalBytes = options.intervalBytes
    const index = (suffix: string, hasFile: boolean): SegmentIndexOptions => {
      return { disk, baseOffset, maxBytes, path: path(suffix), hasFile }
    }
    this.#offsets = new OffsetIndex(index(INDEX_SUFFIX, files.hasIndex))
    this.#times = new TimeIndex(index(TIME_INDEX_SUFFIX, files.hasTimeIndex))
    this.transactions = new TransactionIndex(index(TXN_INDEX_SUFFIX, files.hasTxnIndex))
    this.#isChecked = options.records.size === 0
    if (this.#isChecked) this.#maxTimestamp = this.#noTimestamp()
  }

  /** The segment can take no more entries. */
  get isFull(): boolean {
    this.#check()
    return this.#offsets.isFull || this.#times.isFull
  }

  /** Nothing is in any of them. */
  get isEmpty(): boolean {
    return this.#offsets.entryCount === 0 && this.#times.entryCount === 0 && !this.transactions.hasFile
  }

  /** The largest timestamp of a record and an offset at or behind it; -1 where records have none. */
  get maxTimestamp(): TimestampOffset {
    this.#maxTimestamp ??= this.#withFiles(() =>
      this.#times.entryCount > 0 ? this.#times.last() : this.#scanForMaxTimestamp(),
    )
    return this.#maxTimestamp
  }

  /** Notes a batch at `position` in the records. `newest` is the largest timestamp of all that is appended with it. */
  add(header: BatchHeader, position: number, newest: TimestampOffset): void {
    if (this.#bytesSinceEntry > this.#intervalBytes) {
      this.#withFiles(() => this.#addEntry(header, position, newest), position)
      this.#bytesSinceEntry = 0
    } else this.#noteTimestamp(newest)
    this.#bytesSinceEntry += header.length
  }

  #noteTimestamp(newest: TimestampOffset): void {
    if (newest.timestamp > this.maxTimestamp.timestamp) this.#maxTimestamp = newest
  }

  /** What it does to memory is lost when the indexes are made anew meanwhile, and then it is called again. */
  #addEntry(header: BatchHeader, position: number, newest: TimestampOffset): void {
    this.#noteTimestamp(newest)
    this.#offsets.add(header.lastOffset, position)
    const { timestamp, offset } = this.maxTimestamp
    // In an append of many batches the largest timestamp may belong to a later one, of which no entry can speak yet.
    if (offset <= header.lastOffset) this.#times.maybeAdd(timestamp, offset)
  }

  /** Where to begin to look for `offset`: at a batch that begins at or before it. */
  startOf(offset: number): number {
    return this.#placeOf(() => this.#offsets.lookup(offset))
  }

  /** Where to begin to look for the first record from `startOffset` on that is not older than `timestamp`. */
  startOfTime(timestamp: number, startOffset: number): number {
    // All records up to this entry are older, so the search begins behind it.
    const older = this.#withFiles(() => this.#times.lookup(timestamp - 1))
    return this.startOf(Math.max(older.offset, startOffset))
  }

  /** Where the last batch that has an entry begins. */
  lastStart(): number {
    return this.#placeOf(() => this.#offsets.last())
  }

  #placeOf(find: () => OffsetPosition): number {
    const entry = this.#withFiles(find)
    if (this.#isBorneOut(entry)) return entry.position
    this.rebuild()
    return find().position
  }

  /** The records were cut: nothing of `offset` and above is left. */
  truncateTo(offset: number): void {
    this.#withFiles(() => {
      this.#offsets.truncateTo(offset)
      this.#times.truncateTo(offset)
    })
    this.transactions.truncateTo(offset)
    this.#bytesSinceEntry = 0
    this.#maxTimestamp = this.#records.size === 0 ? this.#noTimestamp() : this.#scanForMaxTimestamp()
  }

  /** The segment will not be appended to any more: its largest timestamp gets an entry, and all entries go to the files. */
  seal(): void {
    this.#withFiles(() => this.#seal())
  }

  #seal(): void {
    const { timestamp, offset } = this.maxTimestamp
    if (timestamp >= 0) this.#times.maybeAdd(timestamp, offset, { closing: true })
    this.#offsets.write()
    this.#times.write()
  }

  /** Empties all indexes for a recovery that fills them again. */
  reset(): void {
    this.#resetPositions()
    this.transactions.reset()
  }

  /** Makes the offset and the time index anew from the headers of the batches. */
  rebuild(end = this.#records.size): void {
    this.#isRebuilding = true
    try {
      this.#resetPositions()
      const scanner = new BatchScanner(this.#records, { position: 0, windowBytes: WINDOW_BYTES })
      for (let header = scanner.next(); header !== undefined && scanner.position < end; header = scanner.next()) {
        this.add(header, scanner.position, newestOf(header))
      }
      this.#seal()
    } finally {
      this.#isRebuilding = false
    }
  }

  /** Does what needs the files. When somebody has removed one, they are first made anew, from the records before `end`. */
  #withFiles<T>(task: () => T, end?: number): T {
    this.#check()
    try {
      return task()
    } catch (error) {
      if (!isRemoval(error) || this.#isRebuilding) throw error
      this.rebuild(end)
      return task()
    }
  }

  /**
   * Resolves when the entries survive a power cut. What needs the files happens before this returns: the segment may leave its
   * log, and its files their names, while the device works.
   */
  async sync(): Promise<void> {
    const files = this.#withFiles(() => this.#openWritten())
    await Promise.all(files.map(syncAndClose))
  }

  #openWritten(): DiskFile[] {
    const files: DiskFile[] = []
    try {
      for (const index of [this.#offsets, this.#times, this.transactions]) {
        index.write()
        if (index.hasFile) files.push(this.#disk.open(index.path))
      }
      return files
    } catch (error) {
      for (const file of files) file.close()
      throw error
    }
  }

  /** Paths of the files that there are. */
  paths(): string[] {
    return this.#files().map(({ path }) => path)
  }

  /** Gives the files that there are the names that `nameOf` makes of theirs. */
  rename(nameOf: (path: string) => string): void {
    for (const file of this.#files()) {
      const path = nameOf(file.path)
      this.#disk.rename(file.path, path)
      file.moved(path)
    }
  }

  /** Bytes of the offset and of the time index. */
  sizes(): { readonly offsets: number; readonly times: number } {
    this.#check()
    const { entryCount: offsets } = this.#offsets
    return { offsets: offsets * OFFSET_INDEX_ENTRY_BYTES, times: this.#times.entryCount * TIME_INDEX_ENTRY_BYTES }
  }

  #files(): (OffsetIndex | TimeIndex | TransactionIndex)[] {
    return [this.#offsets, this.#times, this.transactions].filter(
      ({ hasFile, path }) => hasFile && this.#disk.stat(path) !== undefined,
    )
  }

  #resetPositions(): void {
    this.#isChecked = true
    this.#offsets.reset()
    this.#times.reset()
    this.#maxTimestamp = this.#noTimestamp()
    this.#bytesSinceEntry = 0
  }

  /** Looks once whether the files can be indexes of these records at all. */
  #check(): void {
    if (this.#isChecked) return
    this.#isChecked = true
    if (!this.#offsets.isWhole || !this.#times.isWhole || !this.#endsInSegment()) this.rebuild()
  }

  #endsInSegment(): boolean {
    const { offset, position } = this.#offsets.last()
    const time = this.#times.last()
    // Zeros are what a power cut leaves of an entry that never reached the disk.
    const isZeros = time.timestamp === 0 && time.offset === this.#baseOffset
    const timeFits =
      this.#times.entryCount === 0 || (time.timestamp >= 0 && time.offset >= this.#baseOffset && !isZeros)
    return offset >= this.#baseOffset && position >= 0 && position < this.#records.size && timeFits
  }

  /** Whether an entry points to a batch that begins at or before its offset. */
  #isBorneOut({ offset, position }: OffsetPosition): boolean {
    if (position === 0) return true
    if (position < 0 || position >= this.#records.size) return false
    const header = Buffer.allocUnsafe(HEADER_BYTES)
    const bytes = header.subarray(0, this.#records.readInto(header, position, HEADER_BYTES))
    if (headerMissing(bytes, 0) || bytes[16]! > 2) return false
    const [baseOffset, length] = [batchBaseOffset(bytes, 0), batchLength(bytes, 0)]
    const isInRecords = length >= MIN_BATCH_BYTES && position + length <= this.#records.size
    return isInRecords && baseOffset >= this.#baseOffset && baseOffset <= offset
  }

  /** The largest timestamp by the last time index entry and the batches behind it. */
  #scanForMaxTimestamp(): TimestampOffset {
    let largest = this.#times.last()
    const position = this.startOf(largest.offset)
    const scanner = new BatchScanner(this.#records, { position, windowBytes: WINDOW_BYTES })
    for (let header = scanner.next(); header !== undefined; header = scanner.next()) {
      const newest = newestOf(header)
      if (newest.timestamp > largest.timestamp) largest = newest
    }
    return largest
  }

  #noTimestamp(): TimestampOffset {
    return { timestamp: -1, offset: this.#baseOffset }
  }
}

function isRemoval(error: unknown): boolean {
  return error instanceof DiskError && error.code === 'ENOENT'
}
