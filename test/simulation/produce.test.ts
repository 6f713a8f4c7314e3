import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ProduceReport, ProduceSimulation } from './produce-run.ts'

/** As `npm run simulate` says: `SEED` runs one seed, `SEEDS` that many from `FIRST_SEED` on. */
const FIRST = Number(process.env.SEED ?? process.env.FIRST_SEED ?? 1)
const SEEDS = process.env.SEED === undefined ? Number(process.env.SEEDS ?? 1000) : 1

test(`an idempotent producer writes each record once and in order, whatever breaks, ${SEEDS} seeds`, async () => {
  const report: ProduceReport = { records: 0, cuts: 0, refusals: 0, lostAnswers: 0, retries: 0 }
  const simulation = new ProduceSimulation(report)
  await simulation.start()
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    try {
      await simulation.run(seed)
    } catch (error) {
      throw new Error(`SEED=${seed}: ${(error as Error).message}`, { cause: error })
    }
  }
  console.log(`# ${JSON.stringify(report)}`)
  if (SEEDS < 20) return
  for (const [what, count] of Object.entries(report)) assert.ok(count >= SEEDS / 4, `only ${count} ${what}`)
})
