import type { Clock, Timer } from '../../platform/index.ts'

/** Something that is done again and again, `everyMs` after it was last over; it does not fail. */
export class Recurring {
  readonly #clock: Clock
  readonly #everyMs: number
  readonly #work: () => Promise<void>
  #timer: Timer | undefined
  #isStopped = false

  constructor(clock: Clock, everyMs: number, work: () => Promise<void>) {
    this.#clock = clock
    this.#everyMs = everyMs
    this.#work = work
  }

  get isStarted(): boolean {
    return this.#timer !== undefined
  }

  /** Begins; does nothing where it has begun. */
  start(): void {
    if (this.#timer === undefined) this.#next()
  }

  /** What is under way comes to its end, and is not begun again. */
  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
  }

  #next(): void {
    if (this.#isStopped) return
    this.#timer = this.#clock.schedule(this.#everyMs, () => void this.#work().then(() => this.#next()))
  }
}
