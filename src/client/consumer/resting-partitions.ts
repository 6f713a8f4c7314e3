import type { Clock, Timer } from '../../platform/index.ts'
import type { Backoff } from '../backoff.ts'

export interface RestSettings {
  readonly clock: Clock
  readonly backoff: Backoff
  /** Looks for leaders; does not fail. */
  readonly look: () => Promise<void>
  /** Some have rested, and can be asked of again. */
  readonly rested: () => void
}

/**
 * Partitions that failed and are left alone for a while, each for longer the more often in a row it failed. Others are not kept
 * waiting by them.
 */
export class RestingPartitions<P extends object> {
  readonly #settings: RestSettings
  readonly #failures = new WeakMap<P, number>()
  readonly #untilMs = new Map<P, number>()
  #timer: Timer | undefined
  #timerAtMs = Number.POSITIVE_INFINITY
  #isLooking = false
  #isClosed = false

  constructor(settings: RestSettings) {
    this.#settings = settings
  }

  has(partition: P): boolean {
    return this.#untilMs.has(partition)
  }

  /** How often in a row a partition failed. */
  failuresOf(partition: P): number {
    return this.#failures.get(partition) ?? 0
  }

  /** A partition could be read: if it fails again, that is the first time. */
  worked(partition: P): void {
    this.#failures.delete(partition)
  }

  /** Partitions that failed together rest together. */
  rest(partitions: readonly P[]): void {
    if (partitions.length === 0 || this.#isClosed) return
    const { backoff, clock } = this.#settings
    const failures = partitions.map(partition => this.failuresOf(partition) + 1)
    const untilMs = clock.monotonicMs() + backoff.delayMs(Math.max(...failures))
    for (const [index, partition] of partitions.entries()) {
      this.#failures.set(partition, failures[index]!)
      this.#untilMs.set(partition, untilMs)
    }
    this.#wakeUp()
  }

  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
  }

  #wakeUp(): void {
    if (this.#isLooking || this.#isClosed || this.#untilMs.size === 0) return
    const atMs = Math.min(...this.#untilMs.values())
    if (atMs >= this.#timerAtMs) return
    const { clock } = this.#settings
    this.#timer?.cancel()
    this.#timerAtMs = atMs
    this.#timer = clock.schedule(Math.max(1, Math.ceil(atMs - clock.monotonicMs())), () => {
      this.#timerAtMs = Number.POSITIVE_INFINITY
      void this.#look()
    })
  }

  async #look(): Promise<void> {
    const { clock, look } = this.#settings
    const nowMs = clock.monotonicMs()
    const rested = [...this.#untilMs].filter(([, untilMs]) => untilMs <= nowMs)
    this.#isLooking = true
    try {
      if (rested.length > 0) await look()
    } finally {
      this.#isLooking = false
      // Who failed anew meanwhile rests on.
      for (const [partition, untilMs] of rested) {
        if (this.#untilMs.get(partition) === untilMs) this.#untilMs.delete(partition)
      }
      if (!this.#isClosed) this.#settings.rested()
      this.#wakeUp()
    }
  }
}
