import assert from 'node:assert/strict'
import { test } from 'node:test'
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
