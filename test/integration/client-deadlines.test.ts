import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect } from '../../src/client/index.ts'
import { startCluster, type TestCluster } from '../../src/testing/index.ts'

const TIMED_OUT = { code: 'REQUEST_TIMED_OUT' }
const SHORT = { timeoutMs: 50 }

/** Has the broker never answer an API. A client that waited for that would wait longer than any test. */
function silence(cluster: TestCluster, api: string): void {
  cluster.control(api, () => new Promise<undefined>(() => undefined))
}

const neverGivesUp = (cluster: TestCluster) =>
  connect({ bootstrapServers: cluster.bootstrapServers, requestTimeoutMs: 3_600_000 })

test('a consumer waits for offsets and commits no longer than it is told, though the broker never answers', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using consumer = neverGivesUp(cluster).consumer({ groupId: 'billing', enableAutoCommit: false })
  const place = { topic: 'orders', partition: 0 }
  consumer.assign([{ ...place, offset: 0 }])
  for (const api of ['ListOffsets', 'OffsetFetch', 'OffsetCommit']) silence(cluster, api)
  await assert.rejects(consumer.endOffsets([place], SHORT), TIMED_OUT)
  await assert.rejects(consumer.committed([place], SHORT), TIMED_OUT)
  await assert.rejects(consumer.commit([{ ...place, offset: 0 }], SHORT), TIMED_OUT)
})

test('a send waits for the metadata of its topic no longer than max.block.ms, though the broker never answers', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  silence(cluster, 'Metadata')
  await using producer = neverGivesUp(cluster).producer({ maxBlockMs: 50 })
  await assert.rejects(producer.send('orders', { value: 'x' }), TIMED_OUT)
})
