import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryNetwork, SimulatedClock, seededRandom } from '../platform/index.ts'
import { KafkaError } from '../protocol/index.ts'
import type { AdminOptions } from './admin/admin.ts'
import { adminConfig } from './admin/admin-config.ts'
import { clusterSettings, readOptions } from './client-options.ts'
import { Cluster } from './cluster.ts'

/** A cluster that nobody answers, and the time that it lives in. */
function lonely() {
  const clock = new SimulatedClock()
  const platform = { clock, network: new MemoryNetwork(clock), random: seededRandom(1) }
  const options: AdminOptions = { bootstrapServers: 'broker:1', retryBackoffMs: 100, retryBackoffMaxMs: 100, platform }
  const { config, parts } = readOptions(adminConfig, options)
  return { clock, cluster: new Cluster(clusterSettings(config, parts, false)) }
}

test('who waits to try again when the client is closed waits no longer', async () => {
  const { clock, cluster } = lonely()
  const tried = cluster.retrying('the work', cluster.patience({ timeoutMs: 5_000 }), async () => {
    throw new KafkaError('COORDINATOR_LOAD_IN_PROGRESS', 'still loading')
  })
  const refused = assert.rejects(tried, { code: 'OPERATION_NOT_ATTEMPTED', message: 'the client is closed' })
  await new Promise(resolve => setImmediate(resolve))
  cluster.close()
  await clock.advance(10_000)
  await refused
})

test('nothing is tried once more when the time is over after a pause', async () => {
  const { clock, cluster } = lonely()
  const triedAtMs: number[] = []
  const tried = cluster.retrying('the work', cluster.patience({ timeoutMs: 50 }), async () => {
    triedAtMs.push(clock.monotonicMs())
    throw new KafkaError('COORDINATOR_LOAD_IN_PROGRESS', 'still loading')
  })
  const refused = assert.rejects(tried, { code: 'REQUEST_TIMED_OUT', message: /the work.*50 ms.*still loading/ })
  await clock.advance(1_000)
  await refused
  assert.deepEqual(triedAtMs, [0])
})
