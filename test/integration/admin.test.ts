import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect } from '../../src/client/index.ts'
import { startCluster } from '../../src/testing/index.ts'

test('a call goes on over a refusal that passes and a broken connection', async () => {
  await using cluster = await startCluster()
  await using admin = connect(cluster.bootstrapServers).admin()
  cluster.failNext('CreateTopics', 'NOT_CONTROLLER')
  await admin.createTopics([{ name: 'orders' }])
  cluster.disconnectNext('DeleteTopics')
  await admin.deleteTopics(['orders'])
  assert.deepEqual(await admin.listTopics(), [])
})

test('a call ends by its time, and by its signal', async () => {
  await using cluster = await startCluster()
  await using admin = connect(cluster.bootstrapServers).admin()
  cluster.failNext('CreateTopics', 'NOT_CONTROLLER', { times: Number.POSITIVE_INFINITY })
  await assert.rejects(admin.createTopics([{ name: 'orders' }], { timeoutMs: 50 }), { code: 'REQUEST_TIMED_OUT' })
  const signal = AbortSignal.abort(new Error('enough'))
  await assert.rejects(admin.listTopics({ signal }), /enough/)
})
