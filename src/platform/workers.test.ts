import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nodeWorkers } from './node-workers.ts'
import { die, fail, reverse, whichThread } from './workers.fixture.ts'
import { inlineWorkers } from './workers.ts'

for (const [name, make] of [
  ['threads', () => nodeWorkers(2)],
  ['the twin', () => inlineWorkers],
] as const) {
  test(`${name}: a job gets bytes of its own, and the caller may use the memory again at once`, async () => {
    const workers = make()
    const memory = new Uint8Array(1000)
    memory.set([1, 2, 3], 500)
    const running = workers.run(reverse, { bytes: memory.subarray(500, 503) })
    memory.fill(9)
    const { bytes } = await running
    assert.deepEqual([...bytes], [3, 2, 1])
    assert.equal(bytes.buffer.byteLength, 3)
    await workers.close()
  })

  test(`${name}: what a job throws rejects its promise and harms no other`, async () => {
    const workers = make()
    const [failed, well] = await Promise.allSettled([
      workers.run(fail, {}),
      workers.run(reverse, { bytes: Uint8Array.of(1, 2) }),
    ])
    assert.equal(failed.status === 'rejected' && failed.reason.message, 'no luck')
    assert.deepEqual(well.status === 'fulfilled' && [...well.value.bytes], [2, 1])
    await workers.close()
  })
}

test('jobs of a thread that dies are rejected, and the next job gets a new thread', async () => {
  const workers = nodeWorkers(1)
  await assert.rejects(workers.run(die, {}), /worker thread ended with 3/)
  const { bytes } = await workers.run(reverse, { bytes: Uint8Array.of(1, 2) })
  assert.deepEqual([...bytes], [2, 1])
  await workers.close()
})

test('a thread works on while there are jobs, and is ended, its memory with it, when it has been idle', async () => {
  const workers = nodeWorkers(1, 5)
  const together = await Promise.all([workers.run(whichThread, {}), workers.run(whichThread, {})])
  const [first] = together
  assert.equal(new Set(together.map(({ id }) => id)).size, 1)
  let last = first
  while (last.id === first.id) {
    await new Promise(resolve => setTimeout(resolve, 10))
    last = await workers.run(whichThread, {})
  }
  await workers.close()
})

test('closed workers reject what runs and what comes', async () => {
  const workers = nodeWorkers(1)
  const running = workers.run(die, {})
  const closing = workers.close()
  await assert.rejects(running)
  await closing
  await assert.rejects(workers.run(reverse, { bytes: Uint8Array.of(1) }), /closed/)
})
