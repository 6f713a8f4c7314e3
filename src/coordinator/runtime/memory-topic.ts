import type { ErrorName } from '../../protocol/index.ts'
import { batches, KafkaError, patchBatch } from '../../protocol/index.ts'
import type { PartitionLoader, PartitionWriter } from './partition-storage.ts'

interface WaitingAppend {
  readonly baseOffset: number
  readonly resolve: (baseOffset: number) => void
  readonly reject: (error: KafkaError) => void
}

/**
 * A coordinator's topic in memory: the deterministic twin of the broker's logs. Appends commit at once, or when
 * {@link commit} says so while {@link holdCommits} is set; {@link failNext} refuses appends.
 */
export class MemoryTopic implements PartitionWriter, PartitionLoader {
  readonly #logs = new Map<number, Uint8Array[]>()
  readonly #ends = new Map<number, number>()
  readonly #waiting: WaitingAppend[] = []
  readonly #failures: ErrorName[] = []
  /** Appends wait for {@link commit}. */
  holdCommits = false

  append(partition: number, batch: Uint8Array): Promise<number> {
    const failure = this.#failures.shift()
    if (failure !== undefined) return Promise.reject(new KafkaError(failure))
    const baseOffset = this.#ends.get(partition) ?? 0
    const stored = batch.slice()
    const [header] = batches(stored)
    if (header === undefined) return Promise.reject(new KafkaError('INVALID_RECORD'))
    patchBatch(stored, 0, { baseOffset, partitionLeaderEpoch: 0 })
    this.#ends.set(partition, baseOffset + header.lastOffsetDelta + 1)
    this.log(partition).push(stored)
    if (!this.holdCommits) return Promise.resolve(baseOffset)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ baseOffset, resolve, reject })
    })
  }

  async *load(partition: number): AsyncGenerator<Uint8Array, void, undefined> {
    yield* [...this.log(partition)]
  }

  /** Batches of the partition, in order. */
  log(partition: number): Uint8Array[] {
    let log = this.#logs.get(partition)
    if (log === undefined) {
      log = []
      this.#logs.set(partition, log)
    }
    return log
  }

  /** The next appends are refused, one with each error. */
  failNext(...errors: ErrorName[]): void {
    this.#failures.push(...errors)
  }

  /** Commits the oldest waiting append; `error` says that it did not reach enough replicas. */
  commit(error?: ErrorName): void {
    const append = this.#waiting.shift()
    if (append === undefined) return
    if (error === undefined) append.resolve(append.baseOffset)
    else append.reject(new KafkaError(error))
  }

  /** Commits all that waits. */
  commitAll(): void {
    while (this.#waiting.length > 0) this.commit()
  }
}
