import { hasRecords } from './batch-fields.ts'
import type { LogSegment } from './log-segment.ts'
import type { LogSegments } from './log-segments.ts'
import type { TailCache } from './tail-cache.ts'

/** How much to read, and how far. */
export interface LogReadOptions {
  readonly maxBytes: number
  /** Batches that reach this offset or above are not returned: the high watermark or the last stable offset. */
  readonly maxOffset: number
  /** The first batch is returned even where it is larger than `maxBytes`. */
  readonly minOneMessage: boolean
}

/** Whole batches, by reference: the bytes must not be changed. */
export interface LogSlice {
  readonly chunks: readonly Uint8Array[]
  /** Sum of the chunks' lengths. */
  readonly bytes: number
  /** The offset that was asked for. */
  readonly startOffset: number
  /** Base offset of the first batch, which may be below `startOffset`; `startOffset` when there is none. */
  readonly baseOffset: number
  /** One above the last offset of the last batch; `startOffset` when there is none. */
  readonly nextOffset: number
  /** `nextOffset - 1`. */
  readonly lastOffset: number
}

/** One read holds the event loop for no more than this many bytes. */
const MAX_READ_BYTES = 16 * 2 ** 20
/** So many readers of one log are remembered with where they will read on. */
const PLACES_MAX = 16

/** The way of a fetch through a log: batches from memory where the reader is at the tail, else from a segment's file. */
export class LogReader {
  readonly #segments: LogSegments
  readonly #tail: TailCache
  /** Where the batch behind an earlier read begins, by its offset: a reader that goes on needs no index. */
  #places: Map<number, { readonly segment: LogSegment; readonly position: number }> | undefined

  constructor(segments: LogSegments, tail: TailCache) {
    this.#segments = segments
    this.#tail = tail
  }

  /** Reads from `startOffset`, which is in the log, on. */
  read(startOffset: number, options: LogReadOptions): LogSlice {
    if (startOffset >= options.maxOffset) return emptySlice(startOffset)
    const limits = { ...options, maxBytes: Math.min(Math.max(0, options.maxBytes), MAX_READ_BYTES) }
    const cached = this.#tail.read(startOffset, limits)
    if (cached !== undefined) {
      if (cached.bytes === 0) return emptySlice(startOffset)
      const { chunks, bytes, baseOffset, nextOffset } = cached
      return { chunks, bytes, startOffset, baseOffset, nextOffset, lastOffset: nextOffset - 1 }
    }
    return this.#readFiles(startOffset, limits)
  }

  /**
   * From the first segment that has something on. What a compaction has left of a segment may be a batch without any
   * record: then what follows comes with it, for some clients do not get past an answer without a record.
   */
  #readFiles(startOffset: number, limits: LogReadOptions): LogSlice {
    const chunks: Uint8Array[] = []
    let [bytes, baseOffset, nextOffset] = [0, startOffset, startOffset]
    let segment = this.#segments.floor(startOffset)
    while (segment !== undefined) {
      const position = this.#placeOf(nextOffset, segment)
      const minOneMessage = limits.minOneMessage && bytes === 0
      const maxBytes = limits.maxBytes - bytes
      const slice = segment.read(nextOffset, { maxBytes, maxOffset: limits.maxOffset, minOneMessage, position })
      if (slice !== undefined) {
        if (slice.bytes.length === 0) break
        if (bytes === 0) baseOffset = slice.baseOffset
        chunks.push(slice.bytes)
        bytes += slice.bytes.length
        nextOffset = slice.nextOffset
        this.#remember(nextOffset, segment, slice.nextPosition)
        if (hasRecords(slice.bytes)) break
      }
      segment = this.#segments.higher(segment.baseOffset)
    }
    return { chunks, bytes, startOffset, baseOffset, nextOffset, lastOffset: nextOffset - 1 }
  }

  /** The log was cut or lost segments: positions mean nothing any more. */
  forget(): void {
    this.#places = undefined
  }

  #placeOf(offset: number, segment: LogSegment): number | undefined {
    if (offset <= segment.baseOffset) return 0
    const place = this.#places?.get(offset)
    if (place === undefined) return undefined
    this.#places?.delete(offset)
    return place.segment === segment ? place.position : undefined
  }

  #remember(offset: number, segment: LogSegment, position: number): void {
    this.#places ??= new Map()
    if (this.#places.size >= PLACES_MAX) {
      const [oldest] = this.#places.keys()
      this.#places.delete(oldest!)
    }
    this.#places.set(offset, { segment, position })
  }
}

function emptySlice(startOffset: number): LogSlice {
  return {
    chunks: [],
    bytes: 0,
    startOffset,
    baseOffset: startOffset,
    nextOffset: startOffset,
    lastOffset: startOffset - 1,
  }
}
