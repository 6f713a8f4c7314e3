import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AdjustableClock } from './adjustable-clock.ts'
import { SimulatedClock } from './simulated-clock.ts'

test('time goes on as below, and by what it is moved', async () => {
  const below = new SimulatedClock(1_000)
  const clock = new AdjustableClock(below)
  const [wall, monotonic] = [clock.now(), clock.monotonicMs()]
  await below.advance(10)
  clock.advance(3_600_000)
  assert.equal(clock.now() - wall, 3_600_010)
  assert.equal(clock.monotonicMs() - monotonic, 3_600_010)
  clock.jumpWallClock(-3_600_000)
  assert.equal(clock.now() - wall, 10)
  assert.equal(clock.monotonicMs() - monotonic, 3_600_010)
})

test('timers that fall due run in the order of their time, others wait for the rest of theirs', async () => {
  const below = new SimulatedClock()
  const clock = new AdjustableClock(below)
  const ran: string[] = []
  clock.schedule(2_000, () => ran.push('second'))
  clock.schedule(1_000, () => ran.push('first'))
  clock.schedule(1_500, () => ran.push('cancelled')).cancel()
  clock.schedule(10_000, () => ran.push('late'))
  clock.advance(5_000)
  await below.advance(0)
  assert.deepEqual(ran, ['first', 'second'])
  await below.advance(4_999)
  assert.deepEqual(ran, ['first', 'second'])
  await below.advance(1)
  assert.deepEqual(ran, ['first', 'second', 'late'])
})

test('time is not moved back', () => {
  assert.throws(() => new AdjustableClock(new SimulatedClock()).advance(-1), RangeError)
})
