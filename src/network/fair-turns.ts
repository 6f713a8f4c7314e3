import type { Clock } from '../platform/index.ts'

/** What the last request of a connection was, or that there was none yet. */
export type Weight = 'light' | 'heavy' | 'unknown'

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
  /** Of connections that are heavy, or may be. */
  readonly #others: (() => void)[] = []
  /** What this turn has cost so far; light traffic may take several turns of the loop to fill one. */
  #lightMs = 0
  #othersMs = 0
  #willEnd = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether a request of a connection may start in this turn. */
  mayStart(weight: Weight): boolean {
    return weight === 'light' ? this.#lightMs < TURN_MS : this.#othersMs < HEAVY_MS
  }

  /** A request is about to start: what {@link ended} wants to know of it. */
  begin(): number {
    return this.#clock.monotonicMs()
  }

  /**
   * A request of a connection that was of `weight` has done what it does at once, or what is done when its answer is
   * there. Returns how heavy that was.
   */
  ended(begunMs: number, weight: Weight): Weight {
    const costMs = this.#clock.monotonicMs() - begunMs
    if (weight === 'light') this.#lightMs += costMs
    else this.#othersMs += costMs
    if (this.#lightMs + this.#othersMs >= HEAVY_MS) this.#endSoon()
    return costMs >= HEAVY_MS ? 'heavy' : 'light'
  }

  /** Calls `resume` in a later turn in which the connection may start a request. */
  later(weight: Weight, resume: () => void): void {
    const queue = weight === 'light' ? this.#light : this.#others
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
    this.#lightMs = 0
    this.#othersMs = 0
    for (let left = this.#light.length; left > 0 && this.mayStart('light'); left--) this.#light.shift()!()
    // One of the others in any case, so that light traffic cannot hold them up for ever.
    do this.#others.shift()?.()
    while (this.#others.length > 0 && this.mayStart('unknown'))
    if (this.#others.length + this.#light.length > 0) this.#endSoon()
  }
}
