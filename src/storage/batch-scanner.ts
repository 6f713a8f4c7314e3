import {
  BATCH_FIELD,
  BATCH_HEADER_BYTES,
  type BatchHeader,
  batchCrcValid,
  crc32c,
  KafkaError,
  readBatchHeader,
} from '../protocol/index.ts'
import type { FileRecords } from './file-records.ts'

/** A batch above this is summed in pieces: its length may be garbage and need not be paid for with memory. */
const PIECE_BYTES = 1 << 20

/** How a {@link BatchScanner} reads. */
export interface ScanOptions {
  /** Where the first batch begins. */
  readonly position: number
  /** Bytes read at once. */
  readonly windowBytes: number
}

/**
 * Walks over the batches of a segment by reading a window of the file at a time, and stops at the end, at a batch of
 * which only a part is there, and at anything that cannot be a batch.
 */
export class BatchScanner {
  readonly #records: FileRecords
  readonly #windowBytes: number
  #window: Uint8Array = new Uint8Array(0)
  /** Where the window begins in the file. */
  #windowStart = 0
  #current: BatchHeader | undefined
  #next: number
  #position: number

  constructor(records: FileRecords, options: ScanOptions) {
    this.#records = records
    this.#windowBytes = Math.max(BATCH_HEADER_BYTES, options.windowBytes)
    this.#next = options.position
    this.#position = options.position
  }

  /** Where the batch that {@link next} returned last begins in the file. */
  get position(): number {
    return this.#position
  }

  /** Where the next batch should begin: at the end of the file if all of it was batches. */
  get end(): number {
    return this.#next
  }

  /** Steps onto the next batch. `position` of the header counts from a window's begin and means nothing to others. */
  next(): BatchHeader | undefined {
    const left = this.#records.size - this.#next
    this.#current = undefined
    if (left <= 0) return undefined
    this.#need(this.#next, Math.min(left, BATCH_HEADER_BYTES))
    const header = readBatchHeader(this.#window, this.#next - this.#windowStart)
    if (header === undefined || header.length > left) return undefined
    this.#current = header
    this.#position = this.#next
    this.#next += header.length
    return header
  }

  /** The whole current batch, and its header as it lies there. */
  batch(): { readonly bytes: Uint8Array; readonly header: BatchHeader } {
    const length = this.#current!.length
    this.#need(this.#position, length)
    const header = readBatchHeader(this.#window, this.#position - this.#windowStart)!
    return { bytes: this.#window, header }
  }

  /** Whether the current batch is the one that was written. */
  crcValid(): boolean {
    const current = this.#current!
    if (current.magic < 2 || current.length <= Math.max(PIECE_BYTES, this.#windowBytes)) {
      const { bytes, header } = this.batch()
      return batchCrcValid(bytes, header)
    }
    const piece = new Uint8Array(PIECE_BYTES)
    let crc = 0
    let at = this.#position + BATCH_FIELD.attributes
    while (at < this.#next) {
      const count = this.#records.readInto(piece, at, Math.min(PIECE_BYTES, this.#next - at))
      crc = crc32c(piece, 0, count, crc)
      at += count
    }
    return crc === current.crc
  }

  /** Makes the window hold `length` bytes from `position`. */
  #need(position: number, length: number): void {
    const start = position - this.#windowStart
    if (start >= 0 && start + length <= this.#window.length) return
    this.#window = this.#records.read(position, Math.max(length, this.#windowBytes))
    this.#windowStart = position
    if (this.#window.length < length) {
      throw new KafkaError('CORRUPT_MESSAGE', `${this.#records.path} is cut off at ${position + this.#window.length}`)
    }
  }
}
