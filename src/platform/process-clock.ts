import type { Clock, Timer } from './clock.ts'

/** Time of one process on a simulated machine: as on the clock below, until the process ends. What it planned is then not done. */
export class ProcessClock implements Clock {
  readonly #below: Clock
  #isOver = false

  constructor(below: Clock) {
    this.#below = below
  }

  /** Ends the process. */
  end(): void {
    this.#isOver = true
  }

  now(): number {
    return this.#below.now()
  }

  monotonicMs(): number {
    return this.#below.monotonicMs()
  }

  schedule(delayMs: number, callback: () => void): Timer {
    return this.#below.schedule(delayMs, () => this.#unlessOver(callback))
  }

  soon(callback: () => void): void {
    this.#below.soon(() => this.#unlessOver(callback))
  }

  #unlessOver(callback: () => void): void {
    if (!this.#isOver) callback()
  }
}
