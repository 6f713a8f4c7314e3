/** What becomes of the marks in `/admin/delete_topics`. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BrokerConfig, DynamicBrokerConfig } from '../config/broker.ts'
import { MetadataCache, ZnodePath } from '../metadata/index.ts'
import { MemoryDisk, SimulatedClock, seededRandom, silentLogger } from '../platform/index.ts'
import { ZERO_UUID } from '../protocol/index.ts'
import { EmbeddedZooKeeper } from '../zookeeper/index.ts'
import { Controller, type JoinOptions, type RequestedTopic } from './index.ts'

const JOIN: JoinOptions = {
  endpoints: [{ listener: 'PLAINTEXT', securityProtocol: 'PLAINTEXT', host: '127.0.0.1', port: 9092 }],
  rack: null,
}

async function openStore(disk = new MemoryDisk(), clock = new SimulatedClock(1_700_000_000_000)) {
  return EmbeddedZooKeeper.open({ disk, clock, logger: silentLogger, directory: '/zk' })
}

async function open(
  options: {
    readonly store?: EmbeddedZooKeeper
    readonly brokerId?: number
    readonly properties?: Record<string, string>
    readonly join?: Partial<JoinOptions>
  } = {},
) {
  const store = options.store ?? (await openStore())
  const brokerId = options.brokerId ?? 0
  const zooKeeper = store.connect()
  const metadata = new MetadataCache()
  const clock = new SimulatedClock(1_700_000_000_000)
  const config = new DynamicBrokerConfig(
    BrokerConfig.load({ 'broker.id': String(brokerId), 'zookeeper.connect': 'x:1', ...options.properties }),
  )
  const random = seededRandom(5)
  const controller = await Controller.open({
    zooKeeper,
    metadata,
    config,
    brokerId,
    clock,
    random,
    logger: silentLogger,
  })
  const registration = await controller.start({ ...JOIN, ...options.join })
  return { store, zooKeeper, metadata, config, controller, registration, clock }
}

const topic = (name: string, more: Partial<RequestedTopic> = {}): RequestedTopic => ({
  name,
  numPartitions: 1,
  replicationFactor: 1,
  assignments: [],
  configs: [],
  ...more,
})

test('a deletion stays marked until all is done that follows from it', async () => {
  const { controller, metadata, zooKeeper } = await open()
  await controller.createTopics([topic('a')])
  let wasMarked = false
  metadata.onPrepare(async () => {
    wasMarked = (await zooKeeper.exists(ZnodePath.deleteTopic('a'))) !== undefined
  })
  await controller.deleteTopics([{ name: 'a', topicId: ZERO_UUID }])
  assert.ok(wasMarked)
  assert.equal(await zooKeeper.exists(ZnodePath.deleteTopic('a')), undefined)
})

test('a topic made anew is not the one that a mark left behind was meant for', async () => {
  const store = await openStore()
  const { controller, zooKeeper } = await open({ store })
  await zooKeeper.create(ZnodePath.deleteTopic('a'), null, { mode: 'persistent' })
  await controller.createTopics([topic('a')])
  await zooKeeper.close()
  const next = await open({ store })
  assert.ok(next.metadata.image().topic('a'))
})
