import type { Disk } from '../platform/index.ts'
import { readBatchHeader } from '../protocol/index.ts'
import { FileRecords } from './file-records.ts'
import type { OpenFiles } from './open-files.ts'
import { CLEANED_SUFFIX, LOG_SUFFIX, NEW_SEGMENT_FILES, segmentFileName } from './segment-files.ts'
import { SegmentIndexes } from './segment-indexes.ts'
import { syncFile } from './sync-file.ts'
import { newestOf } from './time-index.ts'
import type { AbortedTransaction } from './transaction-index.ts'

/** Where a replacement goes, and which. */
export interface CleanedSegmentOptions {
  readonly disk: Disk
  readonly openFiles: OpenFiles
  readonly directory: string
  readonly baseOffset: number
  readonly maxIndexSize: number
  readonly indexIntervalBytes: number
}

const MAX_CHUNKS = 512

/** The `.cleaned` files of a segment in the making. No file is open between two calls. */
export class CleanedSegment {
  readonly #disk: Disk
  readonly #records: FileRecords
  readonly #indexes: SegmentIndexes
  #chunks: Uint8Array[] = []
  #pendingBytes = 0

  constructor(options: CleanedSegmentOptions) {
    const { disk, directory, baseOffset, openFiles } = options
    this.#disk = disk
    const path = `${directory}/${segmentFileName(baseOffset, LOG_SUFFIX)}${CLEANED_SUFFIX}`
    this.#records = new FileRecords(path, 0, { disk, openFiles })
    this.#indexes = new SegmentIndexes({
      disk,
      directory,
      baseOffset,
      mark: CLEANED_SUFFIX,
      records: this.#records,
      maxBytes: options.maxIndexSize,
      intervalBytes: options.indexIntervalBytes,
      files: NEW_SEGMENT_FILES,
    })
    this.#records.create()
    this.#records.close()
  }

  /** Bytes of records, those not yet written among them. */
  get bytes(): number {
    return this.#records.size + this.#pendingBytes
  }

  get hasTxnIndex(): boolean {
    return this.#indexes.transactions.hasFile
  }

  /** Adds one batch behind the others. */
  add(batch: Uint8Array): void {
    const header = readBatchHeader(batch, 0)!
    this.#indexes.add(header, this.bytes, newestOf(header))
    const last = this.#chunks.at(-1)
    if (last !== undefined && last.buffer === batch.buffer && last.byteOffset + last.length === batch.byteOffset) {
      this.#chunks[this.#chunks.length - 1] = new Uint8Array(last.buffer, last.byteOffset, last.length + batch.length)
    } else {
      this.#chunks.push(batch)
    }
    this.#pendingBytes += batch.length
    if (this.#chunks.length >= MAX_CHUNKS) this.write()
  }

  /** Notes an aborted transaction whose marker has been added. */
  addAborted(aborted: AbortedTransaction): void {
    this.#indexes.transactions.add(aborted)
  }

  /** Hands what was added to the file. @throws DiskError */
  write(): void {
    try {
      if (this.#pendingBytes > 0) this.#records.append(this.#chunks, this.#pendingBytes)
    } finally {
      this.#records.close()
    }
    this.#chunks = []
    this.#pendingBytes = 0
  }

  /** Resolves when the files are whole and survive a power cut. Their time of modification is `modifiedMs`. */
  async finish(modifiedMs: number): Promise<void> {
    this.write()
    this.#indexes.seal()
    this.#disk.setModified(this.#records.path, modifiedMs)
    await Promise.all([syncFile(this.#disk, this.#records.path), this.#indexes.sync()])
  }
}
