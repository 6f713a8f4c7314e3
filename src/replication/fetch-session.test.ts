import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedClock, seededRandom } from '../platform/index.ts'
import { ErrorCode, ZERO_UUID } from '../protocol/index.ts'
import type { FetchRequest } from '../protocol/messages/01-fetch.ts'
import { FetchSessions } from './fetch-context.ts'
import { type FetchPartitionResult, fetchError, NO_RECORDS, NOT_DIVERGING, UNKNOWN_LEADER } from './fetch-result.ts'
import { FetchSessionCache, type FetchSessionCacheOptions } from './fetch-session-cache.ts'

function openSessions(options: Partial<FetchSessionCacheOptions> = {}) {
  const clock = new SimulatedClock()
  const cache = new FetchSessionCache({ clock, random: seededRandom(1), maxSessions: 2, ...options })
  return { clock, cache, sessions: new FetchSessions(cache) }
}

type Topics = Record<string, readonly number[]>

const ids: Record<string, string> = { a: 'aaaaaaaaaaaaaaaaaaaaaA', b: 'bbbbbbbbbbbbbbbbbbbbbA' }
const nameOf = (id: string): string | undefined => Object.keys(ids).find(name => ids[name] === id)

/** A fetch request of some partitions from offset `fetchOffset` on. */
function request(
  session: { id?: number; epoch: number },
  topics: Topics,
  more: { forget?: Topics; fetchOffset?: number; replicaId?: number } = {},
): FetchRequest {
  return {
    clusterId: null,
    replicaId: more.replicaId ?? -1,
    replicaState: { replicaId: -1, replicaEpoch: -1 },
    maxWaitMs: 500,
    minBytes: 1,
    maxBytes: 1_000_000,
    isolationLevel: 0,
    sessionId: session.id ?? 0,
    sessionEpoch: session.epoch,
    topics: Object.entries(topics).map(([topic, partitions]) => ({
      topic,
      topicId: ids[topic] ?? ZERO_UUID,
      partitions: partitions.map(partition => ({
        partition,
        currentLeaderEpoch: -1,
        fetchOffset: more.fetchOffset ?? 0,
        lastFetchedEpoch: -1,
        logStartOffset: -1,
        partitionMaxBytes: 1000,
        replicaDirectoryId: ZERO_UUID,
        highWatermark: -1,
      })),
    })),
    forgottenTopicsData: Object.entries(more.forget ?? {}).map(([topic, partitions]) => ({
      topic,
      topicId: ids[topic] ?? ZERO_UUID,
      partitions,
    })),
    rackId: '',
  }
}

function result(partitionIndex: number, more: Partial<FetchPartitionResult> = {}): FetchPartitionResult {
  return {
    partitionIndex,
    errorCode: 0,
    highWatermark: 0,
    lastStableOffset: 0,
    logStartOffset: 0,
    divergingEpoch: NOT_DIVERGING,
    currentLeader: UNKNOWN_LEADER,
    abortedTransactions: null,
    preferredReadReplica: -1,
    records: NO_RECORDS,
    recordBytes: 0,
    hasMore: false,
    ...more,
  }
}

const data = (partitionIndex: number, highWatermark: number): FetchPartitionResult =>
  result(partitionIndex, { highWatermark, records: [new Uint8Array(10)], recordBytes: 10 })

type Sessions = ReturnType<typeof openSessions>['sessions']

/** Opens a session over `topics` whose partitions all answered with nothing in them. */
function begin(sessions: Sessions, topics: Topics, apiVersion = 12, replicaId = -1): number {
  const context = sessions.open(request({ epoch: 0 }, topics, { replicaId }), apiVersion, nameOf)
  return context.answer(context.partitions.map(({ partition }) => result(partition))).sessionId
}

const answered = (answer: { responses: readonly { topic: string; partitions: readonly FetchPartitionResult[] }[] }) =>
  answer.responses.flatMap(({ topic, partitions }) =>
    partitions.map(({ partitionIndex }) => `${topic}-${partitionIndex}`),
  )

