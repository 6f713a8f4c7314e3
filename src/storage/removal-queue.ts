import type { Clock, Disk } from '../platform/index.ts'
import type { LogDirectory } from './log-directory.ts'

/**
 * Removes files and directories that are marked as deleted, one at a time and off the event loop: freeing a large segment
 * keeps the file system busy for a while, and a deleted topic has thousands of files.
 */
export class RemovalQueue {
  readonly #disk: Disk
  readonly #clock: Clock
  #last: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(disk: Disk, clock: Clock) {
    this.#disk = disk
    this.#clock = clock
  }

  /** Removes `paths`, which lie in `directory`, some time after `delayMs`. What is gone by then does not matter. */
  remove(directory: LogDirectory, paths: readonly string[], delayMs: number): void {
    if (delayMs > 0) this.#clock.schedule(delayMs, () => this.#enqueue(directory, paths))
    else this.#enqueue(directory, paths)
  }

  /** Resolves when nothing is being removed; nothing will be from now on: what is marked is removed by the next start. */
  close(): Promise<void> {
    this.#isClosed = true
    return this.#last
  }

  #enqueue(directory: LogDirectory, paths: readonly string[]): void {
    this.#last = this.#last.then(async () => {
      for (const path of paths) {
        if (this.#isClosed || directory.isOffline) return
        // A failure takes the directory offline, which is reported; what is marked stays marked.
        await directory.runLater(() => this.#disk.removeLater(path)).catch(() => {})
      }
    })
  }
}
