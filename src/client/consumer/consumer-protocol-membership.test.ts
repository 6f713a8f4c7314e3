import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedClock, seededRandom, silentLogger } from '../../platform/index.ts'
import type { Cluster } from '../cluster.ts'
import { partitionKey } from '../topic-partition.ts'
import { ConsumerProtocolMembership } from './consumer-protocol-membership.ts'
import { membershipSettings } from './membership.fixture.ts'
import type { Member } from './membership.ts'

const TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ'
const INTERVAL_MS = 1_000

/** A member of a group in which it is to read one partition, and what it was told to do. */
function soleMember({ heartbeatIntervalMs = INTERVAL_MS } = {}) {
  const clock = new SimulatedClock()
  const happened: string[] = []
  const heartbeats: number[] = []
  const known = { topics: [{ id: TOPIC_ID, name: 'orders' }] }
  const cluster = {
    settings: { clock, random: seededRandom(1), retryBackoffMs: 100, retryBackoffMaxMs: 1_000, logger: silentLogger },
    get metadata() {
      return known
    },
    refresh: async () => known,
    coordinatorOf: async () => 0,
    coordinatorMoved: () => {},
    request: async () => {
      heartbeats.push(clock.monotonicMs())
      const assignment = { topicPartitions: [{ topicId: TOPIC_ID, partitions: [0] }] }
      return { errorCode: 0, memberEpoch: 1, heartbeatIntervalMs, assignment }
    },
  } as unknown as Cluster
  const member: Member = {
    topics: async () => ['orders'],
    pattern: () => undefined,
    owned: () => [],
    revoke: async partitions => void happened.push(`revoked ${partitions.map(partitionKey)}`),
    lost: partitions => void happened.push(`lost ${partitions.map(partitionKey)}`),
    assign: partitions => void happened.push(`assigned ${partitions.map(partitionKey)}`),
    failed: error => assert.fail(error),
  }
  const settings = membershipSettings(cluster, INTERVAL_MS)
  return { clock, happened, heartbeats, known, membership: new ConsumerProtocolMembership(settings, member) }
}

test('a member keeps what the coordinator gave it while the metadata does not know the topic', async () => {
  const { clock, happened, known, membership } = soleMember()
  membership.start()
  await clock.advance(2 * INTERVAL_MS)
  known.topics = []
  await clock.advance(2 * INTERVAL_MS)
  await membership.leave()
  assert.deepEqual(happened, ['assigned orders:0'])
})

test('a coordinator that wants heartbeats without a pause gets them as often as without its word', async () => {
  const { clock, heartbeats, membership } = soleMember({ heartbeatIntervalMs: 0 })
  membership.start()
  await clock.advance(10 * INTERVAL_MS)
  await membership.leave()
  assert.ok(heartbeats.length >= 10 && heartbeats.length <= 13, `${heartbeats}`)
})
