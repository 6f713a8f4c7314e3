import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedClock, seededRandom, silentLogger } from '../../platform/index.ts'
import { ErrorCode, encodeWithVersion, KafkaError } from '../../protocol/index.ts'
import { ConsumerProtocolAssignment } from '../../protocol/messages/data/consumer-protocol.ts'
import type { Cluster } from '../cluster.ts'
import { partitionKey, type TopicPartition } from '../topic-partition.ts'
import { cooperativeStickyAssignor } from './assignors/sticky-assignors.ts'
import { GroupMembership } from './group-membership.ts'
import { membershipSettings } from './membership.fixture.ts'
import type { Member } from './membership.ts'

const INTERVAL_MS = 1_000
const ROUND_MS = 100

/** A follower in a cooperative group that gives it `given`, and what it was told to do. */
function follower() {
  const clock = new SimulatedClock()
  const happened: string[] = []
  const state = {
    given: [0, 1],
    generationId: 1,
    heartbeats: 0,
    /** What the next heartbeat comes to. */
    heartbeat: async (): Promise<object> => ({ errorCode: ErrorCode.NONE }),
    /** Resolves when the program has let go. */
    letGo: Promise.resolve(),
  }
  const answers: Record<string, () => Promise<object>> = {
    JoinGroup: async () => ({
      errorCode: 0,
      memberId: 'ours',
      leader: 'theirs',
      generationId: state.generationId,
      protocolName: 'cooperative-sticky',
      members: [],
    }),
    SyncGroup: async () => ({
      errorCode: 0,
      assignment: encodeWithVersion(ConsumerProtocolAssignment, 0, {
        assignedPartitions: [{ topic: 'orders', partitions: state.given }],
      }),
    }),
    Heartbeat: () => {
      state.heartbeats += 1
      return state.heartbeat()
    },
    LeaveGroup: async () => ({ errorCode: 0, members: [] }),
  }
  const cluster = {
    settings: {
      clock,
      random: seededRandom(1),
      retryBackoffMs: ROUND_MS,
      retryBackoffMaxMs: ROUND_MS,
      requestTimeoutMs: 30_000,
      logger: silentLogger,
    },
    patience: () => ({ pause: (delayMs: number) => new Promise<void>(done => clock.schedule(delayMs, done)) }),
    coordinatorOf: async () => 0,
    coordinatorMoved: () => {},
    withCoordinator: (_: string, _key: string, _what: object, attempt: (broker: number) => unknown) => attempt(0),
    request: (_: object, { request }: { readonly request: { readonly name: string } }) => answers[request.name]!(),
  } as unknown as Cluster
  let owned: TopicPartition[] = []
  const member: Member = {
    topics: async () => ['orders'],
    pattern: () => undefined,
    owned: () => owned,
    revoke: async partitions => {
      happened.push(`revoked ${partitions.map(partitionKey)}`)
      await state.letGo
      const gone = new Set(partitions.map(partitionKey))
      owned = owned.filter(one => !gone.has(partitionKey(one)))
    },
    lost: partitions => {
      happened.push(`lost ${partitions.map(partitionKey)}`)
      owned = []
    },
    assign: partitions => {
      happened.push(`assigned ${partitions.map(partitionKey)}`)
      owned = [...owned, ...partitions]
    },
    failed: error => assert.fail(error),
  }
  const settings = membershipSettings(cluster, INTERVAL_MS, [cooperativeStickyAssignor])
  const membership = new GroupMembership(settings, member)
  return { clock, happened, membership, state }
}

for (const [end, outcome] of [
  ['is answered', { errorCode: ErrorCode.NONE }],
  ['fails', new KafkaError('NETWORK_EXCEPTION', 'gone')],
] as const) {
  test(`a heartbeat that ${end} after the member has joined again adds none to those that follow`, async () => {
    const { clock, membership, state } = follower()
    membership.start()
    await clock.advance(ROUND_MS)
    let answer = (): void => undefined
    state.heartbeat = () =>
      new Promise((resolve, reject) => {
        answer = () => (outcome instanceof Error ? reject(outcome) : resolve(outcome))
      })
    await clock.advance(INTERVAL_MS)
    assert.equal(state.heartbeats, 1)
    state.heartbeat = async () => ({ errorCode: ErrorCode.NONE })
    membership.rejoin()
    await clock.advance(ROUND_MS)
    answer()
    await clock.advance(10 * INTERVAL_MS)
    assert.ok(state.heartbeats <= 11, `${state.heartbeats}`)
    await membership.leave()
    const before = state.heartbeats
    await clock.advance(10 * INTERVAL_MS)
    assert.equal(state.heartbeats, before)
    assert.equal(clock.pendingTimers, 0)
  })
}

test('a member that the group forgot while it let go of partitions takes none of what it was given before', async () => {
  const { clock, happened, membership, state } = follower()
  membership.start()
  await clock.advance(ROUND_MS)
  let letGo = (): void => undefined
  state.letGo = new Promise(resolve => {
    letGo = resolve
  })
  Object.assign(state, { given: [0, 2], generationId: 2 })
  membership.rejoin()
  await clock.advance(ROUND_MS)
  state.heartbeat = async () => ({ errorCode: ErrorCode.UNKNOWN_MEMBER_ID })
  await clock.advance(INTERVAL_MS)
  Object.assign(state, { given: [3], generationId: 3 })
  letGo()
  await clock.advance(ROUND_MS)
  await membership.leave()
  assert.deepEqual(happened, [
    'assigned orders:0,orders:1',
    'revoked orders:1',
    'lost orders:0,orders:1',
    'assigned orders:3',
  ])
})