const names = (context: { partitions: readonly { topic: string | undefined; partition: number }[] }) =>
  context.partitions.map(({ topic, partition }) => `${topic}-${partition}`)

test('a fetch without session is answered whole and leaves nothing behind', () => {
  const { cache, sessions } = openSessions()
  const context = sessions.open(request({ epoch: -1 }, { a: [0, 1] }), 12, nameOf)
  const answer = context.answer([result(0), result(1)])
  assert.equal(answer.sessionId, 0)
  assert.deepEqual(answered(answer), ['a-0', 'a-1'])
  assert.equal(cache.size, 0)
})

test('an incremental response carries only partitions with records, an error, or moved offsets', () => {
  const { sessions } = openSessions()
  const id = begin(sessions, { a: [0, 1, 2, 3, 4] })
  const context = sessions.open(request({ id, epoch: 1 }, {}), 12, nameOf)
  assert.deepEqual(names(context), ['a-0', 'a-1', 'a-2', 'a-3', 'a-4'])
  const answer = context.answer([
    result(0),
    data(1, 5),
    fetchError(2, ErrorCode.NOT_LEADER_OR_FOLLOWER),
    result(3, { logStartOffset: 3 }),
    result(4, { highWatermark: 9 }),
  ])
  assert.equal(answer.sessionId, id)
  assert.deepEqual(answered(answer), ['a-1', 'a-2', 'a-3', 'a-4'])
})

test('a partition is answered once more when its error goes away', () => {
  const { sessions } = openSessions()
  const id = begin(sessions, { a: [0] })
  const failing = sessions.open(request({ id, epoch: 1 }, {}), 12, nameOf)
  assert.deepEqual(answered(failing.answer([fetchError(0, ErrorCode.NOT_LEADER_OR_FOLLOWER)])), ['a-0'])
  const well = sessions.open(request({ id, epoch: 2 }, {}), 12, nameOf)
  assert.deepEqual(answered(well.answer([result(0)])), ['a-0'])
  const quiet = sessions.open(request({ id, epoch: 3 }, {}), 12, nameOf)
  assert.deepEqual(answered(quiet.answer([result(0)])), [])
})

test('partitions are added, changed and forgotten by incremental requests', () => {
  const { sessions } = openSessions()
  const id = begin(sessions, { a: [0, 1] })
  const change = request({ id, epoch: 1 }, { a: [1], b: [7] }, { forget: { a: [0] }, fetchOffset: 42 })
  const context = sessions.open(change, 12, nameOf)
  assert.deepEqual(names(context), ['a-1', 'b-7'])
  assert.deepEqual(
    context.partitions.map(partition => partition.fetchOffset),
    [42, 42],
  )
})

test('a session whose last partition is forgotten is closed', () => {
  const { cache, sessions } = openSessions()
  const id = begin(sessions, { a: [0] })
  const context = sessions.open(request({ id, epoch: 1 }, {}, { forget: { a: [0] } }), 12, nameOf)
  assert.equal(context.answer([]).sessionId, 0)
  assert.equal(cache.size, 0)
})

test('a partition that gave records is read last the next time', () => {
  const { sessions } = openSessions()
  const id = begin(sessions, { a: [0, 1, 2] })
  sessions.open(request({ id, epoch: 1 }, {}), 12, nameOf).answer([data(0, 5), result(1), result(2)])
  assert.deepEqual(names(sessions.open(request({ id, epoch: 2 }, {}), 12, nameOf)), ['a-1', 'a-2', 'a-0'])
})

