import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AssignedPartition } from './assigned-partition.ts'

test('what a program committed ahead of its position is committed again just as it said, until it seeks', () => {
  const place = { topic: 'orders', partition: 0 }
  const partition = new AssignedPartition(place)
  partition.seek(5, 1)
  partition.committedByProgram = { ...place, offset: 9, leaderEpoch: 2, metadata: 'of file 7' }
  assert.deepEqual(partition.reached, { ...place, offset: 9, leaderEpoch: 2, metadata: 'of file 7' })
  partition.seek(6, 1)
  assert.deepEqual(partition.reached, { ...place, offset: 6, leaderEpoch: 1 })
})
