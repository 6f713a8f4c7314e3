import type { Disk } from '../platform/index.ts'
import { SparseIndex } from './sparse-index.ts'

/** Bytes of an entry: offset relative to the segment's base (int32) and position in its records (int32). */
export const OFFSET_INDEX_ENTRY_BYTES = 8

/** Where an index of one segment lies, and its segment. */
export interface SegmentIndexOptions {
  readonly disk: Disk
  readonly path: string
  readonly baseOffset: number
  /** `segment.index.bytes`. */
  readonly maxBytes: number
  readonly hasFile: boolean
}

/** An offset and where the batch that ends with it begins. */
export interface OffsetPosition {
  readonly offset: number
  readonly position: number
}

/** The `.index` file: last offsets of some batches and where those batches begin. */
export class OffsetIndex extends SparseIndex {
  readonly #baseOffset: number
  readonly #maxEntries: number

  constructor(options: SegmentIndexOptions) {
    super({
      disk: options.disk,
      path: options.path,
      entryBytes: OFFSET_INDEX_ENTRY_BYTES,
      hasFile: options.hasFile,
    })
    this.#baseOffset = options.baseOffset
    this.#maxEntries = Math.floor(options.maxBytes / OFFSET_INDEX_ENTRY_BYTES)
  }

  get isFull(): boolean {
    return this.entryCount >= this.#maxEntries
  }

  /** The batch whose last offset is `offset` begins at `position`. Both rise from entry to entry. */
  add(offset: number, position: number): void {
    const { bytes, at } = this.append()
    bytes.writeInt32BE(offset - this.#baseOffset, at)
    bytes.writeInt32BE(position, at + 4)
  }

  /** The last entry whose offset is not above `offset`; without one, the segment's begin. */
  lookup(offset: number): OffsetPosition {
    const index = this.floor(offset - this.#baseOffset)
    return index < 0 ? { offset: this.#baseOffset, position: 0 } : this.at(index)
  }

  /** The last entry; without one, the segment's begin. */
  last(): OffsetPosition {
    return this.entryCount === 0 ? { offset: this.#baseOffset, position: 0 } : this.at(this.entryCount - 1)
  }

  /** Drops entries of `offset` and above. */
  truncateTo(offset: number): void {
    this.keep(this.floor(offset - this.#baseOffset - 1) + 1)
  }

  at(index: number): OffsetPosition {
    const bytes = this.entry(index)
    return { offset: this.#baseOffset + bytes.readInt32BE(0), position: bytes.readInt32BE(4) }
  }

  protected keyAt(bytes: Buffer, at: number): number {
    return bytes.readInt32BE(at)
  }
}
