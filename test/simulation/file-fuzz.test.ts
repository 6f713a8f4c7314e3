import { test } from 'node:test'
import { runFileFuzz } from './file-fuzz.ts'

/** As `npm run simulate` says: `SEED` runs one seed, `SEEDS` that many from `FIRST_SEED` on. */
const first = Number(process.env.SEED ?? process.env.FIRST_SEED ?? 1)
const seeds = process.env.SEED === undefined ? Number(process.env.SEEDS ?? 500) : 1

test(`a log whose files were damaged opens and is never read as what was not written, ${seeds} seeds`, async () => {
  for (let seed = first; seed < first + seeds; seed++) await runFileFuzz(seed)
})
