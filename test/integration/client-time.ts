/** Time of clients, for tests of what they do when it is over. */
import { AdjustableClock, nodeNetwork, systemClock, systemRandom } from '../../src/platform/index.ts'
import { PATIENCE_MS } from '../compat/process.ts'

/** Of a test that would not end where what it tests is broken. */
export const IN_TIME = { timeout: PATIENCE_MS }
/** So long that a test whose client waits for it does not end in time. */
export const NEVER_MS = 10 * PATIENCE_MS
/** Longer than a slow machine needs for a request, and shorter than `request.timeout.ms` is when nobody sets it. */
export const LONG_MS = 20_000

/** What a client takes as its platform, and the clock of it: a deadline comes when the test moves the clock, on any machine. */
export function movableTime() {
  const clock = new AdjustableClock(systemClock)
  return { clock, platform: { network: nodeNetwork, clock, random: systemRandom } }
}
