import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Clock, systemClock } from '../platform/index.ts'
import { answerEach } from './answer-each.ts'

test('entries of a request are answered in their order and in turns, and those that are the same once', async () => {
  let turns = 0
  const clock: Clock = {
    ...systemClock,
    soon: callback => {
      turns += 1
      setImmediate(callback)
    },
  }
  const asked: string[] = []
  const answer = ({ name }: { readonly name: string }): { readonly of: string } => {
    asked.push(name)
    return { of: name }
  }
  const entries = ['a', 'b', 'a', 'c', 'a'].map(name => ({ name }))
  const answers = await answerEach(entries, answer, { clock, inATurn: 2 })
  assert.deepEqual(
    answers.map(({ of }) => of),
    ['a', 'b', 'a', 'c', 'a'],
  )
  assert.deepEqual(asked, ['a', 'b', 'c'])
  assert.equal(turns, 2)
})
