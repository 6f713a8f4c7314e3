/** `npm run simulate` says what it takes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { run } from '../compat/process.ts'
import { fromRoot } from './broker-process.ts'

type Env = Readonly<Record<string, string>>

const simulate = (args: readonly string[], env: Env = {}, code = 0) =>
  run(process.execPath, [fromRoot('dist/scripts/simulate.js'), ...args], { env, expectedCodes: [code] })

test('npm run simulate -- --help prints what it takes, and every simulation by its name', async () => {
  const { stdout, stderr } = await simulate(['--help'])
  assert.match(stdout, /^Usage: npm run simulate -- \[name\] \[--seeds N\] \[--first M\]\n/)
  for (const name of ['one-broker', 'clients', 'compaction-crash']) assert.ok(stdout.includes(name), name)
  assert.equal(stderr, '')
})

const WRONG: readonly (readonly [args: readonly string[], env: Env, line: RegExp])[] = [
  [['--sedes', '7'], {}, /^Unknown option '--sedes'/],
  [['--seeds'], {}, /^Option '--seeds <value>' argument missing/],
  [['--seeds', 'many'], {}, /^--seeds is many: give a whole number, 1 and up/],
  [['--first', '0'], {}, /^--first is 0: give a whole number, 1 and up/],
  [['clients'], { SEED: 'x' }, /^SEED is x: give a whole number, 1 and up/],
  [['one-borker'], {}, /^there is no simulation one-borker: take one of .*\bone-broker\b/],
  [['clients', 'one-broker'], {}, /^only one name is taken, and then there was one-broker/],
]

for (const [args, env, line] of WRONG) {
  const what = [...Object.entries(env).map(([name, value]) => `${name}=${value}`), 'npm run simulate --', ...args]
  test(`${what.join(' ')} is refused in one line`, async () => {
    const { stdout, stderr } = await simulate(args, env, 2)
    assert.match(stderr, line)
    assert.equal(stderr.trimEnd().split('\n').length, 1, stderr)
    assert.equal(stdout, '')
  })
}
