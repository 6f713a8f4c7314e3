import type { Clock } from '../platform/index.ts'

/** A connection whose last request held the event loop for so long is heavy. */
const HEAVY_MS = 2
/** So long may requests be started in one turn of the event loop. */
const TURN_MS = 10

/**
 * Shares the event loop among connections. When many requests arrive at once, starting all of them in the turn they came
 * in would hold up everybody for the sum of their costs. So a turn starts requests for some milliseconds only, and of
 * connections whose last request was heavy a single one; the others wait for later turns, light ones first. Who does
 * little work then waits for one heavy request at the most, however many connections send those.
 */
export class FairTurns {
  readonly #clock: Clock
  readonly #light: (() => void)[] = []
  readonly #heavy: (() => void)[] = []
  /** What the requests of this turn have cost; light traffic may take several turns to fill one. */
  #busyMs = 0
  #willEnd = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether a request of a connection may start in this turn. */
  mayStart(isHeavy: boolean): boolean {
    return this.#busyMs < (isHeavy ? HEAVY_MS : TURN_MS)
  }

  /** A request is about to start: what {@link ended} wants to know of it. */
  begin(): number {
    return this.#clock.monotonicMs()
  }

  /** A request has done what it does at once; returns whether that was heavy. */
  ended(begunMs: number): boolean {
    const costMs = this.#clock.monotonicMs() - begunMs
    this.#busyMs += costMs
    if (this.#busyMs >= HEAVY_MS) this.#endSoon()
    return costMs >= HEAVY_MS
  }

  /** Calls `resume` in a later turn in which the connection may start a request. */
  later(isHeavy: boolean, resume: () => void): void {
    const queue = isHeavy ? this.#heavy : this.#light
    queue.push(resume)
    this.#endSoon()
  }

  #endSoon(): void {
    if (this.#willEnd) return
    this.#willEnd = true
    this.#clock.soon(() => this.#nextTurn())
  }

  #nextTurn(): void {
    this.#willEnd = false
    this.#busyMs = 0
    this.#heavy.shift()?.()
    for (let left = this.#light.length; left > 0 && this.mayStart(false); left--) this.#light.shift()!()
    if (this.#heavy.length + this.#light.length > 0) this.#endSoon()
  }
}
