import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../platform/index.ts'
import type { Cluster } from '../cluster.ts'
import { ClusterMetadata, type PartitionInfo } from '../cluster-metadata.ts'
import type { ProducerSettings } from './producer-settings.ts'
import { TopicQueues } from './topic-queues.ts'

/** The picture of a cluster in which the topic has so many partitions; 0 where it is not known. */
function metadataOf(id: string, count: number): ClusterMetadata {
  const partitions = Array.from(
    { length: count },
    (_, partition): PartitionInfo => ({
      partition,
      leader: 1,
      leaderEpoch: 0,
      replicas: [1],
      isr: [1],
      offlineReplicas: [],
    }),
  )
  const topic = { name: 'orders', id, isInternal: false, partitions }
  const topics = new Map(count === 0 ? [] : [[topic.name, topic] as const])
  return new ClusterMetadata({ brokers: [], topics, failures: new Map() })
}

test('records go to partitions that their topic has, also when it was made anew with fewer', () => {
  const cluster = { metadata: metadataOf('one', 8) }
  const settings = { batchBytes: 1, isAdaptive: false, ignoresKeys: false } as ProducerSettings
  const parts = { cluster: cluster as unknown as Cluster, settings, partitioner: undefined, random: seededRandom(1) }
  const queues = new TopicQueues('orders', parts)
  const chosen = (): number[] =>
    Array.from({ length: 50 }, (_, key) => queues.queueFor({ key: `${key}` }, `${key}`, null).partition)
  assert.ok(Math.max(...chosen()) === 7)
  cluster.metadata = metadataOf('none', 0)
  assert.ok(Math.max(...chosen()) === 7)
  cluster.metadata = metadataOf('two', 3)
  assert.ok(Math.max(...chosen()) === 2)
  assert.throws(() => queues.queueFor({ partition: 5 }, null, null), { code: 'UNKNOWN_TOPIC_OR_PARTITION' })
})
