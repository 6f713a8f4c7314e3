import type { Clock, Timer } from './clock.ts'

/**
 * Time that moves only when a test says so: the deterministic twin of `systemClock`. Timers that are due run in order
 * of their time, those of one moment in the order in which they were made. Between two timers pending promises are
 * settled, as on a real event loop, so a chain of timers and awaits runs as it would live.
 */
export class SimulatedClock implements Clock {
  #nowMs: number
  #monotonicMs = 0
  /** Sorted by time; those of one moment in the order of their making. */
  readonly #timers: SimulatedTimer[] = []
  #soon: (() => void)[] = []

  /** @param startMs the wall clock at the start, milliseconds since 1970. */
  constructor(startMs = 1_700_000_000_000) {
    this.#nowMs = startMs
  }

  now(): number {
    return Math.floor(this.#nowMs)
  }

  monotonicMs(): number {
    return this.#monotonicMs
  }

  schedule(delayMs: number, callback: () => void): Timer {
    const timer: SimulatedTimer = {
      atMs: this.#monotonicMs + Math.min(Math.max(delayMs, 0), 2 ** 31 - 1),
      callback,
    }
    this.#timers.splice(this.#position(timer), 0, timer)
    return {
      cancel: () => {
        const index = this.#timers.indexOf(timer)
        if (index >= 0) this.#timers.splice(index, 1)
      },
    }
  }

  soon(callback: () => void): void {
    this.#soon.push(callback)
  }

  /** Timers that wait. */
  get pendingTimers(): number {
    return this.#timers.length
  }

  /** Moves only the wall clock, as an operator or NTP would; timers and `monotonicMs` do not notice. */
  jumpWallClock(byMs: number): void {
    this.#nowMs += byMs
  }

  /** Moves time on by `ms`, running what falls due; resolves when promises and callbacks of the last moment have settled. */
  async advance(ms: number): Promise<void> {
    const end = this.#monotonicMs + ms
    await this.settle()
    for (;;) {
      const next = this.#timers[0]
      if (next === undefined || next.atMs > end) break
      this.#timers.shift()
      this.#moveTo(next.atMs)
      next.callback()
      await this.settle()
    }
    this.#moveTo(end)
  }

  /** Runs what `soon` was given and lets promises settle, without moving time. */
  async settle(): Promise<void> {
    do {
      const due = this.#soon
      this.#soon = []
      for (const callback of due) callback()
      // A real macrotask lets promise chains of any length come to rest.
      await new Promise(resolve => setImmediate(resolve))
    } while (this.#soon.length > 0)
  }

  #moveTo(monotonicMs: number): void {
    const step = monotonicMs - this.#monotonicMs
    if (step <= 0) return
    this.#monotonicMs = monotonicMs
    this.#nowMs += step
  }

  #position(timer: SimulatedTimer): number {
    let low = 0
    let high = this.#timers.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const other = this.#timers[middle]
      if (other !== undefined && other.atMs <= timer.atMs) low = middle + 1
      else high = middle
    }
    return low
  }
}

interface SimulatedTimer {
  readonly atMs: number
  readonly callback: () => void
}
