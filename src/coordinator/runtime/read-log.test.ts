import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { batches, encodeBatch } from '../../protocol/index.ts'
import type { ReadableLog } from './partition-storage.ts'
import { readLog } from './read-log.ts'

/** A log of one batch a value, which gives as little as it may. */
function logOf(sizes: readonly number[], options: { readonly stuckAt?: number } = {}): ReadableLog {
  const stored = sizes.map((size, offset) =>
    encodeBatch({ baseOffset: offset, records: [{ key: Buffer.from([1]), value: Buffer.alloc(size), timestamp: 1 }] }),
  )
  return {
    logStartOffset: 0,
    logEndOffset: sizes.length,
    read(startOffset, { maxBytes, minOneMessage }) {
      const chunks: Uint8Array[] = []
      let bytes = 0
      for (const batch of startOffset === options.stuckAt ? [] : stored.slice(startOffset)) {
        if (bytes + batch.length > maxBytes && !(minOneMessage && bytes === 0)) break
        chunks.push(batch)
        bytes += batch.length
      }
      return { chunks }
    },
  }
}

function offsetsOf(log: ReadableLog, bufferBytes: number): number[] {
  return [...readLog(log, { bufferBytes })].flatMap(chunk => [...batches(chunk)].map(header => header.baseOffset))
}

describe('readLog', () => {
  it('gives every batch once, in order, whatever the buffer', () => {
    for (const bufferBytes of [1, 100, 200, 1000]) {
      assert.deepEqual(offsetsOf(logOf([10, 20, 30, 40]), bufferBytes), [0, 1, 2, 3])
    }
  })

  it('KAFKA-7286: goes on after a batch that is larger than the load buffer', () => {
    assert.deepEqual(offsetsOf(logOf([10, 100_000, 10]), 1000), [0, 1, 2])
  })

  it('ends, rather than asking for ever, when a read brings nothing', () => {
    assert.deepEqual(offsetsOf(logOf([10, 10, 10], { stuckAt: 2 }), 1), [0, 1])
  })

  it('ends when the partition is led elsewhere', () => {
    let chunks = 0
    const log = logOf([10, 10, 10, 10])
    for (const _ of readLog(log, { bufferBytes: 1, goesOn: () => chunks < 2 })) chunks++
    assert.equal(chunks, 2)
  })
})
