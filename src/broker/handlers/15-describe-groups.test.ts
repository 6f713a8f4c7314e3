import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedClock } from '../../platform/index.ts'
import type { RequestContext } from '../handler.ts'
import { describeGroups } from './15-describe-groups.ts'

test('a request that names very many groups is answered in turns, group by group in its order', async () => {
  const clock = new SimulatedClock()
  let [inThisTurn, most] = [0, 0]
  const groups = {
    describeGroups: ({ groups: ids }: { readonly groups: readonly string[] }) => {
      inThisTurn += ids.length
      most = Math.max(most, inThisTurn)
      clock.soon(() => {
        inThisTurn = 0
      })
      return { groups: ids.map(groupId => ({ groupId, errorCode: 0 })) }
    },
  }
  const context = { apiVersion: 5, clientId: '', connection: { remoteAddress: '' }, services: { clock, groups } }
  const names = Array.from({ length: 1_234 }, (_, index) => `g${index}`)
  const request = { groups: names, includeAuthorizedOperations: false }
  const answer = describeGroups.handle(request as never, context as unknown as RequestContext)
  assert.ok(answer instanceof Promise)
  await clock.settle()
  const { groups: described } = (await answer) as { groups: readonly { groupId: string }[] }
  assert.deepEqual(
    described.map(({ groupId }) => groupId),
    names,
  )
  assert.equal(most, 100)
})
