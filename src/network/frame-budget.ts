import assert from 'node:assert/strict'

/**
 * Memory that frames of all connections may hold together, in bytes: requests, or replies that are not read yet. It is a
 * brake, not a wall: a request that has begun may grow past it, but while it is exhausted no connection begins another one,
 * and fetches answer with little.
 */
export class FrameBudget {
  readonly limitBytes: number
  #usedBytes = 0
  #waiting: (() => void)[] = []

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  /** Bytes that are left. */
  get roomBytes(): number {
    return Math.max(0, this.limitBytes - this.#usedBytes)
  }

  get isExhausted(): boolean {
    return this.#usedBytes >= this.limitBytes
  }

  reserve(bytes: number): void {
    this.#usedBytes += bytes
  }

  release(bytes: number): void {
    this.#usedBytes -= bytes
    assert(this.#usedBytes >= 0, 'a frame was released twice')
    if (this.#waiting.length > 0 && !this.isExhausted) {
      const waiting = this.#waiting
      this.#waiting = []
      for (const resume of waiting) resume()
    }
  }

  /** Calls `resume` once, when the budget is no longer exhausted. */
  whenAvailable(resume: () => void): void {
    this.#waiting.push(resume)
  }
}