test('unknown sessions, wrong epochs and a change between names and ids are refused', () => {
  const { sessions } = openSessions()
  const id = begin(sessions, { a: [0] })
  const error = (session: { id: number; epoch: number }, apiVersion = 12): number =>
    sessions.open(request(session, {}), apiVersion, nameOf).answer([]).errorCode
  assert.equal(error({ id: id + 1, epoch: 1 }), ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
  assert.equal(error({ id, epoch: 2 }), ErrorCode.INVALID_FETCH_SESSION_EPOCH)
  assert.equal(error({ id, epoch: 1 }, 13), ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR)
  assert.equal(error({ id, epoch: 1 }), ErrorCode.NONE)
  assert.equal(error({ id, epoch: 1 }), ErrorCode.INVALID_FETCH_SESSION_EPOCH)
})

test('a response that was overtaken by a later request of its session is an error', () => {
  const { sessions } = openSessions()
  const id = begin(sessions, { a: [0] })
  const slow = sessions.open(request({ id, epoch: 1 }, {}), 12, nameOf)
  sessions.open(request({ id, epoch: 2 }, {}), 12, nameOf)
  assert.equal(slow.answer([data(0, 1)]).errorCode, ErrorCode.INVALID_FETCH_SESSION_EPOCH)
})

test('a full request ends the session that it names', () => {
  const { cache, sessions } = openSessions()
  const id = begin(sessions, { a: [0] })
  sessions.open(request({ id, epoch: -1 }, { a: [0] }), 12, nameOf)
  assert.equal(cache.get(id), undefined)
})

test('with topic ids a topic that becomes known later gets its name', () => {
  const { sessions } = openSessions()
  const first = sessions.open(request({ epoch: 0 }, { a: [0] }), 13, () => undefined)
  assert.equal(first.partitions[0]?.topic, undefined)
  const { sessionId: id } = first.answer([fetchError(0, ErrorCode.UNKNOWN_TOPIC_ID)])
  const next = sessions.open(request({ id, epoch: 1 }, {}), 13, nameOf)
  assert.deepEqual(names(next), ['a-0'])
})

test('a full cache gives no session to a fetch that is worth no more than the others', () => {
  const { cache, sessions } = openSessions()
  begin(sessions, { a: [0] })
  begin(sessions, { a: [0, 1] })
  assert.equal(begin(sessions, { a: [0, 1, 2] }), 0)
  assert.equal(cache.size, 2)
})

test("a follower's fetch pushes out the smallest session of a consumer", () => {
  const { cache, sessions } = openSessions()
  const small = begin(sessions, { a: [0] })
  const large = begin(sessions, { a: [0, 1] })
  assert.notEqual(begin(sessions, { a: [0] }, 12, 3), 0)
  assert.equal(cache.get(small), undefined)
  assert.notEqual(cache.get(large), undefined)
  assert.equal(cache.evictions, 1)
})

test('a session that nobody used for two minutes gives way', async () => {
  const { clock, cache, sessions } = openSessions()
  const idle = begin(sessions, { a: [0, 1, 2] })
  const busy = begin(sessions, { a: [0, 1, 2] })
  await clock.advance(119_000)
  sessions.open(request({ id: busy, epoch: 1 }, {}), 12, nameOf)
  await clock.advance(2000)
  assert.notEqual(begin(sessions, { b: [0] }), 0)
  assert.equal(cache.get(idle), undefined)
  assert.notEqual(cache.get(busy), undefined)
})

test('a larger fetch pushes out a smaller session once that is two minutes old', async () => {
  const { clock, cache, sessions } = openSessions()
  const old = begin(sessions, { a: [0] })
  const other = begin(sessions, { a: [0, 1, 2] })
  await clock.advance(121_000)
  sessions.open(request({ id: old, epoch: 1 }, {}), 12, nameOf)
  sessions.open(request({ id: other, epoch: 1 }, {}), 12, nameOf)
  assert.notEqual(begin(sessions, { b: [0, 1] }), 0)
  assert.equal(cache.get(old), undefined)
})

test('no session grows beyond the partitions it may have', () => {
  const { cache, sessions } = openSessions({ maxPartitionsPerSession: 3 })
  assert.equal(begin(sessions, { a: [0, 1, 2, 3] }), 0)
  const id = begin(sessions, { a: [0, 1] })
  const grown = sessions.open(request({ id, epoch: 1 }, { b: [0, 1] }), 12, nameOf)
  assert.equal(grown.answer([]).errorCode, ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
  assert.equal(cache.partitions, 0)
})
