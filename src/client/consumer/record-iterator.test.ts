import assert from 'node:assert/strict'
import { test } from 'node:test'
import { string } from '../serializers.ts'
import { AssignedPartition } from './assigned-partition.ts'
import { ConsumerRecord } from './consumer-record.ts'
import type { Delivery } from './deliveries.ts'
import { RecordIterator, type RecordSource } from './record-iterator.ts'

/** Partitions with two records each, that come one after the other, and what is given back of them. */
function slowSource(count: number) {
  const inHand = new Set<Delivery<string, string>>()
  let next = 0
  const source: RecordSource<string, string> = {
    take: async () => {
      await new Promise(resolve => setImmediate(resolve))
      if (next === count) return undefined
      const place = { topic: 'orders', partition: next++ }
      const records = [0, 1].map(offset => {
        const value = Buffer.from(`${place.partition}.${offset}`)
        const parts = { offset, timestamp: 0, key: null, value, headers: [], headerCount: 0 }
        return new ConsumerRecord(place, parts, 0, { key: string, value: string })
      })
      const delivery = {
        partition: new AssignedPartition<string, string>(place),
        records,
        nextOffset: 2,
        epoch: 0,
        generation: 0,
      }
      inHand.add(delivery)
      return delivery
    },
    takeNow: () => undefined,
    reached: () => {},
    done: delivery => void inHand.delete(delivery),
    mayGoOn: () => true,
  }
  return { source, inHand }
}

test('who asks for several records at once gets them in order, and nothing stays in hand', async () => {
  const { source, inHand } = slowSource(3)
  const iterator = new RecordIterator(source)
  const results = await Promise.all(Array.from({ length: 8 }, () => iterator.next()))
  assert.deepEqual(
    results.map(({ value }) => value?.value),
    ['0.0', '0.1', '1.0', '1.1', '2.0', '2.1', undefined, undefined],
  )
  assert.equal(inHand.size, 0)
})

test('a loop that is left while it waits for records keeps nothing of what comes then', async () => {
  const { source, inHand } = slowSource(2)
  const iterator = new RecordIterator(source)
  const waiting = iterator.next()
  const behind = iterator.next()
  await iterator.return()
  assert.deepEqual(await waiting, { done: true, value: undefined })
  assert.deepEqual(await behind, { done: true, value: undefined })
  assert.deepEqual(await iterator.next(), { done: true, value: undefined })
  assert.equal(inHand.size, 0)
})
