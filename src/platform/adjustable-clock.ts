import type { Clock, Timer } from './clock.ts'

interface AdjustableTimer {
  readonly atMs: number
  readonly callback: () => void
  handle: Timer
}

/**
 * A running clock that can also be moved: time passes as on the clock below it, and {@link advance} adds to it. For tests
 * that must see an hour pass while real sockets go on working.
 */
export class AdjustableClock implements Clock {
  readonly #below: Clock
  readonly #timers = new Set<AdjustableTimer>()
  #aheadMs = 0
  #wallAheadMs = 0

  constructor(below: Clock) {
    this.#below = below
  }

  now(): number {
    return this.#below.now() + this.#aheadMs + this.#wallAheadMs
  }

  monotonicMs(): number {
    return this.#below.monotonicMs() + this.#aheadMs
  }

  schedule(delayMs: number, callback: () => void): Timer {
    const timer: AdjustableTimer = {
      atMs: this.monotonicMs() + delayMs,
      callback: () => {
        this.#timers.delete(timer)
        callback()
      },
      handle: { cancel() {} },
    }
    this.#timers.add(timer)
    this.#arm(timer)
    return {
      cancel: () => {
        this.#timers.delete(timer)
        timer.handle.cancel()
      },
    }
  }

  soon(callback: () => void): void {
    this.#below.soon(callback)
  }

  /** Moves time forward by `ms` (0 and up); timers that fall due run in order of their time, in the next turns of the loop. */
  advance(ms: number): void {
    if (!(ms >= 0))
      throw new RangeError(`time moves forward only: advance(${ms}); jumpWallClock moves the wall clock back`)
    this.#aheadMs += ms
    const inOrder = [...this.#timers].sort((one, other) => one.atMs - other.atMs)
    for (const timer of inOrder) {
      timer.handle.cancel()
      this.#arm(timer)
    }
  }

  /** Moves only the wall clock, as an operator or NTP would; timers and `monotonicMs` do not notice. */
  jumpWallClock(byMs: number): void {
    this.#wallAheadMs += byMs
  }

  #arm(timer: AdjustableTimer): void {
    const delayMs = Math.max(0, timer.atMs - this.monotonicMs())
    timer.handle = this.#below.schedule(delayMs, timer.callback)
  }
}
