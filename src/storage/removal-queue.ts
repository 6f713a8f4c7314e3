import type { Clock, Disk } from '../platform/index.ts'
import type { LogDirectory } from './log-directory.ts'

/** So many are removed at a time: one alone falls behind where topics come and go quickly. */
const AT_A_TIME = 4

interface Removal {
  readonly directory: LogDirectory
  readonly paths: readonly string[]
}

/**
 * Removes files and directories that are marked as deleted, a few at a time and off the event loop: freeing a large segment
 * keeps the file system busy for a while, and a deleted topic has thousands of files.
 */
export class RemovalQueue {
  readonly #disk: Disk
  readonly #clock: Clock
  /** First come first, from `#next` on: what is before that has been taken. */
  #waiting: Removal[] = []
  #next = 0
  readonly #running = new Set<Promise<void>>()
  #isClosed = false

  constructor(disk: Disk, clock: Clock) {
    this.#disk = disk
    this.#clock = clock
  }

  /** Removes `paths`, which lie in `directory`, some time after `delayMs`. What is gone by then does not matter. */
  remove(directory: LogDirectory, paths: readonly string[], delayMs: number): void {
    if (delayMs > 0) this.#clock.schedule(delayMs, () => this.#enqueue({ directory, paths }))
    else this.#enqueue({ directory, paths })
  }

  /** Resolves when nothing is being removed; nothing will be from now on: what is marked is removed by the next start. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#waiting = []
    await Promise.all(this.#running)
  }

  #enqueue(removal: Removal): void {
    if (this.#isClosed) return
    this.#waiting.push(removal)
    if (this.#running.size >= AT_A_TIME) return
    const worker = this.#work()
    this.#running.add(worker)
    void worker.then(() => this.#running.delete(worker))
  }

  async #work(): Promise<void> {
    for (let removal = this.#take(); removal !== undefined; removal = this.#take()) {
      const { directory, paths } = removal
      for (const path of paths) {
        if (this.#isClosed || directory.isOffline) break
        // A failure takes the directory offline, which is reported; what is marked stays marked.
        await directory.runLater(() => this.#disk.removeLater(path)).catch(() => {})
      }
    }
  }

  #take(): Removal | undefined {
    const removal = this.#waiting[this.#next++]
    if (removal === undefined || this.#next > 1_000) {
      this.#waiting = this.#waiting.slice(this.#next)
      this.#next = 0
    }
    return removal
  }
}
