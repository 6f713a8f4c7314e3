/** Runs the simulations of `test/simulation`: `npm run simulate -- --help` says how. */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const directory = fileURLToPath(new URL('../test/simulation', import.meta.url))
const ENDING = '.test.js'
const names = readdirSync(directory)
  .filter(file => file.endsWith(ENDING))
  .map(file => file.slice(0, -ENDING.length))
  .sort()

const HELP = `Usage: npm run simulate -- [name] [--seeds N] [--first M]
       SEED=17 npm run simulate -- [name]

Runs simulations, each run of which is decided by its seed: all of them, or those whose names contain [name].

  --seeds N   so many seeds of each; without it as many as npm test runs
  --first M   from this seed on (default: 1)
  --help      prints this
  SEED=17     runs this seed alone, and prints its history

Simulations: ${names.join(', ')}
`

/** What cannot be run, in one line. */
class WrongUse extends Error {}

function parsed(): {
  readonly filter: string
  readonly seeds?: string
  readonly first?: string
  readonly help: boolean
} {
  try {
    const { values, positionals } = parseArgs({
      options: { seeds: { type: 'string' }, first: { type: 'string' }, help: { type: 'boolean', default: false } },
      allowPositionals: true,
    })
    const [filter = '', ...others] = positionals
    if (others.length > 0) throw new WrongUse(`only one name is taken, and then there was ${others.join(' ')}`)
    return { ...values, filter }
  } catch (error) {
    throw new WrongUse((error as Error).message.split('\n', 1)[0])
  }
}

/** A number that is given is one that a run can begin with. */
function assertWhole(what: string, value: string | undefined): void {
  if (value !== undefined && !/^[1-9]\d{0,14}$/.test(value))
    throw new WrongUse(`${what} is ${value === '' ? 'empty' : value}: give a whole number, 1 and up`)
}

/** Returns whether all passed. @throws WrongUse */
function simulate(): boolean {
  const { filter, seeds, first, help } = parsed()
  if (help) {
    process.stdout.write(HELP)
    return true
  }
  assertWhole('--seeds', seeds)
  assertWhole('--first', first)
  assertWhole('SEED', process.env.SEED)
  const chosen = names.filter(name => name.includes(filter))
  if (chosen.length === 0) throw new WrongUse(`there is no simulation ${filter}: take one of ${names.join(', ')}`)
  const env = {
    ...process.env,
    ...(seeds === undefined ? {} : { SEEDS: seeds }),
    ...(first === undefined ? {} : { FIRST_SEED: first }),
  }
  return chosen
    .map(name => {
      const file = join(directory, `${name}${ENDING}`)
      const args = ['--enable-source-maps', '--test-reporter=spec', '--test-force-exit', file]
      return spawnSync(process.execPath, args, { stdio: 'inherit', env }).status === 0
    })
    .every(Boolean)
}

try {
  process.exitCode = simulate() ? 0 : 1
} catch (error) {
  if (!(error instanceof WrongUse)) throw error
  console.error(`${error.message} (npm run simulate -- --help says what it takes)`)
  process.exitCode = 2
}
