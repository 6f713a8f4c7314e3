import { systemClock } from '../platform/index.ts'

/** What is gathered before it is written. */
const CHUNK_BYTES = 64 * 1024

/**
 * Standard output for much that comes fast: what is written in one turn of the event loop goes out together, and a reader that is slow
 * slows the writer down. When the reader has gone, what is written is dropped.
 */
export class Output {
  #pieces: (string | Uint8Array)[] = []
  #length = 0
  #isGone = false
  #waiting: (() => void) | undefined

  constructor() {
    process.stdout.on('drain', () => this.#waiting?.())
    process.stdout.on('error', () => {
      this.#isGone = true
      this.#waiting?.()
    })
  }

  /** Resolves when more may be written; nothing when it may be at once. */
  write(...pieces: readonly (string | Uint8Array)[]): Promise<void> | undefined {
    if (this.#pieces.length === 0) systemClock.soon(() => this.#flush())
    for (const piece of pieces) {
      this.#pieces.push(piece)
      this.#length += piece.length
    }
    return this.#length < CHUNK_BYTES ? undefined : this.flush()
  }

  /** Resolves when the reader may be given more. */
  async flush(): Promise<void> {
    this.#flush()
    if (this.#isGone || !process.stdout.writableNeedDrain) return
    await new Promise<void>(resolve => {
      this.#waiting = resolve
    })
  }

  #flush(): void {
    const pieces = this.#pieces.splice(0)
    this.#length = 0
    if (pieces.length > 0 && !this.#isGone) process.stdout.write(Buffer.concat(pieces.map(asBuffer)))
  }
}

const asBuffer = (piece: string | Uint8Array): Uint8Array => (typeof piece === 'string' ? Buffer.from(piece) : piece)
