import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { SegmentToClean } from './cleaning-task.ts'
import { groupSegments } from './segment-groups.ts'

const SETTINGS = { segmentBytes: 1000, maxIndexSize: 100, indexIntervalBytes: 4096, deleteRetentionMs: 0 }
const MOST = 2 ** 31 - 1

function segment(baseOffset: number, sizes: Partial<SegmentToClean> = {}): SegmentToClean {
  return { baseOffset, bytes: 10, indexBytes: 0, timeIndexBytes: 0, modifiedMs: 0, ...sizes }
}

const groupsOf = (segments: readonly SegmentToClean[], endOffset: number): number[][] =>
  groupSegments(segments, SETTINGS, endOffset).map(group => group.map(({ baseOffset }) => baseOffset))

describe('groups of segments to clean', () => {
  it('KAFKA-4451, KAFKA-5413, KAFKA-6264: span no more offsets than an index tells apart, the last of the last segment among them', () => {
    assert.deepEqual(groupsOf([segment(0), segment(10)], MOST + 1), [[0, 10]])
    assert.deepEqual(groupsOf([segment(0), segment(10)], MOST + 2), [[0], [10]])
    assert.deepEqual(groupsOf([segment(5), segment(10), segment(MOST + 6)], MOST + 7), [[5, 10], [MOST + 6]])
    const far = [0, 2 ** 31, 2 ** 32, 2 ** 33].map(offset => segment(offset))
    assert.deepEqual(groupsOf(far, 2 ** 33 + 1), [[0], [2 ** 31], [2 ** 32], [2 ** 33]])
  })

  it('take in segments without records, however many offsets they stand for', () => {
    const empty = [2 ** 31, 2 ** 32].map(offset => segment(offset, { bytes: 0 }))
    assert.deepEqual(groupsOf([segment(0), ...empty], 2 ** 33), [[0, 2 ** 31, 2 ** 32]])
  })

  it('hold no more bytes than a segment, and no more index entries than its indexes', () => {
    assert.deepEqual(groupsOf([segment(0, { bytes: 500 }), segment(1, { bytes: 500 }), segment(2)], 3), [[0, 1], [2]])
    for (const kind of ['indexBytes', 'timeIndexBytes']) {
      assert.deepEqual(groupsOf([segment(0, { [kind]: 60 }), segment(1, { [kind]: 60 })], 2), [[0], [1]])
    }
    assert.deepEqual(groupsOf([segment(0, { bytes: 2000 }), segment(1, { bytes: 1 })], 2), [[0], [1]])
  })
})
