import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ServiceThread } from '../platform/index.ts'
import type { CleaningTask } from './cleaning-task.ts'
import { CleaningThread, type FromCleaner, type ToCleaner } from './cleaning-thread.ts'

test('a round whose group cannot be put in place is over when its thread says so, and not before', async () => {
  const posted: ToCleaner[] = []
  let say: (message: FromCleaner) => void = () => {}
  const thread: ServiceThread = {
    post: message => void posted.push(message as ToCleaner),
    onMessage: listener => {
      say = listener
    },
    onFailure: () => {},
    end: async () => {},
  }
  const cleaning = new CleaningThread({ start: () => thread })
  const failed = new Error('disk is gone')
  const round = cleaning.run({} as CleaningTask, {
    bytesPerSecond: 1,
    signal: new AbortController().signal,
    onGroup: () => Promise.reject(failed),
  })
  let isOver = false
  const watched = round.catch((error: unknown) => {
    isOver = true
    return error
  })
  say({ kind: 'group', group: {} as never })
  await new Promise(resolve => setImmediate(resolve))
  assert.deepEqual(posted.at(-1), { kind: 'placed', goOn: false })
  assert.equal(isOver, false)
  say({ kind: 'done', result: undefined })
  assert.equal(await watched, failed)
})
