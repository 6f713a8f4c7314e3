/** Brokers as users run them: a process, a file of properties, a log on standard output. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { RunningProgram } from '../compat/process.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** A script of `bin/` by its absolute path. */
export function bin(name: string): string {
  return join(root, 'bin', name)
}

export function fromRoot(path: string): string {
  return join(root, path)
}

/** A directory for one test, removed by `remove`. */
export class Workspace {
  readonly path = mkdtempSync(join(tmpdir(), 'monedula-walls-'))

  /** The absolute path of a file or directory in it. */
  of(name: string): string {
    return join(this.path, name)
  }

  /** Writes a file of properties, those of a plain broker under the given ones; returns its path. */
  properties(name: string, values: Readonly<Record<string, string | number>>): string {
    const defaults = { 'broker.id': 0, listeners: 'PLAINTEXT://127.0.0.1:0', 'log.dirs': this.of('logs') }
    const lines = Object.entries({ ...defaults, ...values }).map(([key, value]) => `${key}=${value}\n`)
    writeFileSync(this.of(name), lines.join(''))
    return this.of(name)
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

export const STARTED = /\[KafkaServer id=(\d+)\] started \(kafka\.server\.KafkaServer\)/

/** Starts a broker and waits until it says that it has. */
export async function startBroker(command: string, args: readonly string[]): Promise<RunningProgram> {
  const broker = new RunningProgram(command, args)
  await broker.until(stdout => STARTED.test(stdout))
  return broker
}

/** Runs a start that fails: its exit code and everything it printed. */
export async function failedStart(command: string, args: readonly string[]): Promise<{ code: number; output: string }> {
  const broker = new RunningProgram(command, args)
  const code = await broker.ended()
  return { code, output: broker.stdout + broker.stderr }
}

export { freePort } from '../compat/metadata-probe.ts'
