import type { Random } from '../platform/index.ts'

/** Growth from one try to the next, and how far a delay strays to either side (KIP-580). */
const FACTOR = 2
const JITTER = 0.2

/** Delays that double from `initialMs` to `maxMs`, each a little off, so that clients that failed together come apart. */
export class Backoff {
  readonly #initialMs: number
  readonly #maxMs: number
  readonly #random: Random

  constructor(initialMs: number, maxMs: number, random: Random) {
    this.#initialMs = initialMs
    this.#maxMs = maxMs
    this.#random = random
  }

  /** The delay after `failures` tries in a row that went wrong, 1 and up. */
  delayMs(failures: number): number {
    const grown = Math.min(this.#initialMs * FACTOR ** (failures - 1), Math.max(this.#initialMs, this.#maxMs))
    return grown * (1 - JITTER + 2 * JITTER * this.#random.next())
  }
}
