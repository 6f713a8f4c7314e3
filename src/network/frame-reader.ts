import { bufferPool } from '../platform/index.ts'
import { FrameSizeError } from './foreign-peer.ts'
import type { FrameBudget } from './frame-budget.ts'

/** A frame's size comes first: an int32, big-endian, that does not count itself. */
const SIZE_BYTES = 4

/**
 * What is allocated at once for a frame, whatever size it claims; beyond that memory follows the bytes that came. The largest request of
 * a producer and the answer to a fetch of one partition, a mebibyte by default, fit in with what stands around it.
 */
const FIRST_ALLOCATION_BYTES = (1024 + 64) * 1024
/** The same while the budget is used up. */
const SCARCE_ALLOCATION_BYTES = 64 * 1024

/**
 * One read's worth of memory, shared by all connections: what arrives is copied out or handled before the next read.
 * An idle connection therefore holds no buffer at all.
 */
const scratch = Buffer.allocUnsafeSlow(64 * 1024)

export interface FrameReaderOptions {
  readonly maxFrameBytes: number
  readonly budget: FrameBudget
  readonly onFrame: (frame: Uint8Array) => void
  /** Where the memory of frames comes from; the pool when left out, for frames that are given back to it. */
  readonly allocate?: (bytes: number) => Buffer
}

/**
 * Cuts a connection's bytes into frames. Small frames are copied out of the shared scratch buffer; a frame that does
 * not fit in one read gets a buffer of its own, into which the socket then reads directly.
 *
 * Each frame handed to `onFrame` owns its memory and has been reserved in the budget; whoever takes it releases it.
 */
export class FrameReader {
  /** Applies from the next frame on. */
  maxFrameBytes: number
  readonly #budget: FrameBudget
  readonly #onFrame: (frame: Uint8Array) => void
  readonly #allocate: (bytes: number) => Buffer
  /** The frame under construction, with what has arrived of it; undefined between frames. */
  #frame: Buffer | undefined
  #frameSize = 0
  #filled = 0
  /** Bytes of a size prefix that was cut in two. */
  #prefix = 0
  #prefixLength = 0
  /** All bytes ever received: lets the owner see whether a peer makes progress. */
  receivedBytes = 0

  constructor({ maxFrameBytes, budget, onFrame, allocate = size => bufferPool.take(size) }: FrameReaderOptions) {
    this.maxFrameBytes = maxFrameBytes
    this.#budget = budget
    this.#onFrame = onFrame
    this.#allocate = allocate
  }

  /** Whether part of a frame has arrived. */
  get isMidFrame(): boolean {
    return this.#frame !== undefined || this.#prefixLength > 0
  }

  /** Where the next bytes of the connection go. */
  target(): Uint8Array {
    if (!this.#frame || this.#frameSize - this.#filled < scratch.length) return scratch
    if (this.#filled === this.#frame.length) this.#grow()
    return this.#frame.subarray(this.#filled)
  }

  /**
   * Takes `length` bytes that arrived in {@link target}.
   * @throws FrameSizeError when a frame claims a size that is negative, zero or above the limit: the stream is unusable.
   */
  received(length: number): void {
    this.receivedBytes += length
    const frame = this.#frame
    if (frame && this.#frameSize - this.#filled >= scratch.length) {
      this.#filled += length
      if (this.#filled === this.#frameSize) this.#finish()
      return
    }
    this.#cut(length)
  }

  /** Gives back what an unfinished frame reserved. */
  discard(): void {
    if (this.#frame) this.#budget.release(this.#frame.length)
    this.#frame = undefined
    this.#prefix = 0
    this.#prefixLength = 0
  }

  #cut(length: number): void {
    let position = 0
    while (position < length) {
      if (!this.#frame) {
        position = this.#readPrefix(position, length)
        continue
      }
      const wanted = Math.min(this.#frameSize - this.#filled, length - position)
      while (this.#filled + wanted > this.#frame.length) this.#grow()
      scratch.copy(this.#frame, this.#filled, position, position + wanted)
      this.#filled += wanted
      position += wanted
      if (this.#filled === this.#frameSize) this.#finish()
    }
  }

  /** Reads the size prefix at `position` of the scratch buffer; returns where the frame's bytes begin. */
  #readPrefix(position: number, length: number): number {
    let at = position
    while (at < length && this.#prefixLength < SIZE_BYTES) {
      this.#prefix = (this.#prefix << 8) | scratch[at]!
      this.#prefixLength += 1
      at += 1
    }
    if (this.#prefixLength === SIZE_BYTES) {
      const size = this.#prefix
      if (size <= 0 || size > this.maxFrameBytes) throw new FrameSizeError(size)
      this.#prefix = 0
      this.#prefixLength = 0
      this.#begin(size)
    }
    return at
  }

  #begin(size: number): void {
    const first = Math.min(size, this.#budget.isExhausted ? SCARCE_ALLOCATION_BYTES : FIRST_ALLOCATION_BYTES)
    this.#frame = this.#allocate(first)
    this.#frameSize = size
    this.#filled = 0
    this.#budget.reserve(first)
  }

  #grow(): void {
    const old = this.#frame!
    const larger = this.#allocate(Math.min(this.#frameSize, old.length * 2))
    old.copy(larger, 0, 0, this.#filled)
    bufferPool.recycle(old)
    this.#budget.reserve(larger.length - old.length)
    this.#frame = larger
  }

  #finish(): void {
    const frame = this.#frame!
    this.#frame = undefined
    this.#onFrame(frame)
  }
}
