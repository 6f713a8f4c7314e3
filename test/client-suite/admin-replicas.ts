import assert from 'node:assert/strict'
import { eventually, failsWith, type Scenario, type SuiteCluster } from './suite.ts'

const LACKS_REASSIGNMENTS = 'Monedula serves no reassignments: there is one broker'

async function election(cluster: SuiteCluster): Promise<void> {
  const topic = await cluster.topic()
  await using admin = cluster.kafka.admin()
  await admin.electLeaders('preferred', [{ topic, partition: 0 }])
  await admin.electLeaders('preferred')
  await assert.rejects(
    admin.electLeaders('preferred', [{ topic: 'none', partition: 0 }]),
    failsWith('UNKNOWN_TOPIC_OR_PARTITION', 'none-0'),
  )
}

async function reassignment(cluster: SuiteCluster): Promise<void> {
  const place = { topic: await cluster.topic(), partition: 0 }
  const key = `${place.topic}-0`
  await using admin = cluster.kafka.admin()
  await admin.alterPartitionReassignments([{ ...place, replicas: [0] }])
  assert.deepEqual(await admin.listPartitionReassignments([place]), [])
  assert.deepEqual(await admin.listPartitionReassignments(), [])
  const alter = (replicas: readonly number[] | null) => admin.alterPartitionReassignments([{ ...place, replicas }])
  await assert.rejects(alter([7]), failsWith('INVALID_REPLICA_ASSIGNMENT', key))
  await assert.rejects(alter(null), failsWith('NO_REASSIGNMENT_IN_PROGRESS', key))
  await assert.rejects(
    admin.alterPartitionReassignments([{ topic: 'none', partition: 0, replicas: [0] }]),
    failsWith('UNKNOWN_TOPIC_OR_PARTITION', 'none-0'),
  )
}

async function directories(cluster: SuiteCluster): Promise<void> {
  const topic = await cluster.topic()
  await cluster.publish(topic, { count: 100 })
  const replica = { topic, partition: 0, broker: 0 }
  await using admin = cluster.kafka.admin()
  const where = async () => (await admin.describeReplicaLogDirs([replica]))[0]
  const paths = (await admin.describeLogDirs([0])).map(({ path }) => path)
  const current = (await where())?.current?.path
  const other = paths.find(path => path !== current)
  assert.ok(current !== undefined && other !== undefined, paths.join())
  await admin.alterReplicaLogDirs([{ ...replica, path: other }])
  await eventually(
    async () => JSON.stringify(await where()),
    JSON.stringify({
      ...replica,
      current: { path: other, offsetLag: 0 },
    }),
  )
  assert.equal((await cluster.values(topic, 100)).length, 100)
  const nowhere = admin.alterReplicaLogDirs([{ ...replica, path: '/nowhere' }])
  await assert.rejects(nowhere, failsWith('LOG_DIR_NOT_FOUND', `${topic}-0 on broker 0`))
  const none = { ...replica, topic: cluster.name('none') }
  assert.deepEqual(await admin.describeReplicaLogDirs([none]), [{ ...none, current: undefined, future: undefined }])
}

async function features(cluster: SuiteCluster): Promise<void> {
  await using admin = cluster.kafka.admin()
  const { finalized, supported, finalizedEpoch } = await admin.describeFeatures()
  if (cluster.target !== 'kafka43') {
    assert.deepEqual(finalized, [])
    return
  }
  const version = finalized.find(({ feature }) => feature === 'metadata.version')
  const able = supported.find(({ feature }) => feature === 'metadata.version')
  assert.ok(version && able && finalizedEpoch !== undefined)
  assert.ok(version.maxVersionLevel <= able.maxVersionLevel)
}

async function featureUpdates(cluster: SuiteCluster): Promise<void> {
  await using admin = cluster.kafka.admin()
  const before = await admin.describeFeatures()
  const unknown = admin.updateFeatures([{ feature: 'teleportation', maxVersionLevel: 1 }])
  const isKRaft = cluster.target === 'kafka43'
  await assert.rejects(unknown, { code: isKRaft ? 'INVALID_UPDATE_VERSION' : 'INVALID_REQUEST' })
  if (isKRaft) {
    const update = { feature: 'transaction.version', maxVersionLevel: 1, type: 'safe-downgrade' } as const
    await admin.updateFeatures([update], { validateOnly: true })
  }
  assert.deepEqual((await admin.describeFeatures()).finalized, before.finalized)
}

export const adminReplicaScenarios: readonly Scenario[] = [
  { name: 'electing the leader that leads already is no failure, a partition that is not there is', run: election },
  {
    name: 'partitions are reassigned, what is under way is listed, and what cannot be is named',
    lacking: { monedula: LACKS_REASSIGNMENTS },
    run: reassignment,
  },
  { name: 'a replica moves to another log directory with its records', run: directories },
  { name: 'features are described', run: features },
  {
    name: 'a feature that is not there is refused, and a trial changes none',
    run: featureUpdates,
  },
]
