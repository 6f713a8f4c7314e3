import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryNetwork, SimulatedClock, seededRandom } from '../platform/index.ts'
import { KafkaError } from '../protocol/index.ts'
import type { AdminOptions } from './admin/admin.ts'
import { adminConfig } from './admin/admin-config.ts'
import { clusterSettings, readOptions } from './client-options.ts'
import { Cluster } from './cluster.ts'

test('nothing is tried once more when the time is over after a pause', async () => {
  const clock = new SimulatedClock()
  const platform = { clock, network: new MemoryNetwork(clock), random: seededRandom(1) }
  const options: AdminOptions = { bootstrapServers: 'broker:1', retryBackoffMs: 100, retryBackoffMaxMs: 100, platform }
  const { config, parts } = readOptions(adminConfig, options)
  const cluster = new Cluster(clusterSettings(config, parts, false))
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
