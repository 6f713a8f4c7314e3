/**
 * Thousands of crashes of a log. `SEED=17 npm run simulate` replays one, `npm run simulate -- --seeds 50000` runs more.
 */
import { test } from 'node:test'
import { runLogCrash } from './log-crash.ts'

const seed = process.env.SEED
const seeds = Number(process.env.SEEDS ?? 2000)
const first = Number(process.env.FIRST_SEED ?? 1)

async function replay(number: number): Promise<void> {
  try {
    await runLogCrash(number)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(`SEED=${number} npm run simulate: ${reason}`, { cause: error })
  }
}

test(`a log keeps its promises through ${seed ? `the crashes of seed ${seed}` : `${seeds} seeds of crashes`}`, async () => {
  if (seed !== undefined) await replay(Number(seed))
  else for (let number = first; number < first + seeds; number++) await replay(number)
})
