/** Which form of the command `bin/monedula.js` runs. */
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { run } from '../compat/process.ts'
import { bin, Workspace } from './broker-process.ts'

let workspace: Workspace
beforeEach(() => {
  workspace = new Workspace()
})
afterEach(() => workspace.remove())

/** Writes a file as if it had been made at a moment, in seconds. */
function made(path: string, text: string, atSeconds: number): void {
  const file = workspace.of(path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  utimesSync(file, atSeconds, atSeconds)
}

async function whatRuns(): Promise<string> {
  return (await run(process.execPath, [workspace.of('bin/monedula.js')])).stdout
}

test('the bundle runs, unless something was compiled since it was made', async () => {
  cpSync(bin('monedula.js'), workspace.of('bin/monedula.js'))
  made('package.json', '{ "type": "module" }', 1_000)
  made('dist/src/cli/monedula.js', "console.log('compiled')", 1_000)
  assert.equal(await whatRuns(), 'compiled\n')
  made('dist/bundle/cli/monedula.js', "console.log('bundle')", 2_000)
  // As it is in a package, where builds leave no trace.
  assert.equal(await whatRuns(), 'bundle\n')
  made('dist/src/cli/.tsbuildinfo', '', 1_000)
  assert.equal(await whatRuns(), 'bundle\n')
  made('dist/src/client/.tsbuildinfo', '', 3_000)
  assert.equal(await whatRuns(), 'compiled\n')
})
