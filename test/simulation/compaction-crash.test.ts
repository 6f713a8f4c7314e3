/** Crashes at every operation of compactions. `SEED=17 npm run simulate` replays one, `-- --seeds 5000` runs more. */
import { test } from 'node:test'
import { runCompactionCrash } from './compaction-crash.ts'

const seed = process.env.SEED
const seeds = Math.ceil(Number(process.env.SEEDS ?? 2000) / 200)
const first = Number(process.env.FIRST_SEED ?? 1)

test(`a log keeps its promises through compactions that are cut short (${seed ?? `${seeds} seeds`})`, async () => {
  const numbers = seed === undefined ? Array.from({ length: seeds }, (_, index) => first + index) : [Number(seed)]
  for (const number of numbers) {
    await runCompactionCrash(number).catch(error => {
      throw new Error(`SEED=${number} npm run simulate: ${error.message}`, { cause: error })
    })
  }
})
