/** Runs other people's programs: always with a time limit, always with their output kept. */
import { type ChildProcess, spawn } from 'node:child_process'

/**
 * How long a test waits for what comes soon: so long that a slow machine that has other work as well is in time, since only where
 * something is broken anybody waits for it.
 */
export const PATIENCE_MS = 120_000
/** What a test of many steps may take: less than its file has, so that it is the test that is named. */
export const LONG_TEST_MS = 800_000

/** How a program is run. */
export interface RunOptions {
  /** Text or bytes fed to the program's standard input; nothing (an empty input) when absent. */
  readonly input?: string | Uint8Array
  /** Killed with SIGKILL after this long; {@link PATIENCE_MS} when absent. */
  readonly timeoutMs?: number
  readonly cwd?: string
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>
  /** Exit codes that are not a failure; only 0 when absent. */
  readonly expectedCodes?: readonly number[]
}

/** What a program left behind. */
export interface RunResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
  readonly elapsedMs: number
}

const MAX_OUTPUT_BYTES = 64 * 1024 * 1024

/** A program that has not ended yet, with everything it has printed so far. */
export class RunningProgram {
  readonly child: ChildProcess
  readonly #name: string
  #stdout = ''
  #stderr = ''
  readonly #ended: Promise<number>
  #exitCode: number | undefined

  constructor(command: string, args: readonly string[], options: RunOptions = {}) {
    this.#name = [command, ...args].join(' ')
    this.child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      if (this.#stdout.length < MAX_OUTPUT_BYTES) this.#stdout += text
    })
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      if (this.#stderr.length < MAX_OUTPUT_BYTES) this.#stderr += text
    })
    // A program that ends without reading its input is no error of ours.
    this.child.stdin?.on('error', () => undefined)
    this.#ended = new Promise((resolve, reject) => {
      this.child.on('error', reject)
      this.child.on('close', (code, signal) => {
        this.#exitCode = code ?? (signal === 'SIGKILL' ? 137 : signal === 'SIGTERM' ? 143 : 1)
        resolve(this.#exitCode)
      })
    })
    this.#ended.catch(() => undefined)
  }

  get stdout(): string {
    return this.#stdout
  }

  get stderr(): string {
    return this.#stderr
  }

  get pid(): number {
    return this.child.pid ?? -1
  }

  get running(): boolean {
    return this.#exitCode === undefined
  }

  /** Resolves with the exit code (128 + signal as shells have it); kills the program and throws after `timeoutMs`. */
  async ended(timeoutMs = PATIENCE_MS): Promise<number> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        this.child.kill('SIGKILL')
        reject(
          new Error(`still running after ${timeoutMs} ms: ${this.#name}\n${tail(this.#stdout)}\n${tail(this.#stderr)}`),
        )
      }, timeoutMs)
    })
    try {
      return await Promise.race([this.#ended, late])
    } finally {
      clearTimeout(timer)
    }
  }

  /** Waits until `seen` holds for what was printed; throws when the program ends or `timeoutMs` passes before. */
  async until(seen: (stdout: string, stderr: string) => boolean, timeoutMs = PATIENCE_MS): Promise<void> {
    const deadline = Date.now() + timeoutMs
    while (!seen(this.#stdout, this.#stderr)) {
      const why = !this.running ? `ended with ${this.#exitCode}` : Date.now() > deadline ? 'took too long' : undefined
      if (why !== undefined) throw new Error(`${this.#name}: ${why}\n${tail(this.#stdout)}\n${tail(this.#stderr)}`)
      await sleep(20)
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }
}

/** Runs a program to its end and throws, showing its output, when it fails or takes too long. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const started = Date.now()
  const program = new RunningProgram(command, args, options)
  program.child.stdin?.end(options.input ?? '')
  const code = await program.ended(options.timeoutMs)
  if (!(options.expectedCodes ?? [0]).includes(code)) {
    const shown = [command, ...args].join(' ').slice(0, 2_000)
    throw new Error(`exit code ${code}: ${shown}\n${tail(program.stdout)}\n${tail(program.stderr)}`)
  }
  return { code, stdout: program.stdout, stderr: program.stderr, elapsedMs: Date.now() - started }
}

/** Whether a program of this name can be started here. */
export async function programExists(command: string): Promise<boolean> {
  const found = await run('sh', ['-c', `command -v ${command}`], { expectedCodes: [0, 1, 127] })
  return found.code === 0
}

/** The end of a long text, enough to see what went wrong. */
export function tail(text: string): string {
  return text.length <= 6_000 ? text : `... ${text.slice(-6_000)}`
}

/**
 * Looks again and again, with a pause between, until something holds.
 * @throws what was waited for, when {@link PATIENCE_MS} were in vain
 */
export async function until(
  what: string | (() => string),
  holds: () => boolean | Promise<boolean>,
  pauseMs = 10,
): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; !(await holds()); await sleep(pauseMs)) {
    if (Date.now() > deadline) throw new Error(`waited in vain: ${typeof what === 'string' ? what : what()}`)
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise(resolve => {
    setTimeout(resolve, ms)
  })
}
