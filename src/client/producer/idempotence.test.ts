import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedClock } from '../../platform/index.ts'
import { type ErrorName, KafkaError } from '../../protocol/index.ts'
import { Idempotence, type Refusal } from './idempotence.ts'
import { PartitionQueue } from './partition-queue.ts'
import type { ProducerBatch } from './producer-batch.ts'

const SEAL = { compression: 'none', compressionLevel: undefined, isTransactional: false } as const

/** A batch of one record that waits. */
function waiting(queue: PartitionQueue): ProducerBatch {
  const batch = queue.batchFor(100, { batchBytes: 100, mostBatchBytes: 100, maxInFlight: 5 }, new SimulatedClock())
  batch.append(0, { key: null, value: 'v', headers: [] }, () => {})
  return batch
}

/** Sends a batch of one record. */
function sent(idempotence: Idempotence, queue: PartitionQueue): ProducerBatch {
  const batch = waiting(queue)
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

test('nothing follows the first batch of a producer before a broker has acknowledged it', () => {
  const idempotence = new Idempotence(false)
  idempotence.identified({ producerId: 7, producerEpoch: 0 })
  const queue = new PartitionQueue('orders', 0)
  const first = sent(idempotence, queue)
  const second = waiting(queue)
  assert.equal(idempotence.mayDrain(queue, second), false, 'it would be taken in the place of the first')
  idempotence.acknowledged(queue, first, 0)
  assert.equal(idempotence.mayDrain(queue, second), true)
})

test('nothing follows a batch that is sent again before it is settled: a broker remembers five', () => {
  const idempotence = new Idempotence(false)
  idempotence.identified({ producerId: 7, producerEpoch: 0 })
  const queue = new PartitionQueue('orders', 0)
  idempotence.acknowledged(queue, sent(idempotence, queue), 0)
  const second = sent(idempotence, queue)
  const third = waiting(queue)
  assert.equal(idempotence.mayDrain(queue, third), true)
  second.attempts += 1
  assert.equal(idempotence.mayDrain(queue, third), false)
  idempotence.acknowledged(queue, second, 1)
  assert.equal(idempotence.mayDrain(queue, third), true)
})

test('a producer with a new identity begins when nothing of the old one is on its way', () => {
  const idempotence = new Idempotence(true)
  idempotence.identified({ producerId: 7, producerEpoch: 0 })
  const queue = new PartitionQueue('orders', 0)
  idempotence.acknowledged(queue, sent(idempotence, queue), 0)
  const old = sent(idempotence, queue)
  idempotence.identified({ producerId: 7, producerEpoch: 1 })
  const next = waiting(queue)
  assert.equal(idempotence.mayDrain(queue, next), false)
  idempotence.acknowledged(queue, old, 1)
  assert.equal(idempotence.mayDrain(queue, next), true)
  idempotence.sending(queue, next)
  assert.deepEqual(next.producer, { producerId: 7, producerEpoch: 1, baseSequence: 0 })
})

test('what follows a batch that was written under an epoch given up since takes its place in the new one', () => {
  const idempotence = new Idempotence(false)
  idempotence.identified({ producerId: 7, producerEpoch: 0 })
  const queue = new PartitionQueue('orders', 0)
  const [one, two, three] = [sent(idempotence, queue), sent(idempotence, queue), sent(idempotence, queue)]
  idempotence.verdict(queue, one, refusal('OUT_OF_ORDER_SEQUENCE_NUMBER'))
  idempotence.applyBump()
  assert.deepEqual(two.producer, { producerId: 7, producerEpoch: 1, baseSequence: 1 })
  idempotence.acknowledged(queue, two, 5)
  assert.deepEqual(one.producer, { producerId: 7, producerEpoch: 1, baseSequence: 0 })
  assert.deepEqual(three.producer, { producerId: 7, producerEpoch: 1, baseSequence: 1 })
})
