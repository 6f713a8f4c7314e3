import type { Disk } from '../platform/index.ts'
import { AtomicFile } from './checkpoint-file.ts'

export const CLEAN_SHUTDOWN_FILE = '.kafka_cleanshutdown'

/**
 * The marker that a broker leaves in a log directory as the last act of a clean stop: everything is synced, nothing
 * needs recovery. It is taken away as soon as it is read, so that it never speaks for a later run.
 */
export class CleanShutdownFile {
  readonly #disk: Disk
  readonly #directory: string

  constructor(disk: Disk, directory: string) {
    this.#disk = disk
    this.#directory = directory
  }

  /** Whether the last run stopped cleanly. Resolves when the marker is gone for good. */
  async take(): Promise<boolean> {
    const path = `${this.#directory}/${CLEAN_SHUTDOWN_FILE}`
    if (this.#disk.stat(path) === undefined) return false
    this.#disk.remove(path)
    await this.#disk.syncDirectory(this.#directory)
    return true
  }

  /** Resolves when the marker survives a power cut. `brokerEpoch` is that of the broker's last registration, or -1. */
  write(brokerEpoch: number): Promise<void> {
    const file = new AtomicFile(this.#disk, `${this.#directory}/${CLEAN_SHUTDOWN_FILE}`)
    return file.write(() => `{"version":0,"brokerEpoch":${brokerEpoch}}`)
  }
}
