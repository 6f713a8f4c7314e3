import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import { partitionForKey } from '../producer/murmur2.ts'
import { string } from '../serializers.ts'
import { AssignedPartition } from './assigned-partition.ts'
import { ConsumerRecord } from './consumer-record.ts'
import type { Delivery } from './deliveries.ts'
import type { RecordSource } from './record-iterator.ts'
import { runHandler } from './run-handler.ts'

test('what ends the consumer after a run was ended by its signal is not an error that nobody handles', async () => {
  let fail = (_: Error): void => {}
  const taking = new Promise<Delivery<string, string>>((_, reject) => {
    fail = reject
  })
  const source: RecordSource<string, string> = {
    take: () => taking,
    takeNow: () => undefined,
    reached: () => {},
    done: () => {},
    mayGoOn: () => true,
  }
  const unhandled: unknown[] = []
  const hear = (error: unknown): void => void unhandled.push(error)
  process.on('unhandledRejection', hear)
  const control = new AbortController()
  const run = runHandler(source, () => {}, { signal: control.signal })
  control.abort()
  await run
  fail(new Error('the consumer was fenced'))
  await new Promise(resolve => setImmediate(resolve))
  process.off('unhandledRejection', hear)
  assert.deepEqual(unhandled, [])
})

/** One delivery of a record for each key, what was reached of it, and whether it may be worked on. */
function batchOf(keys: readonly string[]) {
  const place = { topic: 'orders', partition: 0 }
  const serdes = { key: string, value: string }
  const records = keys.map((key, offset) => {
    const parts = { offset, timestamp: 0, key: Buffer.from(key), value: Buffer.from(`${offset}`) }
    return new ConsumerRecord(place, { ...parts, headers: [], headerCount: 0 }, 0, serdes)
  })
  const partition = new AssignedPartition<string, string>(place)
  const deliveries: Delivery<string, string>[] = [{ partition, records, nextOffset: 10, epoch: 0, generation: 0 }]
  const seen = { reached: [] as number[], isRevoked: false }
  const source: RecordSource<string, string> = {
    take: async () => undefined,
    takeNow: () => deliveries.shift(),
    reached: (_, offset) => void seen.reached.push(offset),
    done: () => {},
    mayGoOn: () => !seen.isRevoked,
  }
  return { source, seen }
}

/** Two keys that are worked on side by side. */
const [FIRST_LANE, SECOND_LANE] = ['a', 'b', 'c', 'd', 'e'].reduce<[string, string]>(
  (found, key) => (partitionForKey(Buffer.from(key), 2) === 0 ? [key, found[1]] : [found[0], key]),
  ['', ''],
)
const BY_KEY = { concurrency: 2, order: 'key' } as const

test('a run by key that its signal ends begins no other record, and what was done up to the first that was not counts', async () => {
  const { source, seen } = batchOf([FIRST_LANE, SECOND_LANE, FIRST_LANE, FIRST_LANE, SECOND_LANE])
  const control = new AbortController()
  const worked: (string | null)[] = []
  const handler = async ({ value }: ConsumerRecord<string, string>): Promise<void> => {
    worked.push(value)
    await new Promise(resolve => setImmediate(resolve))
    if (value === '2') control.abort()
  }
  await runHandler(source, handler, { ...BY_KEY, signal: control.signal })
  assert.ok(!worked.includes('3'))
  assert.deepEqual(seen.reached, [3])
})

test('a run by key stops before the next record when its partition is called back', async () => {
  const { source, seen } = batchOf([FIRST_LANE, SECOND_LANE, FIRST_LANE, SECOND_LANE])
  const worked: (string | null)[] = []
  const handler = async ({ value }: ConsumerRecord<string, string>): Promise<void> => {
    worked.push(value)
    seen.isRevoked = true
  }
  await runHandler(source, handler, BY_KEY)
  assert.deepEqual([worked, seen.reached], [['0'], [1]])
})

test('what a run by key had done before the record that failed counts', async () => {
  const { source, seen } = batchOf([FIRST_LANE, FIRST_LANE, FIRST_LANE])
  const handler = async ({ value }: ConsumerRecord<string, string>): Promise<void> => {
    if (value === '1') throw new Error('cannot be done')
  }
  await assert.rejects(runHandler(source, handler, BY_KEY), /cannot be done/)
  assert.deepEqual(seen.reached, [1])
})

test('a batch of which a run by key has done everything counts with what follows it', async () => {
  const { source, seen } = batchOf([FIRST_LANE, SECOND_LANE])
  await runHandler(source, async () => {}, BY_KEY)
  assert.deepEqual(seen.reached, [10])
})

test('a handler whose promise is none of Node is waited for', async () => {
  const { source, seen } = batchOf(['a'])
  // As database clients have them: nothing is done before somebody waits.
  // biome-ignore lint/suspicious/noThenProperty: that is what is tested
  const query = () => ({ then: (_: () => void, reject: (reason: Error) => void) => reject(new Error('no such table')) })
  await assert.rejects(runHandler(source, query, {}), /no such table/)
  assert.deepEqual(seen.reached, [])
})

test('a run that fails leaves nothing with its signal', async () => {
  const { source } = batchOf(['a'])
  const { signal } = new AbortController()
  const fail = (): never => {
    throw new Error('cannot be done')
  }
  await assert.rejects(runHandler(source, fail, { signal }), /cannot be done/)
  assert.equal(getEventListeners(signal, 'abort').length, 0)
})

/** Partitions with a record each, and then nothing for ever. */
function recordsOf(count: number): RecordSource<string, string> {
  const serdes = { key: string, value: string }
  const deliveries = Array.from({ length: count }, (_, partition): Delivery<string, string> => {
    const place = { topic: 'orders', partition }
    const parts = { offset: 0, timestamp: 0, key: Buffer.from(`${partition}`), value: Buffer.from(`${partition}`) }
    const record = new ConsumerRecord(place, { ...parts, headers: [], headerCount: 0 }, 0, serdes)
    return { partition: new AssignedPartition(place), records: [record], nextOffset: 1, epoch: 0, generation: 0 }
  })
  return {
    take: () => new Promise(() => {}),
    takeNow: () => deliveries.shift(),
    reached: () => {},
    done: () => {},
    mayGoOn: () => true,
  }
}

test('a run that fails is over when no handler is under way any more, and nobody waits for records', async () => {
  const events: string[] = []
  let release = (): void => {}
  const released = new Promise<void>(resolve => {
    release = resolve
  })
  const handler = async ({ value }: ConsumerRecord<string, string>): Promise<void> => {
    if (value === '1') throw new Error('cannot be done')
    await released
    events.push('done')
  }
  const run = runHandler(recordsOf(2), handler, { concurrency: 4 }).catch(({ message }) => events.push(message))
  setImmediate(release)
  await run
  assert.deepEqual(events, ['done', 'cannot be done'])
})
