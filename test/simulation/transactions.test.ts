import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runTransactions } from './transaction-run.ts'

/** As `npm run simulate` says: `SEED` runs one seed, `SEEDS` that many from `FIRST_SEED` on. */
const FIRST = Number(process.env.SEED ?? process.env.FIRST_SEED ?? 1)
const SEEDS = process.env.SEED === undefined ? Number(process.env.SEEDS ?? 20) : 1

test(`transactions are whole or not at all, through kills and power cuts, ${SEEDS} seeds`, async () => {
  const report = { committed: 0, aborted: 0, unknown: 0, crashes: 0, fenced: 0 }
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    try {
      await runTransactions(seed, report)
    } catch (error) {
      throw new Error(`SEED=${seed}: ${(error as Error).message}`, { cause: error })
    }
  }
  console.log(`# ${JSON.stringify(report)}`)
  if (SEEDS < 20) return
  for (const [what, count] of Object.entries(report)) assert.ok(count >= SEEDS / 4, `only ${count} ${what}`)
})
