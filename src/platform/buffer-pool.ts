/** Sizes of slabs: powers of two between these. Smaller memory is left to the collector, larger is rare. */
const SMALLEST_BYTES = 8 * 1024
const LARGEST_BYTES = 2 * 1024 * 1024
/** What the pool keeps for reuse, in bytes. */
const KEPT_BYTES = 32 * 1024 * 1024

/**
 * Memory for frames and for reads of logs, used again and again. Without it a broker at full speed makes and drops a
 * gigabyte of buffers a second: measured, V8 then spent a third of the time collecting and 700 MB were resident.
 *
 * Whoever takes memory may give it back with {@link recycle} once nobody reads or writes it any more; what is not given
 * back is collected like any other memory. Giving back memory that is still referred to would mix up records of
 * different topics, so it is done in few places only: where a request's bytes have been answered, where the system has
 * taken a response's bytes, and where a producer's batch was packed, outgrown or written.
 */
export class BufferPool {
  /** Free slabs by size class. */
  readonly #free: Buffer[][] = []
  /** Slabs that are out and were not given back. */
  readonly #out = new WeakSet<ArrayBufferLike>()
  #keptBytes = 0

  /** Memory of `size` bytes, not cleared: fill it before anyone reads it. */
  take(size: number): Buffer {
    if (size < SMALLEST_BYTES || size > LARGEST_BYTES) {
      return size < SMALLEST_BYTES ? Buffer.allocUnsafe(size) : Buffer.allocUnsafeSlow(size)
    }
    const slabClass = classOf(size)
    let slab = this.#free[slabClass]?.pop()
    if (slab) this.#keptBytes -= slab.length
    else slab = Buffer.allocUnsafeSlow(SMALLEST_BYTES << slabClass)
    this.#out.add(slab.buffer)
    return slab.length === size ? slab : slab.subarray(0, size)
  }

  /** Takes back the slab that `bytes` lie in; does nothing with memory that is not the pool's, or was given back before. */
  recycle(bytes: Uint8Array): void {
    const memory = bytes.buffer
    if (!this.#out.delete(memory)) return
    if (this.#keptBytes + memory.byteLength > KEPT_BYTES) return
    this.#keptBytes += memory.byteLength
    const slabClass = classOf(memory.byteLength)
    let free = this.#free[slabClass]
    if (!free) {
      free = []
      this.#free[slabClass] = free
    }
    free.push(Buffer.from(memory))
  }

  /** Whether {@link recycle} would take these bytes back. */
  owns(bytes: Uint8Array): boolean {
    return this.#out.has(bytes.buffer)
  }
}

/** The pool of this process. */
export const bufferPool = new BufferPool()

/** The smallest class whose slabs hold `size` bytes: 0 for {@link SMALLEST_BYTES}. */
function classOf(size: number): number {
  return size <= SMALLEST_BYTES ? 0 : 32 - Math.clz32((size - 1) / SMALLEST_BYTES)
}
