/** Makes system calls of a running process fail or wait, by `strace`; other processes and other files notice nothing. */
import { programExists, RunningProgram } from '../compat/process.ts'
import { debianPackage } from '../compat/tools.ts'

/** Installs strace where it is missing; throws where that is impossible. */
export async function strace(): Promise<void> {
  if (!(await programExists('strace'))) await debianPackage('strace')
}

/** Which calls on which files, and what becomes of them. */
export interface SystemCallFault {
  readonly calls: readonly string[]
  /** As strace has it: `error=EIO`, `delay_enter=300000` (microseconds), `signal=SIGKILL:when=3`. */
  readonly effect: string
  /** Absolute paths; each call whatever its file when absent. */
  readonly files?: readonly string[]
}

/** A fault in force until it is lifted. */
export class FaultInForce {
  readonly #strace: RunningProgram

  private constructor(program: RunningProgram) {
    this.#strace = program
  }

  /** Takes hold of every thread of a process. */
  static async on(pid: number, { calls, effect, files = [] }: SystemCallFault): Promise<FaultInForce> {
    const paths = files.flatMap(file => ['-P', file])
    const names = calls.join(',')
    const args = ['-f', '-y', '-p', String(pid), ...paths, '-e', `trace=${names}`, '-e', `inject=${names}:${effect}`]
    const program = new RunningProgram('strace', args)
    await program.until((_stdout, stderr) => /attached/.test(stderr))
    return new FaultInForce(program)
  }

  /** How many calls were made to fail or to wait. */
  get fired(): number {
    return this.#strace.stderr.split('(INJECTED').length + this.#strace.stderr.split('(DELAYED').length - 2
  }

  /** Absolute paths of the files that these calls were for. */
  get struck(): Set<string> {
    const lines = this.#strace.stderr.split('\n').filter(line => /\((INJECTED|DELAYED)\)/.test(line))
    // By name as `openat(AT_FDCWD</work>, "/a/file"`, by descriptor as `pwrite64(17</a/file>`.
    return new Set(lines.flatMap(line => /"(\/[^"]+)"/.exec(line)?.[1] ?? /<(\/[^>]+)>/.exec(line)?.[1] ?? []))
  }

  /** Where the process is killed: not before it has ended, since strace may hang when it is interrupted meanwhile. */
  async lift(): Promise<void> {
    this.#strace.kill('SIGINT')
    await this.#strace.ended()
  }

  /** Where the process has got a SIGKILL: what still waits is not waited for, and is not done either. */
  async drop(): Promise<void> {
    this.#strace.kill('SIGKILL')
    await this.#strace.ended()
  }
}
