import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RequestContext } from '../handler.ts'
import { describeGroups } from './15-describe-groups.ts'

test('a request that names very many groups is answered in pieces, group by group in its order', () => {
  let most = 0
  const groups = {
    describeGroups: ({ groups: ids }: { readonly groups: readonly string[] }) => {
      most = Math.max(most, ids.length)
      return { groups: ids.map(groupId => ({ groupId, errorCode: 0 })) }
    },
  }
  const works: Iterator<unknown, unknown>[] = []
  const inPieces = (work: Iterator<unknown, unknown>): number => works.push(work)
  const context = { apiVersion: 5, clientId: '', connection: { remoteAddress: '', inPieces }, services: { groups } }
  const names = Array.from({ length: 1_234 }, (_, index) => `g${index}`)
  const request = { groups: names, includeAuthorizedOperations: false }
  void describeGroups.handle(request as never, context as unknown as RequestContext)
  const [pieces] = works
  assert.ok(pieces)
  for (const _ of names) assert.equal(pieces.next().done, false)
  const described = pieces.next().value as readonly { groupId: string }[]
  assert.deepEqual(
    described.map(({ groupId }) => groupId),
    names,
  )
  assert.equal(most, 1)
})
