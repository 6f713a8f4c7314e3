import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AssignedPartition } from './assigned-partition.ts'

test('what a program committed ahead of its position is committed again just as it said, until it seeks', () => {
  const place = { topic: 'orders', partition: 0 }
  const partition = new AssignedPartition(place)
  partition.seek(5, 1)
  partition.committing({ ...place, offset: 9, leaderEpoch: 2, metadata: 'of file 7' })
  assert.deepEqual(partition.reached, { ...place, offset: 9, leaderEpoch: 2, metadata: 'of file 7' })
  partition.seek(6, 1)
  assert.deepEqual(partition.reached, { ...place, offset: 6, leaderEpoch: 1 })
})

test('what a program commits and is refused counts for nothing, unless it has committed or seeked since', () => {
  const place = { topic: 'orders', partition: 0 }
  const partition = new AssignedPartition(place)
  partition.seek(5, 1)
  partition.committing({ ...place, offset: 7 })
  const refused = partition.committing({ ...place, offset: 9 })
  refused(true)
  assert.equal(partition.reached?.offset, 7)
  const overtaken = partition.committing({ ...place, offset: 10 })
  partition.committing({ ...place, offset: 11 })
  overtaken(true)
  assert.equal(partition.reached?.offset, 11)
  const before = partition.committing({ ...place, offset: 12 })
  partition.seek(6, 1)
  before(true)
  assert.equal(partition.reached?.offset, 6)
})

test('of two commits under way that are both refused neither counts, whichever is answered first', () => {
  const place = { topic: 'orders', partition: 0 }
  for (const order of [
    [0, 1],
    [1, 0],
  ]) {
    const partition = new AssignedPartition(place)
    partition.seek(5, 1)
    const commits = [6, 7].map(offset => partition.committing({ ...place, offset }))
    for (const index of order) commits[index]!(true)
    assert.equal(partition.reached?.offset, 5)
  }
})

test('a commit that is refused after one before it was done gives way to that one', () => {
  const place = { topic: 'orders', partition: 0 }
  const partition = new AssignedPartition(place)
  partition.seek(5, 1)
  const [first, second] = [6, 7].map(offset => partition.committing({ ...place, offset }))
  first!(false)
  assert.equal(partition.reached?.offset, 7)
  second!(true)
  assert.equal(partition.reached?.offset, 6)
})
