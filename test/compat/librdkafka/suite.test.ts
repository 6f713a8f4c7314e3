/** librdkafka's own tests: all of them, or with `CI` set the quick ones. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compatTest } from '../compat-test.ts'
import { toolOrSkip } from '../tools.ts'
import { adminSubtests, librdkafkaSuite, linesOf, runSuite, testsOfBroker } from './test-runner.ts'
import { ADMIN_PROFILE, ADMIN_TEST, PROFILES, SKIPPED, SKIPPED_ADMIN, type SuiteProfile } from './tests.ts'

const SUITE_TIMEOUT_MS = 45 * 60_000
const quickOnly = process.env.CI !== undefined && process.env.CI !== 'false'

test("each of librdkafka's tests that talk to a broker has its place or a reason not to run", async context => {
  const suite = await toolOrSkip(context, "librdkafka's tests", librdkafkaSuite)
  if (suite === undefined) return
  const placed = PROFILES.flatMap(({ quick, long }) => [...quick, ...long])
  assert.deepEqual([...placed, ADMIN_TEST, ...Object.keys(SKIPPED)].sort(), testsOfBroker(suite).sort())
  const subtests = [...ADMIN_PROFILE.quick, ...ADMIN_PROFILE.long, ...Object.keys(SKIPPED_ADMIN)]
  assert.deepEqual(subtests.sort(), adminSubtests(suite).sort())
  const skipped = { ...SKIPPED }
  for (const [name, reason] of Object.entries(SKIPPED_ADMIN)) skipped[`${ADMIN_TEST}, ${name}`] = reason
  for (const [name, reason] of Object.entries(skipped)) console.log(`# not run: ${name}: ${reason}`)
})

function chosen({ quick, long }: SuiteProfile): readonly string[] {
  return quickOnly ? quick : [...quick, ...long]
}

for (const profile of PROFILES) {
  const names = chosen(profile)
  if (names.length === 0) continue
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

compatTest({
  tool: `librdkafka's tests, ${ADMIN_PROFILE.name}`,
  install: librdkafkaSuite,
  version: ({ version }) => `${version}, ${chosen(ADMIN_PROFILE).length} subtests`,
  broker: { properties: ADMIN_PROFILE.broker },
  timeoutMs: SUITE_TIMEOUT_MS,
  steps: async (context, broker, suite) => {
    for (const name of chosen(ADMIN_PROFILE)) {
      await context.test(name, async () => {
        const run = await runSuite(suite, broker, ADMIN_PROFILE, [ADMIN_TEST], SUITE_TIMEOUT_MS, `do_test_${name}:`)
        assert.equal(run.outcomes.get(ADMIN_TEST)?.state, 'PASSED', linesOf(run, ADMIN_TEST))
        // What was skipped is called passed by the suite, too.
        assert.match(run.output, new RegExp(`do_test_${name}:.*: PASS`))
        assert.doesNotMatch(run.output, /: SKIP/)
      })
    }
  },
})
