import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConnectionRate } from './connection-rate.ts'

const TEN = { perSecond: 10, windowMs: 10_000 }

test('a burst of a window is let in at once, what comes after it at the rate', () => {
  const rate = new ConnectionRate()
  const waits = Array.from({ length: 130 }, () => rate.admit(0, TEN))
  assert.deepEqual(new Set(waits.slice(0, 100)), new Set([0]))
  assert.deepEqual(waits.slice(100, 103), [100, 200, 300])
})

test('time that passes lets more in, but never more than a window of them together', () => {
  const rate = new ConnectionRate()
  for (let index = 0; index < 100; index++) rate.admit(0, TEN)
  assert.equal(rate.admit(1_000, TEN), 0)
  const later = Array.from({ length: 101 }, () => rate.admit(3_600_000, TEN))
  assert.equal(later.filter(wait => wait === 0).length, 100)
})

test('a flood makes nobody wait for longer than a window', () => {
  const rate = new ConnectionRate()
  for (let index = 0; index < 100_000; index++) rate.admit(0, TEN)
  assert.equal(rate.admit(0, TEN), 10_000)
})

test('the rate that nobody has set is no limit', () => {
  const rate = new ConnectionRate()
  for (let index = 0; index < 100_000; index++) {
    assert.equal(rate.admit(0, { perSecond: 2 ** 31 - 1, windowMs: 10_000 }), 0)
  }
})

test('a rate of zero still lets one in with each window, so that it can be taken back', () => {
  const rate = new ConnectionRate()
  const never = { perSecond: 0, windowMs: 10_000 }
  assert.equal(rate.admit(0, never), 0)
  assert.equal(rate.admit(0, never), 10_000)
  assert.equal(rate.admit(20_000, never), 0)
})
