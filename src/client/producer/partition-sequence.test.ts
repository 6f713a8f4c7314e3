import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PartitionSequence, type SequencedBatch } from './partition-sequence.ts'

const IDENTITY = { producerId: 7, producerEpoch: 0 }

function sequenceOf(...counts: number[]): { sequence: PartitionSequence; batches: SequencedBatch[] } {
  const sequence = new PartitionSequence()
  sequence.startOver(IDENTITY)
  const batches = counts.map(recordCount => ({ recordCount, attempts: 1, producer: undefined, hasBeenReset: false }))
  for (const batch of batches) sequence.assign(batch)
  return { sequence, batches }
}

const starts = (batches: readonly SequencedBatch[]): (number | undefined)[] =>
  batches.map(({ producer }) => producer?.baseSequence)

test('batches follow each other by their records, and what was acknowledged last tells which is next', () => {
  const { sequence, batches } = sequenceOf(10, 5, 1)
  const [one, two, three] = batches as [SequencedBatch, SequencedBatch, SequencedBatch]
  assert.deepEqual(starts(batches), [0, 10, 15])
  assert.ok(sequence.isNext(one))
  sequence.acknowledged(one, 100)
  assert.equal(sequence.lastAckedOffset, 109)
  assert.ok(sequence.isNext(two))
  assert.ok(!sequence.isNext(three))
  assert.equal(sequence.first, two)
})

test('when a batch is refused for good, those behind it take its place', () => {
  const { sequence, batches } = sequenceOf(10, 5, 1)
  sequence.refused(batches[0]!)
  assert.deepEqual(starts(batches), [0, 0, 5])
  const next = { recordCount: 1, attempts: 1, producer: undefined, hasBeenReset: false }
  sequence.assign(next)
  assert.deepEqual(starts([next]), [6])
})

test('a batch that was given up is resolved by an acknowledgement behind it, or leaves a gap', () => {
  const lucky = sequenceOf(10, 5)
  lucky.sequence.lost(lucky.batches[0]!)
  assert.ok(lucky.sequence.isUnresolved)
  assert.equal(lucky.sequence.resolve(), 'waiting')
  lucky.sequence.acknowledged(lucky.batches[1]!, 10)
  assert.equal(lucky.sequence.resolve(), 'resolved')

  const unlucky = sequenceOf(10, 5)
  unlucky.sequence.acknowledged(unlucky.batches[0]!, 0)
  unlucky.sequence.lost(unlucky.batches[1]!)
  assert.equal(unlucky.sequence.resolve(), 'gap')
})

test('beginning anew gives batches under way new places in the same order', () => {
  const { sequence, batches } = sequenceOf(10, 5, 1)
  sequence.acknowledged(batches[0]!, 0)
  sequence.startOver({ producerId: 7, producerEpoch: 1 })
  assert.deepEqual(starts(batches), [0, 0, 5])
  assert.deepEqual(
    batches.map(({ hasBeenReset, producer }) => [hasBeenReset, producer?.producerEpoch]),
    [
      [false, 0],
      [true, 1],
      [true, 1],
    ],
  )
  assert.ok(sequence.isNext(batches[1]!))
})

test('sequences begin again at 0 behind 2^31 - 1', () => {
  const { sequence, batches } = sequenceOf(2 ** 31 - 2, 5, 1)
  assert.deepEqual(starts(batches), [0, 2 ** 31 - 2, 3])
  sequence.acknowledged(batches[0]!, 0)
  sequence.acknowledged(batches[1]!, 2 ** 31)
  assert.ok(sequence.isNext(batches[2]!))
})
