import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryDisk, SimulatedClock } from '../platform/index.ts'
import { NOW_MS, openController, openStore } from './controller.fixture.ts'
import { UpgradeType } from './index.ts'

const FEATURE = 'transaction.version'

async function open(disk: MemoryDisk) {
  const store = await openStore(disk, new SimulatedClock(NOW_MS))
  const opened = await openController({ store, join: { endpoints: [] } })
  const znode = async () => Buffer.from((await opened.zooKeeper.getData('/feature')).data ?? []).toString()
  return { ...opened, znode }
}

test('a finalized feature is in the znode as Kafka 3.9 writes it, and kept through a restart', async () => {
  const disk = new MemoryDisk()
  const before = await open(disk)
  assert.equal(await before.znode(), '{"features":{},"version":2,"status":1}')
  const raise = { feature: FEATURE, maxVersionLevel: 2, upgradeType: UpgradeType.UPGRADE }
  assert.deepEqual(await before.controller.updateFeatures([raise]), [
    { feature: FEATURE, errorCode: 0, errorMessage: null },
  ])
  assert.equal(
    await before.znode(),
    '{"features":{"transaction.version":{"max_version_level":2}},"version":2,"status":1}',
  )
  await before.store.close()
  const { controller, metadata, znode } = await open(disk)
  assert.equal(metadata.image().featureLevel(FEATURE), 2)
  assert.equal(metadata.image().features.epoch, 1)
  const lower = { feature: FEATURE, maxVersionLevel: 0, upgradeType: UpgradeType.SAFE_DOWNGRADE }
  await controller.updateFeatures([lower])
  assert.equal(await znode(), '{"features":{},"version":2,"status":1}')
  assert.deepEqual(metadata.image().features, { epoch: 2, levels: new Map() })
})

test('each feature of a request succeeds or fails by itself', async () => {
  const { controller, metadata } = await open(new MemoryDisk())
  const results = await controller.updateFeatures([
    { feature: 'metadata.version', maxVersionLevel: 1, upgradeType: UpgradeType.UPGRADE },
    { feature: FEATURE, maxVersionLevel: 1, upgradeType: UpgradeType.UPGRADE },
    { feature: '', maxVersionLevel: 1, upgradeType: UpgradeType.UPGRADE },
  ])
  assert.deepEqual(
    results.map(({ errorCode }) => errorCode === 0),
    [false, true, false],
  )
  assert.deepEqual([...metadata.image().features.levels], [[FEATURE, 1]])
})
