/**
 * Runs seeds in a process of their own: `node seeds.js <module> <first> <count> <step>`. The module has `runSeed`. Each line that it
 * prints is a {@link SeedReport}; it runs every `step`th seed of `count` from the first on.
 */
import { argv, exit } from 'node:process'
import type { SeedReport, SeedRun } from './seed-test.ts'

const [module = '', ...numbers] = argv.slice(2)
const [first = 1, count = 1, step = 1] = numbers.map(Number)
const { runSeed } = (await import(module)) as { readonly runSeed: (seed: number) => Promise<SeedRun> }

for (let seed = first; seed < first + count; seed += step) {
  const { hash, failures, counts } = await runSeed(seed)
  const report: SeedReport = { seed, hash, failures, counts: Object.fromEntries(counts) }
  console.log(JSON.stringify(report))
}
// What a run that failed has left open is nobody's any more.
exit()
