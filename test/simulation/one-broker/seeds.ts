/**
 * Runs seeds in a process of their own: `node seeds.js <first> <count> <step>`. Each line that it prints is a {@link SeedReport};
 * it runs every `step`th seed of `count` from the first on.
 */
import { argv } from 'node:process'
import { runSeed } from './run.ts'

/** What came of a seed. */
export interface SeedReport {
  readonly seed: number
  readonly hash: string
  readonly failures: readonly string[]
  /** How often each thing was done. */
  readonly counts: Readonly<Record<string, number>>
}

const [first = 1, count = 1, step = 1] = argv.slice(2).map(Number)

for (let seed = first; seed < first + count; seed += step) {
  const { hash, failures, counts } = await runSeed(seed)
  const report: SeedReport = { seed, hash, failures, counts: Object.fromEntries(counts) }
  console.log(JSON.stringify(report))
}
