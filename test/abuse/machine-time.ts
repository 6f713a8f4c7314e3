import { readFileSync } from 'node:fs'

const LOOK_MS = 10
/** Timers are late by less than this where nothing is wrong. */
const NOTICEABLE_MS = 20

/** How long the main thread of a process has been ready to run while others ran; 0 where the system does not tell. */
function readyMs(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ')[1]) / 1e6
  } catch {
    return 0
  }
}

/**
 * Time that a machine took from two processes, this one and another: what it gave to others while they were ready, and what it spent
 * standing still altogether, as a virtual one does. A wait is longer by that much for no fault of theirs.
 */
export class MachineTime {
  readonly #other: number
  #stillMs = 0
  #lookedMs = performance.now()
  #readyMs = readyMs(process.pid)

  constructor(other: number) {
    this.#other = other
    setInterval(() => this.#look(), LOOK_MS).unref()
  }

  /** Milliseconds so far. */
  get takenMs(): number {
    this.#look()
    return this.#stillMs + this.#readyMs + readyMs(this.#other)
  }

  /** Whoever looks too late, though nobody else ran meanwhile, was not there. */
  #look(): void {
    const [lookedMs, ready] = [performance.now(), readyMs(process.pid)]
    const lateMs = lookedMs - this.#lookedMs - LOOK_MS - (ready - this.#readyMs)
    if (lateMs > NOTICEABLE_MS) this.#stillMs += lateMs
    this.#lookedMs = lookedMs
    this.#readyMs = ready
  }
}
