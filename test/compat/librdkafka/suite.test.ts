/** librdkafka's own tests: all of them, or with `CI` set the quick ones. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compatTest } from '../compat-test.ts'
import { toolOrSkip } from '../tools.ts'
import { librdkafkaSuite, linesOf, runSuite, testsOfBroker } from './test-runner.ts'
import { PROFILES, SKIPPED } from './tests.ts'

const SUITE_TIMEOUT_MS = 45 * 60_000
const quickOnly = process.env.CI !== undefined && process.env.CI !== 'false'

test("each of librdkafka's tests that talk to a broker has its place or a reason not to run", async context => {
  const suite = await toolOrSkip(context, "librdkafka's tests", librdkafkaSuite)
  if (suite === undefined) return
  const placed = PROFILES.flatMap(({ quick, long }) => [...quick, ...long])
  assert.deepEqual([...placed, ...Object.keys(SKIPPED)].sort(), testsOfBroker(suite).sort())
  for (const [name, reason] of Object.entries(SKIPPED)) console.log(`# not run: ${name}: ${reason}`)
})

for (const profile of PROFILES) {
  const names = quickOnly ? profile.quick : [...profile.quick, ...profile.long]
  compatTest({
    tool: `librdkafka's tests, ${profile.name}`,
    install: librdkafkaSuite,
    version: ({ version }) => `${version}, ${names.length} tests`,
    broker: { properties: profile.broker },
    timeoutMs: SUITE_TIMEOUT_MS,
    steps: async (context, broker, suite) => {
      const run = await runSuite(suite, broker, profile, names, SUITE_TIMEOUT_MS)
      for (const name of names) {
        await context.test(name, () => {
          const outcome = run.outcomes.get(name)
          assert.equal(outcome?.state, 'PASSED', linesOf(run, name))
          // The suite calls some tests passed that found nothing to do.
          assert.ok(outcome.durationSeconds > 0, `${name} did nothing\n${linesOf(run, name)}`)
        })
      }
    },
  })
}
