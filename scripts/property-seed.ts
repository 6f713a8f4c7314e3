/**
 * Loaded before the tests of a tier: property tests get the same inputs in every run, so that a change fails by what it
 * changed. `PROPERTY_SEED=7 npm run test:unit` gives them others; a failure prints the seed that it had.
 */
import fc from 'fast-check'

const seed = Number(process.env.PROPERTY_SEED ?? 1)
if (!Number.isSafeInteger(seed)) throw new Error(`PROPERTY_SEED=${process.env.PROPERTY_SEED} is not a whole number`)
fc.configureGlobal({ seed })
