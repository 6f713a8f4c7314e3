/** Other people's tests, as their own runners report them. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'

/** What became of one test. */
export interface ForeignTest {
  readonly name: string
  readonly passed: boolean
  /** What the runner says of it, for a failure's message. */
  readonly report: string
}

/** Makes each of them a subtest, which fails where theirs did not pass; a run without any test fails, too. */
export async function reportEach(context: TestContext, tests: readonly ForeignTest[]): Promise<void> {
  assert.ok(tests.length > 0, 'the suite ran no test')
  for (const { name, passed, report } of tests) {
    await context.test(name, () => assert.ok(passed, `${name} did not pass\n${report}`))
  }
}

/** Prints what of a suite is not run, and fails where a reason is for a test that the suite does not have. */
export function sayWhatIsNotRun(skipped: Readonly<Record<string, string>>, names: readonly string[]): void {
  for (const [name, reason] of Object.entries(skipped)) {
    assert.ok(
      names.some(known => known.startsWith(name)),
      `${name} has a reason not to run, and the suite has no such test`,
    )
    console.log(`# not run: ${name}: ${reason}`)
  }
}
