import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { javaHashCode, partitionForKey } from './partition-for-key.ts'

describe('partitionForKey', () => {
  it('hashes as Java does', () => {
    assert.equal(javaHashCode(''), 0)
    assert.equal(javaHashCode('group'), 98629247)
    assert.equal(javaHashCode('console-consumer-12345'), javaHashCode('console-consumer-12345') | 0)
    assert.equal(javaHashCode('polygenelubricants'), -(2 ** 31))
    assert.equal(javaHashCode('é'), 233)
    assert.equal(javaHashCode('😀'), 1772899)
  })

  it("takes the hash's absolute value, and 0 for the one that has none", () => {
    assert.equal(partitionForKey('polygenelubricants', 50), 0)
    assert.equal(partitionForKey('group', 50), 98629247 % 50)
  })
})
