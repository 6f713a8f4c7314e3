import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BufferPool } from './buffer-pool.ts'

test('memory that was given back is used again, and never by two at once', () => {
  const pool = new BufferPool()
  const first = pool.take(1_000_000)
  assert.equal(first.length, 1_000_000)
  pool.recycle(first.subarray(10, 20))
  const second = pool.take(1_048_576)
  assert.equal(second.buffer, first.buffer)
  assert.notEqual(pool.take(1_000_000).buffer, second.buffer)
})

test('giving memory back twice takes it back once', () => {
  const pool = new BufferPool()
  const slab = pool.take(10_000)
  pool.recycle(slab)
  pool.recycle(slab)
  assert.notEqual(pool.take(10_000).buffer, pool.take(10_000).buffer)
})

test('memory of somebody else is left alone', () => {
  const pool = new BufferPool()
  const foreign = Buffer.allocUnsafeSlow(16 * 1024)
  assert.equal(pool.owns(foreign), false)
  pool.recycle(foreign)
  assert.notEqual(pool.take(16 * 1024).buffer, foreign.buffer)
})

test('every size from one byte to beyond the largest slab is given in full', () => {
  const pool = new BufferPool()
  for (const size of [1, 8191, 8192, 8193, 16384, 16385, 65536, 1 << 20, (1 << 20) + 1, 1 << 21, (1 << 21) + 1]) {
    const taken = pool.take(size)
    assert.equal(taken.length, size)
    taken.fill(1)
    pool.recycle(taken)
  }
})

test('no more is kept than the limit', () => {
  const pool = new BufferPool()
  const slabs = Array.from({ length: 40 }, () => pool.take(1 << 20))
  for (const slab of slabs) pool.recycle(slab)
  const again = Array.from({ length: 40 }, () => pool.take(1 << 20))
  const reused = again.filter(slab => slabs.some(({ buffer }) => buffer === slab.buffer))
  assert.equal(reused.length, 32)
})
