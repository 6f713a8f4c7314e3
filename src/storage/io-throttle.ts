import { type Clock, sleep } from '../platform/index.ts'

/** Waits shorter than this are saved up. */
const SHORTEST_WAIT_MS = 5

/** Holds work up so that it uses no more bytes a second than it may, on average (Kafka's Throttler). */
export class IoThrottle {
  readonly #clock: Clock
  readonly #bytesPerMs: number
  readonly #startedMs: number
  #bytes = 0

  constructor(clock: Clock, bytesPerSecond: number) {
    this.#clock = clock
    this.#bytesPerMs = bytesPerSecond / 1000
    this.#startedMs = clock.monotonicMs()
  }

  /** `bytes` have been used: resolves when more may be, but not before other work had its turn. */
  used(bytes: number): Promise<void> {
    this.#bytes += bytes
    const waitMs = this.#bytes / this.#bytesPerMs - (this.#clock.monotonicMs() - this.#startedMs)
    if (waitMs >= SHORTEST_WAIT_MS) return sleep(this.#clock, waitMs)
    return new Promise(resolve => this.#clock.soon(resolve))
  }
}
