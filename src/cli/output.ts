import { systemClock, writeOutput } from '../platform/index.ts'

/** What is gathered before it is written. */
const CHUNK_BYTES = 64 * 1024

/**
 * Standard output for much that comes fast: what is written in one turn of the event loop goes out together, and a reader that is slow
 * slows the writer down. After a failure what is written is dropped.
 */
export class Output<Mark = undefined> {
  readonly #mark: () => Mark
  #pieces: (string | Uint8Array)[] = []
  #length = 0
  #written: Promise<void> = Promise.resolve()
  #arrived: Mark | undefined
  #isBroken = false

  /** `mark` says how far the writer is: at the least all that it has given to {@link write}. */
  constructor(mark: () => Mark) {
    this.#mark = mark
  }

  /** Whether something could not be written: the reader has gone, or there is no room. */
  get isBroken(): boolean {
    return this.#isBroken
  }

  /** How far the writer was when it gave the last of what is known to have been written; undefined before. */
  get arrived(): Mark | undefined {
    return this.#arrived
  }

  /** Resolves when more may be written; nothing when it may be at once. */
  write(...pieces: readonly (string | Uint8Array)[]): Promise<void> | undefined {
    if (this.#pieces.length === 0) systemClock.soon(() => void this.flush())
    for (const piece of pieces) {
      this.#pieces.push(piece)
      this.#length += piece.length
    }
    return this.#length < CHUNK_BYTES ? undefined : this.flush()
  }

  /** Resolves when all is written, or cannot be. */
  flush(): Promise<void> {
    const pieces = this.#pieces.splice(0)
    this.#length = 0
    if (pieces.length > 0 && !this.#isBroken) this.#written = this.#send(Buffer.concat(pieces.map(asBuffer)))
    return this.#written
  }

  #send(bytes: Uint8Array): Promise<void> {
    const mark = this.#mark()
    return new Promise(resolve => {
      writeOutput(bytes, error => {
        if (error) this.#isBroken = true
        else this.#arrived = mark
        resolve()
      })
    })
  }
}

const asBuffer = (piece: string | Uint8Array): Uint8Array => (typeof piece === 'string' ? Buffer.from(piece) : piece)
