import type { Clock, Timer } from '../platform/index.ts'

/** Calls that come again and again until they are stopped; the next one is due only when the last has ended. */
export class PeriodicTasks {
  readonly #clock: Clock
  readonly #timers = new Map<number, Timer>()
  #nextId = 0
  #stopped = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Runs `task` every `intervalMs`. It must not throw: nobody is there to hear it. */
  every(intervalMs: number, task: () => void | Promise<void>): void {
    const id = this.#nextId++
    const next = (): void => {
      if (this.#stopped) return
      this.#timers.set(
        id,
        this.#clock.schedule(intervalMs, () => void Promise.resolve(task()).then(next, next)),
      )
    }
    next()
  }

  stop(): void {
    this.#stopped = true
    for (const timer of this.#timers.values()) timer.cancel()
    this.#timers.clear()
  }
}
