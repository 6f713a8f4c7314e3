import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryNetwork, SimulatedClock, seededRandom } from '../platform/index.ts'
import { KafkaError } from '../protocol/index.ts'
import type { AdminOptions } from './admin/admin.ts'
import { adminConfig } from './admin/admin-config.ts'
import { clusterSettings, readOptions } from './client-options.ts'
import { Cluster } from './cluster.ts'
import { type Script, ScriptedBroker } from './scripted-broker.fixture.ts'

/** A cluster that nobody answers, and the time that it lives in. */
function lonely() {
  const clock = new SimulatedClock()
  return { clock, cluster: clusterIn(new MemoryNetwork(clock), clock, 1) }
}

function clusterIn(network: MemoryNetwork, clock: SimulatedClock, port: number): Cluster {
  const platform = { clock, network, random: seededRandom(1) }
  const bootstrapServers = `broker:${port}`
  const options: AdminOptions = { bootstrapServers, retryBackoffMs: 100, retryBackoffMaxMs: 100, platform }
  const { config, parts } = readOptions(adminConfig, options)
  return new Cluster(clusterSettings(config, parts, false))
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

test('a topic that is not there is said not to be, and nobody asks for it after that but who wants it, too', async () => {
  const clock = new SimulatedClock()
  let asked: readonly string[] = []
  const broker: ScriptedBroker = await ScriptedBroker.start(clock, ({ body }) => {
    asked = (body.topics as { readonly name: string }[]).map(({ name }) => name)
    const brokers = [{ nodeId: 1, host: 'broker', port: broker.port }]
    return { brokers, topics: asked.map(name => ({ name, errorCode: 3 })) }
  })
  const cluster = clusterIn(broker.network, clock, broker.port)
  const refreshed = cluster.refresh(['orders'])
  await clock.advance(100)
  await refreshed
  for (const topic of ['orders', 'bills', 'letters']) {
    const looked = cluster.topic(topic, cluster.patience({ timeoutMs: 250 }))
    // Who begins to want it meanwhile goes on wanting it.
    if (topic === 'letters') void cluster.refresh([topic])
    const refused = assert.rejects(looked, {
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
      message: `topic ${topic} does not exist, nor came to be within 250 ms`,
    })
    await clock.advance(1_000)
    await refused
    assert.ok(asked.includes(topic))
  }
  const again = cluster.refresh()
  await clock.advance(100)
  await again
  assert.deepEqual(asked, ['orders', 'letters'])
  cluster.close()
})

const FIRST = 1
const LATER = 2

/** A cluster whose first broker answers FindCoordinator and Metadata as `script` says. */
async function scripted(script: Script) {
  const clock = new SimulatedClock()
  const { network, port } = await ScriptedBroker.start(clock, script)
  return { clock, port, cluster: clusterIn(network, clock, port) }
}

/** Metadata that names the first broker alone, and a leader of `orders`. */
const picture = (port: number, leaderId: number, leaderEpoch: number) => ({
  brokers: [{ nodeId: FIRST, host: 'broker', port, rack: null }],
  controllerId: FIRST,
  topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, leaderId, leaderEpoch }] }],
})

test('a leader that no broker names is looked for again, also where the one who lags names the leader of before', async () => {
  let asked = 0
  let at = 0
  const { clock, port, cluster } = await scripted(() => {
    asked += 1
    const { brokers, ...rest } = picture(at, asked === 1 ? LATER : FIRST, asked === 1 ? 5 : 4)
    const later = { nodeId: LATER, host: 'later', port: 1, rack: null }
    return { ...rest, brokers: asked === 1 ? [...brokers, later] : brokers }
  })
  at = port
  for (const _ of ['a broker of now', 'one that lags']) {
    const known = cluster.refresh(['orders'])
    await clock.advance(100)
    await known
  }
  const leader = () => cluster.leaderOf('orders', 0)
  assert.throws(leader, { code: 'LEADER_NOT_AVAILABLE', retriable: true, message: /^broker 2, the leader of orders-0/ })
  cluster.close()
})

test('a coordinator that no broker names is looked for again', async () => {
  let at = 0
  const { clock, port, cluster } = await scripted(({ name }) =>
    name === 'FindCoordinator'
      ? { coordinators: [{ key: 'g', nodeId: LATER, host: 'later', port: 1, errorCode: 0, errorMessage: null }] }
      : picture(at, FIRST, 4),
  )
  at = port
  const code = {
    code: 'COORDINATOR_NOT_AVAILABLE',
    retriable: true,
    message: /^broker 2, the coordinator of the group g/,
  }
  const refused = assert.rejects(cluster.coordinatorOf('group', 'g'), code)
  await clock.advance(100)
  await refused
  cluster.close()
})
