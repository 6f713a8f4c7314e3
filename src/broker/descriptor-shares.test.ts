import assert from 'node:assert/strict'
import { test } from 'node:test'
import { descriptorShares } from './descriptor-shares.ts'

test('files and connections never want more descriptors than there are, and something is left', () => {
  for (const limit of [256, 1_024, 4_096, 20_000, 1_048_576]) {
    const { segmentFiles, connections } = descriptorShares(limit)
    assert.ok(segmentFiles + connections < limit, `${limit}`)
    assert.ok(segmentFiles >= 16 && connections >= 16)
  }
})

test('where there are descriptors enough most are for connections', () => {
  assert.deepEqual(descriptorShares(20_096), { segmentFiles: 4_096, connections: 15_904 })
})

test('a system that does not tell sets no limit', () => {
  assert.equal(descriptorShares(undefined).connections, Number.MAX_SAFE_INTEGER)
})
