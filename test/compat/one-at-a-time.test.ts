/** Test files that run at the same time wait for each other where they install the same. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { oneAtATime } from './one-at-a-time.ts'
import { PATIENCE_MS, RunningProgram } from './process.ts'

const options = { timeout: PATIENCE_MS, skip: process.platform !== 'linux' && 'there are no abstract sockets' }

test('of those who do what has one name, one does it at a time, and each does it', options, async () => {
  const name = randomUUID()
  let [inside, ended] = [0, 0]
  const work = async (): Promise<void> => {
    inside += 1
    assert.equal(inside, 1)
    await oneAtATime(randomUUID(), async () => undefined)
    assert.equal(inside, 1)
    inside -= 1
    ended += 1
    if (ended === 2) throw new Error('failed')
  }
  const all = await Promise.allSettled(Array.from({ length: 4 }, () => oneAtATime(name, work)))
  assert.equal(ended, 4)
  assert.equal(all.filter(({ status }) => status === 'rejected').length, 1)
})

test('who is killed meanwhile keeps nobody waiting', options, async () => {
  const name = randomUUID()
  const module = new URL('one-at-a-time.js', import.meta.url).href
  const program = `import { oneAtATime } from '${module}'
    await oneAtATime('${name}', () => new Promise(() => console.log('mine')))`
  const holder = new RunningProgram(process.execPath, ['--input-type=module', '--eval', program])
  await holder.until(stdout => stdout === 'mine\n')
  let isOver = false
  const after = oneAtATime(name, async () => assert.ok(isOver))
  isOver = true
  holder.kill('SIGKILL')
  await after
})
