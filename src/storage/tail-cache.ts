import { batchBaseOffset, batchLastOffset, batchLength } from './batch-fields.ts'

/** A run of whole batches in memory. */
interface TailChunk {
  readonly cache: TailCache
  /** Memory that the chunk keeps from being freed. */
  readonly heldBytes: number
  readonly baseOffset: number
  bytes: Uint8Array
  nextOffset: number
  evicted: boolean
}

/** What is found in a {@link TailCache}. */
export interface TailSlice {
  readonly chunks: readonly Uint8Array[]
  readonly bytes: number
  readonly baseOffset: number
  readonly nextOffset: number
}

/** Appends below this are gathered in chunks of {@link GATHER_BYTES}; larger ones are left to the page cache. */
const GATHER_BELOW_BYTES = 4096
const GATHER_BYTES = 16 * 1024

/**
 * How much memory the tails of all logs may hold together. The chunk that was appended first, of whichever log, is
 * dropped first: readers at the tail have had it by then.
 */
export class TailCacheBudget {
  readonly #maxBytes: number
  #heldBytes = 0
  #chunks: TailChunk[] = []
  /** Chunks before this index are gone. */
  #first = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get heldBytes(): number {
    return this.#heldBytes
  }

  get maxBytes(): number {
    return this.#maxBytes
  }

  /** Takes a chunk in and drops the oldest ones beyond the limit. */
  hold(chunk: TailChunk): void {
    this.#chunks.push(chunk)
    this.#heldBytes += chunk.heldBytes
    while (this.#heldBytes > this.#maxBytes && this.#first < this.#chunks.length) {
      const oldest = this.#chunks[this.#first]!
      this.#first += 1
      if (!oldest.evicted) oldest.cache.evictOldest(oldest)
    }
    if (this.#first > 1024 && this.#first * 2 > this.#chunks.length) {
      this.#chunks = this.#chunks.slice(this.#first).filter(({ evicted }) => !evicted)
      this.#first = 0
    }
  }

  /** A chunk is gone. */
  released(chunk: TailChunk): void {
    this.#heldBytes -= chunk.heldBytes
  }
}

/**
 * The batches that were appended last, so that readers at the tail need no disk and no copy. Always one run of offsets
 * that ends at the end of the log.
 */
export class TailCache {
  readonly #budget: TailCacheBudget
  #chunks: TailChunk[] = []
  /** Memory of the last chunk that small appends are gathered in. */
  #gather: Uint8Array | undefined

  constructor(budget: TailCacheBudget) {
    this.#budget = budget
  }

  /** The lowest offset it holds; infinite when it is empty. */
  get firstOffset(): number {
    return this.#chunks[0]?.baseOffset ?? Number.POSITIVE_INFINITY
  }

  /**
   * Takes in a copy of batches that have been appended. Large appends are not kept, and end the run: copying them once
   * more costs as much as reading them from the page cache, and their memory is used again at once.
   */
  add(bytes: Uint8Array, baseOffset: number, nextOffset: number): void {
    if (bytes.length >= GATHER_BELOW_BYTES) {
      this.clear()
      return
    }
    const last = this.#chunks.at(-1)
    if (this.#gather !== undefined && last !== undefined && last.bytes.length + bytes.length <= this.#gather.length) {
      this.#gather.set(bytes, last.bytes.length)
      last.bytes = this.#gather.subarray(0, last.bytes.length + bytes.length)
      last.nextOffset = nextOffset
      return
    }
    // A log that gets its first small append may never get another; one that got some gets room for many.
    this.#gather = new Uint8Array(last === undefined ? bytes.length : GATHER_BYTES)
    this.#gather.set(bytes)
    const kept = this.#gather.subarray(0, bytes.length)
    const heldBytes = this.#gather.length
    const chunk: TailChunk = { cache: this, heldBytes, baseOffset, bytes: kept, nextOffset, evicted: false }
    this.#chunks.push(chunk)
    this.#budget.hold(chunk)
  }

  /**
   * Whole batches from the one that holds `startOffset` on, by reference; undefined when it is not here. At least the
   * first batch is returned with `minOneMessage`, none above `maxOffset`.
   */
  read(
    startOffset: number,
    limits: { readonly maxBytes: number; readonly maxOffset: number; readonly minOneMessage: boolean },
  ): TailSlice | undefined {
    const chunks = this.#chunks
    if (chunks.length === 0 || startOffset < chunks[0]!.baseOffset) return undefined
    let index = this.#indexOf(startOffset)
    let bytes = chunks[index]!.bytes
    let start = 0
    while (batchLastOffset(bytes, start) < startOffset) start += batchLength(bytes, start)
    const baseOffset = batchBaseOffset(bytes, start)
    const slices: Uint8Array[] = []
    let total = 0
    let nextOffset = startOffset
    for (;;) {
      const minOneMessage = limits.minOneMessage && total === 0
      const { maxOffset } = limits
      const end = this.#fitting(bytes, start, { maxBytes: limits.maxBytes - total, maxOffset, minOneMessage })
      if (end > start) {
        slices.push(bytes.subarray(start, end))
        total += end - start
      }
      if (end < bytes.length) {
        if (total > 0) nextOffset = batchBaseOffset(bytes, end)
        break
      }
      nextOffset = chunks[index]!.nextOffset
      index += 1
      if (index === chunks.length) break
      bytes = chunks[index]!.bytes
      start = 0
    }
    return { chunks: slices, bytes: total, baseOffset, nextOffset }
  }

  /** The end of the batches from `start` on that fit. */
  #fitting(
    bytes: Uint8Array,
    start: number,
    limits: { readonly maxBytes: number; readonly maxOffset: number; readonly minOneMessage: boolean },
  ): number {
    let end = start
    while (end < bytes.length) {
      const next = end + batchLength(bytes, end)
      const tooLarge = next - start > limits.maxBytes && !(end === start && limits.minOneMessage)
      if (tooLarge || batchLastOffset(bytes, end) >= limits.maxOffset) break
      end = next
    }
    return end
  }

  /** Drops everything: the log was cut. */
  clear(): void {
    for (const chunk of this.#chunks) {
      chunk.evicted = true
      this.#budget.released(chunk)
    }
    this.#chunks = []
    this.#gather = undefined
  }

  /** Drops `chunk`, the oldest of all logs, hence of this one. */
  evictOldest(chunk: TailChunk): void {
    chunk.evicted = true
    this.#budget.released(chunk)
    if (this.#chunks.shift() !== chunk) throw new Error('chunks are evicted in the order of their appends')
    if (this.#chunks.length === 0) this.#gather = undefined
  }

  /** Index of the chunk that holds the offset or, where a gap is, the next one. */
  #indexOf(offset: number): number {
    let low = 0
    let high = this.#chunks.length - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#chunks[middle]!.nextOffset <= offset) low = middle + 1
      else high = middle
    }
    return low
  }
}
