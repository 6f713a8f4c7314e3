/**
 * Runs the tests of a tier: `node dist/scripts/test.js <tier> [filter]`.
 *
 * `unit` imports every compiled `src/**\/*.test.js` into one process, which takes seconds where a process a file takes
 * minutes. `tidy`, `golden`, `simulation`, `integration`, `compat`, `faults` and `abuse` give each file a process of
 * its own, one at a time, or two at a time in the lanes of `test-lanes.ts`. `all` is every tier that needs nothing but npm.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { constants, getPriority, setPriority, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { LANES, lanesOf } from './test-lanes.ts'

const dist = fileURLToPath(new URL('..', import.meta.url))
const propertySeed = new URL('property-seed.js', import.meta.url).href
const NPM_ONLY = ['tidy', 'unit', 'golden', 'simulation', 'integration'] as const
const minuteMs = 60_000
/**
 * How long one file may take, so that what waits for ever fails by its name instead of holding up all the rest. Several times
 * what the longest file takes; librdkafka's whole suite, which CI does not run, takes most of an hour.
 */
function fileTimeoutMs(tier: string): number {
  if (tier !== 'compat') return 15 * minuteMs
  return (process.env.CI ? 40 : 90) * minuteMs
}

/** By how much a lane is nicer than the other where it yields: that has three quarters of what both want at once. */
const YIELDING_NICENESS = 5
const NICEST = constants.priority.PRIORITY_LOW

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

const NODE_FLAGS = ['--enable-source-maps', '--import', propertySeed, '--test-reporter=spec']

/** Runs files under node's test runner; returns whether all passed. */
async function runTier(tier: string, filter: string): Promise<boolean> {
  const lanes = lanesOf(tier, filesOf(tier))
  const first = lanes.first.filter(file => file.includes(filter))
  const second = lanes.second.filter(file => file.includes(filter))
  const count = first.length + second.length
  if (count === 0) return true
  console.log(`\n# ${tier}: ${count} files`)
  if (tier === 'unit') return runInOneProcess(first)
  if (first.length === 0 || second.length === 0) return runNode(laneArguments(tier, [...first, ...second]))
  return runBeside(tier, first, second)
}

function laneArguments(tier: string, files: readonly string[]): string[] {
  return [...NODE_FLAGS, '--test', '--test-concurrency=1', `--test-timeout=${fileTimeoutMs(tier)}`, ...files]
}

async function runInOneProcess(files: readonly string[]): Promise<boolean> {
  const directory = mkdtempSync(join(tmpdir(), 'monedula-unit-'))
  const entry = join(directory, 'unit.mjs')
  writeFileSync(entry, files.map(file => `import ${JSON.stringify(pathToFileURL(file).href)}\n`).join(''))
  const passed = await runNode([...NODE_FLAGS, entry], { timeout: fileTimeoutMs('unit') })
  rmSync(directory, { recursive: true })
  return passed
}

/** Runs two lanes at a time; what the second prints is printed when both have ended. */
async function runBeside(tier: string, first: readonly string[], second: readonly string[]): Promise<boolean> {
  const printed: Buffer[] = []
  const niceness = LANES[tier]?.firstYields === true ? YIELDING_NICENESS : 0
  const passed = await Promise.all([
    runNode(laneArguments(tier, first), { niceness }),
    runNode(laneArguments(tier, second), { print: chunk => printed.push(chunk) }),
  ])
  console.log(`\n# ${tier}: ${second.length} files that ran beside the others`)
  for (const chunk of printed) process.stdout.write(chunk)
  return passed.every(Boolean)
}

interface NodeOptions {
  readonly timeout?: number
  /** By how much the process is nicer than this one. */
  readonly niceness?: number
  /** Gets what the process prints; it goes where this one's goes when absent. */
  readonly print?: (chunk: Buffer) => void
}

/** Runs Node to its end; whether it ended well. */
function runNode(args: readonly string[], { timeout, niceness = 0, print }: NodeOptions = {}): Promise<boolean> {
  const output = print === undefined ? 'inherit' : 'pipe'
  const child = spawn(process.execPath, args, { stdio: ['inherit', output, output], timeout })
  if (niceness > 0 && child.pid !== undefined) setPriority(child.pid, Math.min(getPriority() + niceness, NICEST))
  if (print !== undefined) for (const stream of [child.stdout, child.stderr]) stream?.on('data', print)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (signal !== null) console.error(`${args.at(-1)}: ended by ${signal}`)
      resolve(code === 0)
    })
  })
}

const [tier = 'all', filter = ''] = process.argv.slice(2)
const failed: string[] = []
for (const name of tier === 'all' ? NPM_ONLY : [tier]) {
  if (!(await runTier(name, filter))) failed.push(name)
}
if (failed.length > 0) {
  console.error(`\nfailed: ${failed.join(', ')}`)
  process.exitCode = 1
}
