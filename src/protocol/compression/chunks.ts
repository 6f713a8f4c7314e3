import { messageTooLarge } from '../records/record-error.ts'

/** Collects decompressed pieces up to a limit, and joins them. */
export class ChunkSink {
  readonly #maxBytes: number
  readonly #chunks: Uint8Array[] = []
  #length = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Bytes that may still be added. */
  get room(): number {
    return this.#maxBytes - this.#length
  }

  get length(): number {
    return this.#length
  }

  /** @throws MESSAGE_TOO_LARGE when `bytes` more are not allowed: asked before memory is taken for them. */
  reserve(bytes: number): void {
    if (bytes > this.room) throw messageTooLarge(this.#maxBytes)
  }

  /** Adds a piece, which is not copied and must not change any more. */
  push(chunk: Uint8Array): void {
    this.reserve(chunk.length)
    if (chunk.length > 0) this.#chunks.push(chunk)
    this.#length += chunk.length
  }

  /** All pieces as one; the only piece itself when there is just one. */
  join(): Uint8Array {
    return this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks, this.#length)
  }
}
