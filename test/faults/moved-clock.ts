/** The wall clock of one process, moved while it runs: by libfaketime, which leaves the monotonic clock and the dates of files alone. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run, sleep } from '../compat/process.ts'
import { debianPackage } from '../compat/tools.ts'

const HOUR_MS = 3_600_000
const STEP_MS = 5

export class MovedClock {
  readonly #directory = mkdtempSync(join(tmpdir(), 'monedula-clock-'))
  readonly #file = join(this.#directory, 'offset')
  readonly #library: string
  #aheadMs = 0

  private constructor(library: string) {
    this.#library = library
    this.moveTo(0)
  }

  /** Installs libfaketime from Debian where it is missing; throws where that is impossible. */
  static async create(): Promise<MovedClock> {
    if ((await MovedClock.#find()) === undefined) await debianPackage('faketime')
    const library = await MovedClock.#find()
    if (library === undefined)
      throw new Error('Debian has libfaketimeMT.so.1 in its package faketime, and it is not there')
    return new MovedClock(library)
  }

  static async #find(): Promise<string | undefined> {
    const { stdout } = await run('find', ['/usr/lib', '-name', 'libfaketimeMT.so.1'], { expectedCodes: [0, 1] })
    return stdout.split('\n')[0] || undefined
  }

  /** What a process whose clock shall be this one needs in its environment. */
  get env(): Record<string, string> {
    return {
      LD_PRELOAD: this.#library,
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
    }
  }

  /** How far the clock is ahead of the machine's. */
  get aheadMs(): number {
    return this.#aheadMs
  }

  /** From now on the clock is so many hours ahead of the machine's, or behind it. */
  moveTo(hours: number): void {
    this.#set(hours * HOUR_MS)
  }

  /** For so long the clock goes so many times as fast as the machine's, in steps of a few milliseconds. */
  async drift(speed: number, forMs: number): Promise<void> {
    const [fromMs, beganMs] = [this.#aheadMs, performance.now()]
    for (let passedMs = 0; passedMs < forMs; ) {
      await sleep(STEP_MS)
      passedMs = performance.now() - beganMs
      this.#set(fromMs + (speed - 1) * passedMs)
    }
  }

  #set(aheadMs: number): void {
    this.#aheadMs = aheadMs
    // In one piece, for the process may look at any moment.
    writeFileSync(`${this.#file}.next`, `${aheadMs < 0 ? '' : '+'}${(aheadMs / 1_000).toFixed(3)}\n`)
    renameSync(`${this.#file}.next`, this.#file)
  }

  dispose(): void {
    rmSync(this.#directory, { recursive: true })
  }
}
