import type { Clock } from '../platform/index.ts'

/** What a connection did last: little, much, or nothing yet. */
export type Weight = 'light' | 'heavy' | 'unknown'

/** A connection whose requests held the event loop for so long in a turn is heavy. */
const HEAVY_MS = 2

/** What {@link FairTurns.inPieces} has to know of some work. */
export interface LongWork {
  readonly isSequel: boolean
  /** Of the request, as it came. */
  readonly bytes: number
}

/** What one connection has had of the event loop; {@link FairTurns} keeps it up to date. */
export class Share {
  weight: Weight = 'unknown'
  /** The turn in which its last request started, and what the requests of that one have cost. */
  turn = -1
  costMs = 0
}

/** So long may requests be started in one turn of the event loop. */
const TURN_MS = 10

/**
 * Requests of so many bytes may wait while they are worked on: decoded, each takes some twenty times its bytes, which no budget counts.
 */
const MOST_BEGUN_BYTES = 4 * 1024 * 1024

/**
 * Shares the event loop among connections. When many requests arrive at once, starting all of them in the turn they came
 * in would hold up everybody for the sum of their costs. So a turn starts requests for some milliseconds only, and of
 * connections that were heavy in their last turn, by one costly request or by many cheap ones, those of a single one; the others
 * wait for later turns, light ones first. Who does little work then waits for one heavy request at the most, however many
 * connections send those.
 */
export class FairTurns {
  readonly #clock: Clock
  readonly #light: (() => void)[] = []
  readonly #unknown: (() => void)[] = []
  readonly #heavy: (() => void)[] = []
  /** Long work that was begun. */
  readonly #long: (() => void)[] = []
  /** Requests whose long work was begun, in bytes. */
  #begunBytes = 0
  /** What this turn has cost so far; light traffic may take several turns of the loop to fill one. */
  #lightMs = 0
  #othersMs = 0
  #turn = 0
  #willEnd = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether a request of a connection may start in this turn. */
  mayStart({ weight }: Share): boolean {
    return weight === 'light' ? this.#lightMs < TURN_MS : this.#othersMs < HEAVY_MS
  }

  /** A request is about to start: what {@link ended} wants to know of it. */
  begin(): number {
    return this.#clock.monotonicMs()
  }

  /** A request of a connection has done what it does at once. */
  ended(begunMs: number, share: Share): void {
    const costMs = this.#spent(begunMs, share)
    if (share.turn !== this.#turn) {
      share.turn = this.#turn
      share.costMs = 0
    }
    share.costMs += costMs
    share.weight = share.costMs >= HEAVY_MS ? 'heavy' : 'light'
  }

  /** Something more was done for it, as its answer is late: that alone makes nobody light. */
  endedMore(begunMs: number, share: Share): void {
    share.costMs += this.#spent(begunMs, share)
    if (share.costMs >= HEAVY_MS) share.weight = 'heavy'
  }

  #spent(begunMs: number, { weight }: Share): number {
    const costMs = this.#clock.monotonicMs() - begunMs
    if (weight === 'light') this.#lightMs += costMs
    else this.#othersMs += costMs
    if (this.#lightMs + this.#othersMs >= HEAVY_MS) this.#endSoon()
    return costMs
  }

  /** Calls `resume` in a later turn in which the connection may start a request. */
  later({ weight }: Share, resume: () => void): void {
    const queue = weight === 'light' ? this.#light : weight === 'heavy' ? this.#heavy : this.#unknown
    queue.push(resume)
    this.#endSoon()
  }

  /**
   * Does long work for a connection: a part at once, which counts as what the caller is about, and the rest in later turns. `work`
   * stops after each small piece; what it returns is given at once where that was all. One work is brought to its end before the
   * next goes on, so that what they make is not in memory at the same time; for that, one which `isSequel` to another that ended just
   * now goes before those that wait. Where requests of many bytes wait already, another large one is worked on to its end at once.
   */
  inPieces<T>(work: Iterator<unknown, T>, share: Share, { isSequel, bytes }: LongWork): T | Promise<T> {
    let part = this.#partOf(work)
    const mayWait = this.#begunBytes === 0 || this.#begunBytes + bytes <= MOST_BEGUN_BYTES
    while (!part.done && !mayWait) part = this.#partOf(work)
    if (part.done) return part.value
    this.#begunBytes += bytes
    return new Promise((resolve, reject) => {
      const goOn = (): void => {
        const begunMs = this.begin()
        try {
          const next = this.#partOf(work)
          if (!next.done) this.#long.unshift(goOn)
          else {
            this.#begunBytes -= bytes
            resolve(next.value)
          }
        } catch (error) {
          this.#begunBytes -= bytes
          reject(error)
        }
        this.endedMore(begunMs, share)
      }
      if (isSequel) this.#long.unshift(goOn)
      else this.#long.push(goOn)
      this.#endSoon()
    })
  }

  #partOf<T>(work: Iterator<unknown, T>): IteratorResult<unknown, T> {
    const begunMs = this.begin()
    for (;;) {
      const piece = work.next()
      if (piece.done || this.#clock.monotonicMs() - begunMs >= HEAVY_MS) return piece
    }
  }

  #endSoon(): void {
    if (this.#willEnd) return
    this.#willEnd = true
    this.#clock.soon(() => this.#nextTurn())
  }

  #nextTurn(): void {
    this.#willEnd = false
    this.#turn += 1
    this.#lightMs = 0
    this.#othersMs = 0
    for (let left = this.#light.length; left > 0 && this.#lightMs < TURN_MS; left--) this.#light.shift()!()
    // One of the others in any case, so that light traffic cannot hold them up for ever.
    do this.#nextOther()?.()
    while (this.#othersWait && this.#othersMs < HEAVY_MS)
    if (this.#light.length > 0 || this.#othersWait) this.#endSoon()
  }

  get #othersWait(): boolean {
    return this.#unknown.length + this.#heavy.length + this.#long.length > 0
  }

  /** They begin a turn by turns: who is new need not wait for all that are heavy, nor those for all that are new. */
  #nextOther(): (() => void) | undefined {
    const kinds = [this.#unknown, this.#heavy, this.#long]
    for (let kind = 0; kind < kinds.length; kind++) {
      const next = kinds[(this.#turn + kind) % kinds.length]!.shift()
      if (next) return next
    }
    return undefined
  }
}
