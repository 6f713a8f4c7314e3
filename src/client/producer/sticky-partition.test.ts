import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../platform/index.ts'
import { StickyPartition } from './sticky-partition.ts'

const loads = (...queued: number[]) => queued.map((count, partition) => ({ partition, queued: count }))

test('records without a key stay at one partition until a batch is full', () => {
  const sticky = new StickyPartition({ switchBytes: 100, isAdaptive: true, random: seededRandom(1) })
  const first = sticky.next(10, () => loads(...new Array(10).fill(0)))
  for (let bytes = 0; bytes < 90; bytes += 10) {
    sticky.wrote(10)
    assert.equal(
      sticky.next(10, () => assert.fail('no choice is due')),
      first,
    )
  }
  sticky.wrote(10)
  let wasAsked = false
  sticky.next(10, () => {
    wasAsked = true
    return loads(...new Array(10).fill(0))
  })
  assert.ok(wasAsked)
})

/** How often each partition is chosen. */
function shares(isAdaptive: boolean, ...queued: number[]): number[] {
  const sticky = new StickyPartition({ switchBytes: 1, isAdaptive, random: seededRandom(7) })
  const counts = queued.map(() => 0)
  for (let round = 0; round < 4_000; round++) {
    const chosen = sticky.next(queued.length, () => loads(...queued))
    counts[chosen] = (counts[chosen] ?? 0) + 1
    sticky.wrote(1)
  }
  return counts.map(count => Math.round((count / 4_000) * 10) / 10)
}

test('what has more waiting is chosen less often, by how much more', () => {
  // Against the fullest, with 3: 4, 3 and 1 in 8.
  assert.deepEqual(shares(true, 0, 1, 3), [0.5, 0.4, 0.1])
  assert.deepEqual(shares(false, 0, 1, 3), [0.3, 0.3, 0.3])
})

test('only partitions that have a leader are chosen while there are any', () => {
  const sticky = new StickyPartition({ switchBytes: 1, isAdaptive: true, random: seededRandom(3) })
  for (let round = 0; round < 50; round++) {
    assert.equal(
      sticky.next(5, () => [{ partition: 4, queued: 9 }]),
      4,
    )
    sticky.wrote(1)
  }
  assert.ok(sticky.next(5, () => []) < 5)
})
