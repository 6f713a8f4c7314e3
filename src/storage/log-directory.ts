import { type Clock, type Disk, DiskError, type Logger, type Random } from '../platform/index.ts'
import { KafkaError } from '../protocol/index.ts'
import type { OpenFiles } from './open-files.ts'
import type { RemovalQueue } from './removal-queue.ts'
import type { TailCacheBudget } from './tail-cache.ts'

/** What all logs of a broker share. */
export interface StorageContext {
  readonly disk: Disk
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly openFiles: OpenFiles
  readonly removals: RemovalQueue
  readonly tailBudget: TailCacheBudget
}

/**
 * One of a broker's `log.dirs`. The first disk error in it takes it offline for good: from then on every operation on
 * its logs fails with KAFKA_STORAGE_ERROR, because what a disk answered after an error proves nothing.
 */
export class LogDirectory {
  readonly path: string
  readonly #onFailure: (directory: LogDirectory, error: DiskError) => void
  #failure: DiskError | undefined

  constructor(path: string, onFailure: (directory: LogDirectory, error: DiskError) => void) {
    this.path = path
    this.#onFailure = onFailure
  }

  get isOffline(): boolean {
    return this.#failure !== undefined
  }

  /** @throws KAFKA_STORAGE_ERROR when the directory is offline. */
  assertOnline(): void {
    if (this.#failure !== undefined) throw this.#storageError(this.#failure)
  }

  /** Takes the directory offline and returns the error to answer with; anything but a disk error is returned as it is. */
  failed(error: unknown): unknown {
    if (!(error instanceof DiskError)) return error
    if (this.#failure === undefined) {
      this.#failure = error
      this.#onFailure(this, error)
    }
    return this.#storageError(error)
  }

  /** Runs disk operations: their errors take the directory offline. */
  run<T>(operation: () => T): T {
    this.assertOnline()
    try {
      return operation()
    } catch (error) {
      throw this.failed(error)
    }
  }

  /** As {@link run}, for what waits for the device. */
  async runLater<T>(operation: () => Promise<T>): Promise<T> {
    this.assertOnline()
    try {
      return await operation()
    } catch (error) {
      throw this.failed(error)
    }
  }

  #storageError(cause: DiskError): KafkaError {
    return new KafkaError('KAFKA_STORAGE_ERROR', `log directory ${this.path} is offline: ${cause.message}`, { cause })
  }
}
