/** A directory whose system calls will fail or take long. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { toolOrSkip } from '../compat/tools.ts'
import { report } from './cycles.ts'
import { strace } from './system-call-faults.ts'

/** Runs a test in such a directory and reports what it counted; skips it, and says so, where there is no strace. */
export async function withFrailDirectory(
  context: TestContext,
  body: (frail: string) => Promise<Record<string, number>>,
): Promise<void> {
  const ready = await toolOrSkip(context, 'strace', async () => {
    await strace()
    return true
  })
  if (ready === undefined) return
  const frail = mkdtempSync(join(tmpdir(), 'monedula-frail-'))
  try {
    report(context.name, await body(frail))
  } finally {
    rmSync(frail, { recursive: true })
  }
}
