import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ZERO_UUID } from '../../protocol/index.ts'
import { FetchSession } from './fetch-session.ts'

const at = (partition: number, fetchOffset: number, currentLeaderEpoch = 0, topicId = 'id') => ({
  topic: 't',
  topicId,
  partition,
  fetchOffset,
  currentLeaderEpoch,
  partitionMaxBytes: 100,
})

/** What a request names: session, epoch, partitions with offsets, partitions that are forgotten. */
function named(session: FetchSession, wanted: readonly ReturnType<typeof at>[]) {
  const { sessionId, sessionEpoch, topics = [], forgottenTopicsData = [] } = session.next(wanted)
  const asked = topics.flatMap(({ partitions = [] }) => partitions.map(one => `${one.partition}@${one.fetchOffset}`))
  const forgotten = forgottenTopicsData.flatMap(({ partitions = [] }) => [...partitions])
  return [sessionId, sessionEpoch, asked.join(' '), forgotten.join(' ')]
}

test('the first request names everything, later ones what is new, changed or gone', () => {
  const session = new FetchSession()
  assert.deepEqual(named(session, [at(0, 5), at(1, 7)]), [0, 0, '0@5 1@7', ''])
  session.answered(77)
  assert.deepEqual(named(session, [at(0, 5), at(1, 8)]), [77, 1, '1@8', ''])
  session.answered(77)
  assert.deepEqual(named(session, [at(1, 8), at(2, 0)]), [77, 2, '2@0', '0'])
  session.answered(77)
  assert.deepEqual(named(session, [at(1, 8, 4), at(2, 0)]), [77, 3, '1@8', ''])
})

test('a broker that keeps no session is asked for everything each time', () => {
  const session = new FetchSession()
  named(session, [at(0, 5)])
  session.answered(0)
  assert.deepEqual(named(session, [at(0, 5)]), [0, 0, '0@5', ''])
})

test('after a failure everything is named, and a session that may be there is ended', () => {
  const session = new FetchSession()
  named(session, [at(0, 5)])
  session.answered(77)
  named(session, [at(0, 6)])
  session.failed('NETWORK_EXCEPTION')
  assert.deepEqual(named(session, [at(0, 6)]), [77, 0, '0@6', ''])
  session.failed('FETCH_SESSION_ID_NOT_FOUND')
  assert.deepEqual(named(session, [at(0, 6)]), [0, 0, '0@6', ''])
})

test('a topic that another of its name replaced is forgotten and named anew', () => {
  const session = new FetchSession()
  named(session, [at(0, 5), at(1, 7)])
  session.answered(77)
  assert.deepEqual(named(session, [at(0, 0, 0, 'new'), at(1, 7)]), [77, 1, '0@0', '0'])
})

test('a session that went by names begins anew when there are ids, and the other way round', () => {
  const session = new FetchSession()
  assert.deepEqual(named(session, [at(0, 5, 0, ZERO_UUID)]), [0, 0, '0@5', ''])
  session.answered(77)
  assert.deepEqual(named(session, [at(0, 5)]), [77, 0, '0@5', ''])
  session.answered(78)
  assert.deepEqual(named(session, [at(0, 5, 0, ZERO_UUID)]), [78, 0, '0@5', ''])
})
