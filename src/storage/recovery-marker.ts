import type { Disk } from '../platform/index.ts'

/**
 * The marker that stands in a log directory while its logs are recovered: a start that finds it knows that the recovery before was
 * cut off, and may have cut logs without having synced them. It is not synced itself: a power cut takes or keeps such cuts for good.
 */
export class RecoveryMarker {
  readonly #disk: Disk
  readonly #path: string

  constructor(disk: Disk, directory: string) {
    this.#disk = disk
    this.#path = `${directory}/.monedula_recovery`
  }

  /** Puts the marker there; whether it was there already. */
  begin(): boolean {
    if (this.#disk.stat(this.#path) !== undefined) return true
    this.#disk.open(this.#path, { create: true }).close()
    return false
  }

  end(): void {
    if (this.#disk.stat(this.#path) !== undefined) this.#disk.remove(this.#path)
  }
}
