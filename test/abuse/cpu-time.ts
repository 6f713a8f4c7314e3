/** CPU time of threads, as Linux accounts it: what nobody else on the machine can make longer, as it does the time on a clock. */
import { openSync, readSync } from 'node:fs'

const NS_IN_MS = 1e6
const LONGEST_LINE = 96

/** CPU time of the main thread of a process. The kernel brings that of a running thread up to date every few milliseconds. */
export class CpuTime {
  readonly #file: number
  readonly #line = Buffer.alloc(LONGEST_LINE)

  /** @throws Error where the system does not tell, or there is no such process. */
  constructor(pid: number) {
    this.#file = openSync(`/proc/${pid}/schedstat`, 'r')
  }

  /** Milliseconds since the thread's start. */
  get ms(): number {
    const length = readSync(this.#file, this.#line, 0, LONGEST_LINE, 0)
    return Number.parseInt(this.#line.toString('latin1', 0, length), 10) / NS_IN_MS
  }
}
