import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerEach, answeredOnce } from './answer-each.ts'

test('entries of a request are answered in their order and in pieces, and those that are the same once', () => {
  const asked: string[] = []
  const answer = ({ name }: { readonly name: string }): { readonly of: string } => {
    asked.push(name)
    return { of: name }
  }
  const names = ['a', 'b', 'a', 'c', 'a']
  const pieces = answerEach(
    names.map(name => ({ name })),
    answeredOnce(answer),
  )
  for (const _ of names) assert.equal(pieces.next().done, false)
  const { done, value } = pieces.next()
  assert.equal(done, true)
  assert.deepEqual(
    (value as { readonly of: string }[]).map(({ of }) => of),
    names,
  )
  assert.deepEqual(asked, ['a', 'b', 'c'])
})
