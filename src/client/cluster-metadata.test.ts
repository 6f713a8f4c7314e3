import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode } from '../protocol/index.ts'
import { ClusterMetadata } from './cluster-metadata.ts'

const orders = { topic: 'orders', partition: 0 }
const known = { partition: 0, leader: 1, leaderEpoch: 4, replicas: [1, 2], isr: [1, 2], offlineReplicas: [] }
const metadata = new ClusterMetadata({
  controllerId: 1,
  brokers: [1, 2].map(id => ({ id, host: `b${id}`, port: 9092, rack: null })),
  topics: new Map([['orders', { name: 'orders', id: 'x', isInternal: false, partitions: [known] }]]),
  failures: new Map(),
})
const third = { nodeId: 3, host: 'b3', port: 9092, rack: 'r' }

test('a leader of a later epoch is taken over, one that is known and one that comes with its address', () => {
  const second = metadata.withLeader(orders, { leaderId: 2, leaderEpoch: 5 }, [])
  assert.deepEqual(second?.partition('orders', 0), { ...known, leader: 2, leaderEpoch: 5 })
  assert.equal(second?.controllerId, 1)
  const moved = metadata.withLeader(orders, { leaderId: 3, leaderEpoch: 5 }, [third])
  assert.equal(moved?.partition('orders', 0)?.leader, 3)
  assert.deepEqual(moved?.brokers.get(3), { id: 3, host: 'b3', port: 9092, rack: 'r' })
  assert.equal(metadata.partition('orders', 0)?.leader, 1)
})

test('what is no news, or does not say where the leader is, is not believed', () => {
  for (const [place, leaderId, leaderEpoch] of [
    [orders, 2, 4],
    [orders, 2, 3],
    [orders, -1, -1],
    [orders, 9, 9],
    [{ topic: 'orders', partition: 1 }, 2, 9],
    [{ topic: 'others', partition: 0 }, 2, 9],
  ] as const) {
    assert.equal(metadata.withLeader(place, { leaderId, leaderEpoch }, [third]), undefined)
  }
})

test('a broker that lags takes no leader back, but one that tells of a topic made anew is believed', () => {
  const answer = (topicId: string, leaderEpoch: number) => {
    const partition = {
      partitionIndex: 0,
      leaderId: 2,
      leaderEpoch,
      replicaNodes: [],
      isrNodes: [],
      offlineReplicas: [],
    }
    const topic = { errorCode: ErrorCode.NONE, name: 'orders', topicId, isInternal: false }
    const topics = [{ ...topic, partitions: [{ errorCode: ErrorCode.NONE, ...partition }] }]
    return { brokers: [], clusterId: null, controllerId: 1, topics }
  }
  const leaderAfter = (topicId: string, leaderEpoch: number): number | undefined => {
    const told = answer(topicId, leaderEpoch) as unknown as Parameters<ClusterMetadata['updated']>[0]
    const updated = metadata.updated(told, ['orders'])
    return updated.partition('orders', 0)?.leader
  }
  assert.equal(leaderAfter('x', 3), 1)
  assert.equal(leaderAfter('x', 4), 2)
  assert.equal(leaderAfter('x', -1), 2, 'brokers that tell no epochs')
  assert.equal(leaderAfter('y', 0), 2)
})
