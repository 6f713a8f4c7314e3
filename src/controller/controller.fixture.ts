/** Controllers over a metadata store in memory, for the tests of this layer. */
import { BrokerConfig, DynamicBrokerConfig } from '../config/broker.ts'
import { MetadataCache, type MetadataPreparer } from '../metadata/index.ts'
import { MemoryDisk, SimulatedClock, seededRandom, silentLogger } from '../platform/index.ts'
import { EmbeddedZooKeeper } from '../zookeeper/index.ts'
import { Controller, type JoinOptions, type RequestedTopic } from './index.ts'

export const NOW_MS = 1_700_000_000_000

export const JOIN: JoinOptions = {
  endpoints: [{ listener: 'PLAINTEXT', securityProtocol: 'PLAINTEXT', host: '127.0.0.1', port: 9092 }],
  rack: null,
}

/** A metadata store in memory. */
export async function openStore(disk = new MemoryDisk(), clock = new SimulatedClock(NOW_MS)) {
  return EmbeddedZooKeeper.open({ disk, clock, logger: silentLogger, directory: '/zk' })
}

/** A broker's controller that has joined; over a store of its own where none is given. */
export async function openController(
  options: {
    readonly store?: EmbeddedZooKeeper
    readonly brokerId?: number
    readonly properties?: Record<string, string>
    readonly join?: Partial<JoinOptions>
    readonly clock?: SimulatedClock
    readonly onPrepare?: MetadataPreparer
  } = {},
) {
  const store = options.store ?? (await openStore())
  const brokerId = options.brokerId ?? 0
  const zooKeeper = store.connect()
  const metadata = new MetadataCache()
  if (options.onPrepare) metadata.onPrepare(options.onPrepare)
  const clock = options.clock ?? new SimulatedClock(NOW_MS)
  const config = new DynamicBrokerConfig(
    BrokerConfig.load({ 'broker.id': String(brokerId), 'zookeeper.connect': 'x:1', ...options.properties }),
  )
  const parts = { zooKeeper, metadata, config, brokerId, clock, random: seededRandom(5), logger: silentLogger }
  const controller = await Controller.open(parts)
  const registration = await controller.start({ ...JOIN, ...options.join })
  return { store, zooKeeper, metadata, config, controller, registration, clock }
}

/** A topic of one partition, unless told otherwise. */
export const topic = (name: string, more: Partial<RequestedTopic> = {}): RequestedTopic => ({
  name,
  numPartitions: 1,
  replicationFactor: 1,
  assignments: [],
  configs: [],
  ...more,
})
