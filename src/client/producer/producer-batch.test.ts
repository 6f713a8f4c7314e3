import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bufferPool } from '../../platform/index.ts'
import { PartitionQueue } from './partition-queue.ts'
import { type Group, ProducerBatch } from './producer-batch.ts'

const nobody: Group = { written: () => {}, failed: () => {} }

/** A batch that was sent so many times, and its bytes. */
function sent(attempts: number): { batch: ProducerBatch; bytes: Buffer } {
  const batch = new ProducerBatch(new PartitionQueue('orders', 0), { capacity: 20_000, createdMs: 0, ordinal: 0 })
  for (let left = 30; left > 0; left--) batch.append(0, { key: null, value: 'v'.repeat(999), headers: [] }, nobody)
  batch.seal({ compression: 'none', compressionLevel: undefined, isTransactional: false })
  batch.attempts = attempts
  return { batch, bytes: batch.bytes }
}

test('the memory of a batch is given back when it is written, and only if it was sent once', () => {
  const once = sent(1)
  assert.ok(bufferPool.owns(once.bytes), 'while it is on its way')
  once.batch.complete({ baseOffset: 0, logAppendTimeMs: -1 })
  assert.ok(!bufferPool.owns(once.bytes))
  const again = sent(2)
  again.batch.complete({ baseOffset: 0, logAppendTimeMs: -1 })
  assert.ok(bufferPool.owns(again.bytes), 'a connection that broke may still hold it')
  const failed = sent(1)
  failed.batch.fail(new Error('refused'))
  assert.ok(bufferPool.owns(failed.bytes), 'nobody said that it arrived')
})
