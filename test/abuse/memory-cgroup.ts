/** A real memory limit of the kernel, for one process: version 1 or 2 of control groups, whichever is mounted. */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = '/sys/fs/cgroup'

/** Where each version keeps what. */
const LAYOUTS = [
  {
    parent: ROOT,
    limit: 'memory.max',
    reached: /^max (\d+)/m,
    reachedIn: 'memory.events',
    killed: /^oom_kill (\d+)/m,
    killedIn: 'memory.events',
  },
  {
    parent: join(ROOT, 'memory'),
    limit: 'memory.limit_in_bytes',
    reached: /^(\d+)/,
    reachedIn: 'memory.failcnt',
    killed: /^oom_kill (\d+)/m,
    killedIn: 'memory.oom_control',
  },
] as const

type Layout = (typeof LAYOUTS)[number]

export class MemoryCgroup {
  readonly #directory: string
  readonly #layout: Layout

  private constructor(directory: string, layout: Layout) {
    this.#directory = directory
    this.#layout = layout
  }

  /**
   * Makes a group with this limit, which holds for the page cache of its processes as well.
   *
   * @throws Error where there is no memory controller, or nobody may make groups.
   */
  static make(limitBytes: number): MemoryCgroup {
    for (const layout of LAYOUTS) {
      if (!existsSync(layout.parent)) continue
      const directory = join(layout.parent, `monedula-${process.pid}`)
      mkdirSync(directory)
      if (existsSync(join(directory, layout.limit))) {
        writeFileSync(join(directory, layout.limit), `${limitBytes}`)
        return new MemoryCgroup(directory, layout)
      }
      rmdirSync(directory)
    }
    throw new Error(`${ROOT} has no memory controller`)
  }

  /** Puts a process under the limit, with all its threads. */
  add(pid: number): void {
    writeFileSync(join(this.#directory, 'cgroup.procs'), `${pid}`)
  }

  /** How often memory had to be taken back, for the limit was reached. */
  get timesReached(): number {
    return this.#number(this.#layout.reachedIn, this.#layout.reached)
  }

  /** How many processes were killed because that was not enough. */
  get killed(): number {
    return this.#number(this.#layout.killedIn, this.#layout.killed)
  }

  /** Its processes must have ended. */
  remove(): void {
    rmdirSync(this.#directory)
  }

  #number(file: string, pattern: RegExp): number {
    return Number(pattern.exec(readFileSync(join(this.#directory, file), 'utf8'))?.[1])
  }
}
