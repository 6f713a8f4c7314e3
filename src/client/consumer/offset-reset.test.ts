import assert from 'node:assert/strict'
import { test } from 'node:test'
import { offsetReset, resetTimestamp } from './offset-reset.ts'

const NOW = 1_700_000_000_000

test('a duration leads to the time so long ago, as java.time.Duration reads it', () => {
  for (const [text, agoMs] of [
    ['PT1H', 3_600_000],
    ['pt1h', 3_600_000],
    ['P1D', 86_400_000],
    ['P2DT3H4M5.678S', 183_845_678],
    ['PT0.5S', 500],
    ['PT0S', 0],
  ] as const) {
    assert.equal(offsetReset.check(`by_duration:${text}`), undefined, text)
    assert.equal(resetTimestamp(`by_duration:${text}`, NOW), NOW - agoMs, text)
  }
  assert.equal(resetTimestamp('by_duration:P99999D', NOW), 0)
})

test('what is no duration is refused', () => {
  for (const text of ['', 'P', 'PT', 'P1DT', '1H', 'PT-1H', '-PT1H', 'P1Y', 'PT1H1', 'PT1.5H']) {
    assert.match(String(offsetReset.check(`by_duration:${text}`)), /by_duration:PT1H/, text)
  }
  assert.match(String(offsetReset.check('begin')), /earliest/)
})

test('the named policies lead to the ends, and none to nothing', () => {
  assert.equal(resetTimestamp('earliest', NOW), -2)
  assert.equal(resetTimestamp('latest', NOW), -1)
  assert.equal(resetTimestamp('none', NOW), undefined)
})
