import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConnectionRate, type RateLimit } from './connection-rate.ts'

const TEN = { perSecond: 10, windowMs: 10_000 }

/** Lets a connection in and gives how long it waits. */
function admit(rate: ConnectionRate, nowMs: number, limit: RateLimit): number {
  const waitMs = rate.waitMs(nowMs, limit)
  rate.letIn(nowMs, limit)
  return waitMs
}

test('a burst of a window is let in at once, what comes after it at the rate', () => {
  const rate = new ConnectionRate()
  const waits = Array.from({ length: 130 }, () => admit(rate, 0, TEN))
  assert.deepEqual(new Set(waits.slice(0, 100)), new Set([0]))
  assert.deepEqual(waits.slice(100, 103), [100, 200, 300])
})

test('time that passes lets more in, but never more than a window of them together', () => {
  const rate = new ConnectionRate()
  for (let index = 0; index < 100; index++) admit(rate, 0, TEN)
  assert.equal(admit(rate, 1_000, TEN), 0)
  const later = Array.from({ length: 101 }, () => admit(rate, 3_600_000, TEN))
  assert.equal(later.filter(wait => wait === 0).length, 100)
})

test('who is not let in makes nobody else wait', () => {
  const rate = new ConnectionRate()
  for (let index = 0; index < 100; index++) admit(rate, 0, TEN)
  for (let index = 0; index < 100_000; index++) assert.equal(rate.waitMs(0, TEN), 100)
})

test('the rate that nobody has set is no limit', () => {
  const rate = new ConnectionRate()
  for (let index = 0; index < 100_000; index++) {
    assert.equal(admit(rate, 0, { perSecond: 2 ** 31 - 1, windowMs: 10_000 }), 0)
  }
})

test('a rate of zero still lets one in with each window, so that it can be taken back', () => {
  const rate = new ConnectionRate()
  const never = { perSecond: 0, windowMs: 10_000 }
  assert.equal(admit(rate, 0, never), 0)
  assert.equal(admit(rate, 0, never), 10_000)
  assert.equal(admit(rate, 20_000, never), 0)
})
