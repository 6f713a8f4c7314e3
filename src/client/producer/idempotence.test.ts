import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedClock } from '../../platform/index.ts'
import { type ErrorName, KafkaError } from '../../protocol/index.ts'
import { Idempotence, type Refusal } from './idempotence.ts'
import { PartitionQueue } from './partition-queue.ts'
import type { ProducerBatch } from './producer-batch.ts'

const SEAL = { compression: 'none', compressionLevel: undefined, isTransactional: false } as const

/** Sends a batch of one record. */
function sent(idempotence: Idempotence, queue: PartitionQueue): ProducerBatch {
  const batch = queue.batchFor(100, { batchBytes: 100, mostBatchBytes: 100, maxInFlight: 5 }, new SimulatedClock())
  batch.append(0, { key: null, value: 'v', headers: [] }, () => {})
  queue.take()
  idempotence.sending(queue, batch)
  batch.seal(SEAL)
  batch.attempts += 1
  return batch
}

const refusal = (code: ErrorName): Refusal => ({ error: new KafkaError(code, 'refused'), logStartOffset: -1 })

test('a batch that was on its way under an epoch given up since goes again under the new one', () => {
  const idempotence = new Idempotence(false)
  idempotence.identified({ producerId: 7, producerEpoch: 0 })
  const queue = new PartitionQueue('orders', 0)
  const [one, two, three] = [sent(idempotence, queue), sent(idempotence, queue), sent(idempotence, queue)]
  idempotence.acknowledged(queue, one, 0)
  assert.equal(idempotence.verdict(queue, two, refusal('OUT_OF_ORDER_SEQUENCE_NUMBER')), 'retry')
  assert.ok(idempotence.applyBump())
  assert.deepEqual(two.producer, { producerId: 7, producerEpoch: 1, baseSequence: 0 })
  assert.equal(idempotence.verdict(queue, three, refusal('INVALID_PRODUCER_EPOCH')), 'retry')
  three.seal(SEAL)
  assert.equal(idempotence.verdict(queue, three, refusal('INVALID_PRODUCER_EPOCH')), 'fail', 'its own epoch')
})
