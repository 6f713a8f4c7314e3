import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KafkaError } from '../../protocol/index.ts'
import type { Cluster } from '../cluster.ts'
import { partitionKey } from '../topic-partition.ts'
import { AssignedPartition } from './assigned-partition.ts'
import { StartingPositions } from './starting-positions.ts'

test('a partition whose beginning the program named is looked for again when the cluster was not heard of in time', async () => {
  const partition = new AssignedPartition({ topic: 'orders', partition: 0 })
  const late = new KafkaError('REQUEST_TIMED_OUT', 'finding where to begin was not done in time')
  const cluster = { patience: () => ({}), retrying: () => Promise.reject(late) } as unknown as Cluster
  const wokenWhilePositioning: boolean[] = []
  const positions = new StartingPositions({
    cluster,
    reader: () => undefined,
    policy: 'latest',
    isCommitted: false,
    partitions: new Map([[partitionKey(partition), partition]]),
    found: () => wokenWhilePositioning.push(partition.isPositioning),
    stuck: (_, error) => assert.fail(error),
    failed: error => assert.fail(error),
  })
  const finding = positions.find()
  partition.seek(5)
  await finding
  assert.deepEqual(wokenWhilePositioning, [false])
})
