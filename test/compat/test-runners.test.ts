/** The package, installed as users install it, under the test runners that they have: each runs its example. */
import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fromRoot } from '../integration/broker-process.ts'
import { cacheDirectory } from './jars.ts'
import { run } from './process.ts'
import { toolOrSkip } from './tools.ts'

const RUNNERS = ['vitest@4.1.12', 'jest@30.5.2']
const INSTALL_TIMEOUT_MS = 300_000
const RUN_TIMEOUT_MS = 120_000

const runners = [
  { name: 'vitest', command: ['vitest', 'run', '--root', '.'], env: {}, passed: /1 passed/ },
  {
    name: 'jest',
    command: ['jest', '--rootDir', '.'],
    env: { NODE_OPTIONS: '--experimental-vm-modules' },
    passed: /1 passed/,
  },
]

/** A directory in which the runners are installed, and the package as `npm publish` would give it. */
async function project(): Promise<string> {
  const directory = join(cacheDirectory, 'test-runners')
  const flags = ['--silent', '--no-audit', '--no-fund', '--ignore-scripts', '--no-save']
  mkdirSync(directory, { recursive: true })
  if (!existsSync(join(directory, 'package.json')))
    writeFileSync(join(directory, 'package.json'), '{ "private": true, "type": "module" }\n')
  const packed = mkdtempSync(join(cacheDirectory, 'packed-'))
  try {
    const pack = ['pack', '--silent', '--ignore-scripts', '--pack-destination', packed]
    const { stdout } = await run('npm', pack, { cwd: fromRoot('.'), timeoutMs: INSTALL_TIMEOUT_MS })
    const tarball = join(packed, stdout.trim())
    const install = ['install', ...flags, ...RUNNERS, tarball]
    await run('npm', install, { cwd: directory, timeoutMs: INSTALL_TIMEOUT_MS })
  } finally {
    rmSync(packed, { recursive: true })
  }
  return directory
}

test('a test with a Kafka of its own runs under vitest and jest', { timeout: 600_000 }, async context => {
  const directory = await toolOrSkip(context, RUNNERS.join(' and '), project)
  if (directory === undefined) return
  for (const { name, command, env, passed } of runners) {
    await context.test(name, async () => {
      cpSync(fromRoot(`examples/${name}`), join(directory, name), { recursive: true })
      const [program = '', ...args] = command
      const bin = join(directory, 'node_modules', '.bin', program)
      const options = { cwd: join(directory, name), timeoutMs: RUN_TIMEOUT_MS, env: { ...env, NO_COLOR: '1' } }
      const { stdout, stderr } = await run(bin, args, options)
      assert.match(stdout + stderr, passed)
    })
  }
})
