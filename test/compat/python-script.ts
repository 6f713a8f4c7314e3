/** Runs the Python programs that lie beside these tests. */
import { join } from 'node:path'
import { repositoryRoot } from './jars.ts'
import { run } from './process.ts'

const SCRIPT_TIMEOUT_MS = 180_000

/** Runs a program of `test/compat/python` that must succeed; gives what it printed. */
export async function pythonScript(python: string, name: string, args: readonly string[]): Promise<string> {
  const script = join(repositoryRoot, 'test/compat/python', name)
  return (await run(python, [script, ...args], { timeoutMs: SCRIPT_TIMEOUT_MS })).stdout
}
