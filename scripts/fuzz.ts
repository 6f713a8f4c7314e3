/**
 * `npm run fuzz -- [--seconds N] [--seed N] [--rounds N]`: attacks a broker in memory with hostile requests. Without `--seconds` it runs one
 * seed; with it, one seed after the other from `--seed` (default: 1) until the time is over. The first failure ends it, with the seed that
 * brings it about again.
 */
import { parseArgs } from 'node:util'
import { emptyReport, fuzz } from './fuzz/request-fuzzer.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '0' },
    seed: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '2' },
  },
})
const endMs = performance.now() + Number(values.seconds) * 1000
const firstSeed = Number(values.seed)
const report = emptyReport()
let seed = firstSeed
try {
  do {
    await fuzz(seed, report, Number(values.rounds))
    seed += 1
    if ((seed - firstSeed) % 20 === 0) console.log(`seed ${seed}: ${report.requests} requests`)
  } while (performance.now() < endMs)
} catch (error) {
  console.error(error instanceof Error && error.name === 'FuzzFailure' ? error.message : error)
  console.error(`\nreplay: npm run fuzz -- --seed ${seed} --rounds ${values.rounds}`)
  process.exitCode = 1
}
console.log(
  `seeds ${firstSeed} to ${seed - 1}: ${report.requests} requests, ${report.answered} answered, ${report.closed} closed, ` +
    `${report.abandoned} left waiting; longest stall ${report.longestStallMs.toFixed(0)} ms in ${report.longestStallApi}`,
)
