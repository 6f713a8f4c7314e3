import assert from 'node:assert/strict'
import { test } from 'node:test'
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
