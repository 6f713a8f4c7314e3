/** Something that holds a file open and can open it again. */
export interface Reopenable {
  /** Gives the descriptor back; the next use opens the file anew. */
  release(): void
}

/**
 * Bounds how many segment files are open at once: the one that was used longest ago is closed for a new one. Files of
 * idle partitions thus cost no descriptor.
 */
export class OpenFiles {
  readonly #max: number
  /** In order of use, oldest first. */
  readonly #files = new Set<Reopenable>()

  constructor(max: number) {
    this.#max = max
  }

  get count(): number {
    return this.#files.size
  }

  /** `file` has just been opened. */
  opened(file: Reopenable): void {
    this.#files.add(file)
    for (const oldest of this.#files) {
      if (this.#files.size <= this.#max) return
      this.#files.delete(oldest)
      oldest.release()
    }
  }

  /** `file` is used again: it is closed later than the others. */
  touched(file: Reopenable): void {
    if (this.#files.size * 2 < this.#max) return
    if (this.#files.delete(file)) this.#files.add(file)
  }

  /** `file` has been closed by its owner. */
  closed(file: Reopenable): void {
    this.#files.delete(file)
  }
}
