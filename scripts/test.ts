/**
 * Runs the tests of a tier: `node dist/scripts/test.js <tier> [filter]`.
 *
 * `unit` imports every compiled `src/**\/*.test.js` into one process, which takes seconds where a process a file takes
 * minutes. `tidy`, `golden`, `simulation`, `integration`, `compat`, `faults` and `abuse` give each file a process of
 * its own, one at a time. `all` is every tier that needs nothing but npm.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const dist = fileURLToPath(new URL('..', import.meta.url))
const propertySeed = new URL('property-seed.js', import.meta.url).href
const NPM_ONLY = ['tidy', 'unit', 'golden', 'simulation', 'integration'] as const
const minuteMs = 60_000
/**
 * How long one file may take, so that what waits for ever fails by its name instead of holding up all the rest. Several times
 * what the longest file takes; librdkafka's whole suite, which CI does not run, takes most of an hour.
 */
const fileTimeoutMs = (tier: string): number => (tier === 'compat' && !process.env.CI ? 90 : 15) * minuteMs

/** Compiled test files below `directory`, in a stable order. */
function testFiles(directory: string): string[] {
  if (!existsSync(directory)) return []
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.test.js'))
    .map(name => join(directory, name))
    .sort()
}

function filesOf(tier: string): string[] {
  if (tier === 'unit') return testFiles(join(dist, 'src'))
  if (tier === 'tidy') return [join(dist, 'test', 'tidy.test.js')]
  return testFiles(join(dist, 'test', tier))
}

/** Runs files under node's test runner; returns whether all passed. */
function runTier(tier: string, filter: string): boolean {
  const files = filesOf(tier).filter(file => file.includes(filter))
  if (files.length === 0) return true
  console.log(`\n# ${tier}: ${files.length} files`)
  const node = ['--enable-source-maps', '--import', propertySeed, '--test-reporter=spec']
  if (tier !== 'unit') {
    return run([...node, '--test', '--test-concurrency=1', `--test-timeout=${fileTimeoutMs(tier)}`, ...files])
  }
  const directory = mkdtempSync(join(tmpdir(), 'monedula-unit-'))
  const entry = join(directory, 'unit.mjs')
  writeFileSync(entry, files.map(file => `import ${JSON.stringify(pathToFileURL(file).href)}\n`).join(''))
  const passed = run([...node, entry], fileTimeoutMs(tier))
  rmSync(directory, { recursive: true })
  return passed
}

function run(args: readonly string[], timeout?: number): boolean {
  const { status, error } = spawnSync(process.execPath, args, { stdio: 'inherit', timeout })
  if (error !== undefined) console.error(`${args.at(-1)}: ${error.message}`)
  return status === 0
}

const [tier = 'all', filter = ''] = process.argv.slice(2)
const tiers = tier === 'all' ? NPM_ONLY : [tier]
const failed = tiers.filter(name => !runTier(name, filter))
if (failed.length > 0) {
  console.error(`\nfailed: ${failed.join(', ')}`)
  process.exitCode = 1
}
