import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../platform/index.ts'
import type { FetchPartitionResult } from './fetch-result.ts'
import { batchOf, type OneBroker, openOneBroker, params, wanted } from './one-broker.fixture.ts'

const PARTITIONS = 3
const BATCH_BYTES = batchOf(1).length

/** A fetch that was begun, and what must become of it. */
interface Asked {
  readonly offsets: readonly number[]
  readonly minBytes: number
  readonly deadlineMs: number
  results: readonly FetchPartitionResult[] | undefined
}

/** Bytes that lie readable before the fetch: every batch holds one record. */
function readable(broker: OneBroker, { offsets }: Asked): number {
  let bytes = 0
  for (const [partition, offset] of offsets.entries()) {
    const limit = broker.replicas.partition('a', partition).fetchLimit('high_watermark')
    bytes += Math.max(0, limit - offset) * BATCH_BYTES
  }
  return bytes
}

function begin(broker: OneBroker, random: ReturnType<typeof seededRandom>): Asked {
  const offsets = Array.from({ length: PARTITIONS }, (_, partition) => {
    const end = broker.replicas.partition('a', partition).fetchLimit('log_end')
    return Math.max(0, end - random.below(3))
  })
  const maxWaitMs = random.below(300)
  const minBytes = random.below(5) * BATCH_BYTES - random.below(2)
  const asked: Asked = { offsets, minBytes, deadlineMs: broker.clock.monotonicMs() + maxWaitMs, results: undefined }
  const requests = offsets.map((fetchOffset, partition) => wanted('a', partition, { fetchOffset }))
  void Promise.resolve(broker.fetch(requests, params({ minBytes, maxWaitMs }))).then(results => {
    asked.results = results
  })
  return asked
}

test('under random schedules a fetch is answered when it has min bytes or its time is over, and not before', async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = seededRandom(seed)
    const broker = await openOneBroker({ a: PARTITIONS })
    let open: Asked[] = []
    for (let step = 0; step < 60; step++) {
      const choice = random.below(4)
      if (choice === 0) open.push(begin(broker, random))
      else if (choice === 1) await broker.clock.advance(random.below(60))
      else broker.append('a', random.below(PARTITIONS), batchOf(1))
      if (random.below(3) > 0) continue
      await broker.clock.settle()
      const nowMs = broker.clock.monotonicMs()
      for (const asked of open) {
        const isDue = readable(broker, asked) >= asked.minBytes || nowMs >= asked.deadlineMs + 3
        if (isDue) assert.ok(asked.results, `seed ${seed}: a fetch was forgotten`)
        if (!asked.results) continue
        const bytes = asked.results.reduce((sum, { recordBytes }) => sum + recordBytes, 0)
        const isEarly = bytes < asked.minBytes && nowMs < asked.deadlineMs
        assert.ok(!isEarly, `seed ${seed}: a fetch was answered early`)
      }
      open = open.filter(({ results }) => !results)
    }
    await broker.clock.advance(400)
    assert.equal(broker.replicas.purgatory.size, 0)
    assert.equal(broker.replicas.purgatory.watches, 0)
    await broker.close()
  }
})
