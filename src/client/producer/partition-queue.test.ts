import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedClock } from '../../platform/index.ts'
import { type ConfigInput, readOptions } from '../client-options.ts'
import { type BatchLimits, PartitionQueue } from './partition-queue.ts'
import { producerConfig, type producerKeys } from './producer-config.ts'
import { producerSettings } from './producer-settings.ts'

const RECORD_BYTES = 100
const SEAL = { compression: 'none', compressionLevel: undefined, isTransactional: false } as const
const LIMITS: BatchLimits = { batchBytes: 1_000, mostBatchBytes: 8_000, maxInFlight: 3 }
const clock = new SimulatedClock()

function add(queue: PartitionQueue, records: number, limits = LIMITS): void {
  for (let left = records; left > 0; left--) {
    const parts = { key: null, value: 'v'.repeat(RECORD_BYTES - 10), headers: [] }
    queue.batchFor(RECORD_BYTES, limits, clock).append(0, parts, () => {})
  }
}

/** Takes the oldest batch out and on its way. */
function send(queue: PartitionQueue): void {
  const batch = queue.take()
  batch.seal(SEAL)
  batch.attempts += 1
  queue.inFlight += 1
}

/** Whether these are the bytes of batches that took records up to each limit. */
function isFull(queue: PartitionQueue, limits: readonly number[]): boolean {
  const fits = (bytes: number, limit: number): boolean => bytes <= limit && bytes > limit - 2 * RECORD_BYTES
  return limits.every((limit, index) => fits(queue.waiting[index]!.sizeBytes, limit))
}

test('a batch that has to wait for others on their way grows past batch.size, and one that can go does not', () => {
  const queue = new PartitionQueue('orders', 0)
  add(queue, 250)
  assert.ok(isFull(queue, [1_000, 1_000, 8_000, 8_000]), 'as many as may be on their way go before the third')
  while (queue.waiting.length > 0) send(queue)
  add(queue, 20)
  assert.equal(queue.waiting.length, 1)
  queue.inFlight = 0
  add(queue, 1)
  assert.equal(queue.waiting.length, 2)
})

test('a partition whose broker found a batch too large gets smaller ones', () => {
  const queue = new PartitionQueue('orders', 0)
  queue.inFlight = LIMITS.maxInFlight
  add(queue, 40)
  queue.refusedAsTooLarge(queue.take())
  add(queue, 40)
  assert.equal(queue.waiting.length, 3)
  for (const { sizeBytes } of queue.waiting) assert.ok(sizeBytes <= 2_000, `${sizeBytes} bytes`)
})

test('batches grow to what brokers usually take, and never past a batch.size that was given', () => {
  const most = (options: ConfigInput<typeof producerKeys>): number =>
    producerSettings(readOptions(producerConfig, { bootstrapServers: 'a:1', ...options }).config).mostBatchBytes
  assert.equal(most({}), 1_048_576)
  assert.equal(most({ maxRequestSize: 500_000 }), 500_000)
  assert.equal(most({ maxRequestSize: 50_000_000 }), 1_048_576)
  assert.equal(most({ batchSize: 16_384 }), 16_384)
  assert.equal(most({ batchSize: 131_072 }), 131_072)
  // Nobody would say that one was too large, and its records would be lost.
  assert.equal(most({ acks: 0 }), 131_072)
})
