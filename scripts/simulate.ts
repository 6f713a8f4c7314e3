/**
 * Runs the simulations: `npm run simulate` all of them with their usual seeds, `npm run simulate -- --seeds N` with more,
 * `npm run simulate -- --seeds N --first M` from another seed on, `SEED=17 npm run simulate` one seed again. A word before them
 * chooses among the simulations by their files: `npm run simulate -- one-broker --seeds N`.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const directory = fileURLToPath(new URL('../test/simulation', import.meta.url))
const { values, positionals } = parseArgs({
  options: { seeds: { type: 'string' }, first: { type: 'string' } },
  allowPositionals: true,
})
const [filter = ''] = positionals
const env = {
  ...process.env,
  ...(values.seeds === undefined ? {} : { SEEDS: values.seeds }),
  ...(values.first === undefined ? {} : { FIRST_SEED: values.first }),
}

let failed = false
for (const name of readdirSync(directory).filter(file => file.endsWith('.test.js') && file.includes(filter))) {
  const args = ['--enable-source-maps', '--test-reporter=spec', '--test-force-exit', join(directory, name)]
  if (spawnSync(process.execPath, args, { stdio: 'inherit', env }).status !== 0) failed = true
}
process.exitCode = failed ? 1 : 0
