import { type BatchHeader, NO_TIMESTAMP } from '../protocol/index.ts'
import { readInt64, writeInt64 } from './int64.ts'
import type { SegmentIndexOptions } from './offset-index.ts'
import { SparseIndex } from './sparse-index.ts'

/** Bytes of an entry: timestamp (int64) and offset relative to the segment's base (int32). */
export const TIME_INDEX_ENTRY_BYTES = 12

/** A timestamp and an offset that belongs to it. */
export interface TimestampOffset {
  readonly timestamp: number
  readonly offset: number
}

/**
 * The largest timestamp of a batch's records; -1 where it has none any more, for the header of a batch that compaction emptied
 * still has the time of what was in it.
 */
export function maxTimestampOf({ recordCount, maxTimestamp }: BatchHeader): number {
  return recordCount === 0 ? NO_TIMESTAMP : maxTimestamp
}

/** {@link maxTimestampOf} a batch, with its last offset. */
export function newestOf(header: BatchHeader): TimestampOffset {
  return { timestamp: maxTimestampOf(header), offset: header.lastOffset }
}

/**
 * The `.timeindex` file: an entry (t, o) says that no record up to offset o has a timestamp above t. Timestamps and
 * offsets rise from entry to entry.
 */
export class TimeIndex extends SparseIndex {
  readonly #baseOffset: number
  readonly #maxEntries: number
  #last: TimestampOffset | undefined

  constructor(options: SegmentIndexOptions) {
    super({
      disk: options.disk,
      path: options.path,
      entryBytes: TIME_INDEX_ENTRY_BYTES,
      hasFile: options.hasFile,
    })
    this.#baseOffset = options.baseOffset
    this.#maxEntries = Math.floor(options.maxBytes / TIME_INDEX_ENTRY_BYTES)
  }

  /** One entry is kept back for the moment at which the segment is closed. */
  get isFull(): boolean {
    return this.entryCount >= this.#maxEntries - 1
  }

  /** Adds an entry if its timestamp is above the last one's. `closing` may use the entry that was kept back. */
  maybeAdd(timestamp: number, offset: number, options: { readonly closing?: boolean } = {}): void {
    const last = this.last()
    if (timestamp <= last.timestamp || offset < last.offset || (this.isFull && !options.closing)) return
    const { bytes, at } = this.append()
    writeInt64(bytes, at, timestamp)
    bytes.writeInt32BE(offset - this.#baseOffset, at + 8)
    this.#last = { timestamp, offset }
  }

  /** The last entry whose timestamp is not above `timestamp`; without one, the segment's begin with timestamp -1. */
  lookup(timestamp: number): TimestampOffset {
    const index = this.floor(timestamp)
    return index < 0 ? { timestamp: -1, offset: this.#baseOffset } : this.at(index)
  }

  /** The last entry; without one, the segment's begin with timestamp -1. */
  last(): TimestampOffset {
    this.#last ??= this.entryCount === 0 ? { timestamp: -1, offset: this.#baseOffset } : this.at(this.entryCount - 1)
    return this.#last
  }

  /** Drops entries of `offset` and above. */
  truncateTo(offset: number): void {
    let count = this.entryCount
    while (count > 0 && this.at(count - 1).offset >= offset) count -= 1
    this.keep(count)
    this.#last = undefined
  }

  override reset(): void {
    super.reset()
    this.#last = undefined
  }

  at(index: number): TimestampOffset {
    const bytes = this.entry(index)
    return { timestamp: this.keyAt(bytes, 0), offset: this.#baseOffset + bytes.readInt32BE(8) }
  }

  protected keyAt(bytes: Buffer, at: number): number {
    return readInt64(bytes, at)
  }
}
