/**
 * The metadata store's directory is a ZooKeeper's: a real ZooKeeper starts on it, a real Kafka on what is in there, and
 * the store on what both have left.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { BrokerConfig, DynamicBrokerConfig } from '../../src/config/broker.ts'
import { Controller } from '../../src/controller/index.ts'
import { MetadataCache } from '../../src/metadata/index.ts'
import { nodeDisk, silentLogger, systemClock, systemRandom } from '../../src/platform/index.ts'
import { EmbeddedZooKeeper } from '../../src/zookeeper/index.ts'
import { BrokerProcess } from './broker-process.ts'
import { jarVersion } from './jars.ts'
import { JavaToolRunner, ToolClass } from './java-tool-runner.ts'
import { LONG_TEST_MS } from './process.ts'
import { toolOrSkip } from './tools.ts'
import { ZooKeeperProcess } from './zookeeper-process.ts'

/** A controller on the store below `directory`; it stands in for a whole broker. */
async function openController(directory: string) {
  const store = await EmbeddedZooKeeper.open({
    disk: nodeDisk,
    clock: systemClock,
    logger: silentLogger,
    directory: join(directory, 'zookeeper'),
  })
  const metadata = new MetadataCache()
  const controller = await Controller.open({
    zooKeeper: store.connect(),
    metadata,
    config: new DynamicBrokerConfig(BrokerConfig.load({ 'broker.id': '0' })),
    brokerId: 0,
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
  })
  const close = async (): Promise<void> => {
    await controller.close()
    await store.close()
  }
  return { controller, metadata, close }
}

async function prepare(directory: string): Promise<{ readonly clusterId: string; readonly topicId: string }> {
  const { controller, close } = await openController(directory)
  const endpoint = { listener: 'PLAINTEXT', securityProtocol: 'PLAINTEXT', host: '127.0.0.1', port: 1 } as const
  await controller.start({ endpoints: [endpoint], rack: null })
  const topic = { replicationFactor: 1, assignments: [] }
  const [created] = await controller.createTopics([
    { ...topic, name: 'ours', numPartitions: 12, configs: [{ name: 'retention.ms', value: '86400000' }] },
    { ...topic, name: 'gone', numPartitions: 3, configs: [] },
  ])
  await controller.deleteTopics([{ name: 'gone', topicId: 'AAAAAAAAAAAAAAAAAAAAAA' }])
  await controller.createPartitions([{ name: 'ours', count: 13, assignments: null }])
  const set = (resourceType: number, resourceName: string, name: string, value: string) => ({
    resourceType,
    resourceName,
    configs: [{ name, value, configOperation: 0 }],
  })
  const altered = await controller.incrementalAlterConfigs({
    resources: [set(2, 'ours', 'max.message.bytes', '2000000'), set(4, '0', 'log.cleaner.threads', '2')],
    validateOnly: false,
  })
  assert.deepEqual(
    altered.map(({ errorCode }) => errorCode),
    [0, 0],
  )
  await controller.allocateProducerIds()
  const { clusterId } = controller
  await close()
  return { clusterId, topicId: created?.topicId ?? '' }
}

test('a real ZooKeeper and a real Kafka start on the metadata store', { timeout: LONG_TEST_MS }, async context => {
  const tools = await toolOrSkip(context, 'Apache Kafka', () => JavaToolRunner.start())
  if (!tools) return
  console.log(`# Apache Kafka: ${jarVersion('libs', 'kafka_2.13')}, with the ZooKeeper it brings`)
  const directory = mkdtempSync(join(tmpdir(), 'monedula-store-'))
  let zooKeeper: ZooKeeperProcess | undefined
  let kafka: BrokerProcess | undefined
  try {
    const { clusterId, topicId } = await prepare(directory)
    zooKeeper = await ZooKeeperProcess.start(directory)
    kafka = await BrokerProcess.start({
      target: 'kafka',
      zooKeeperPort: zooKeeper.port,
      directory: join(directory, 'kafka'),
    })
    const at = ['--bootstrap-server', kafka.bootstrap]
    const described = await tools.output(ToolClass.topics, [...at, '--describe'])
    assert.match(described, new RegExp(`Topic: ours\\s+TopicId: ${topicId}\\s+PartitionCount: 13`))
    assert.match(described, /Configs: .*retention\.ms=86400000/)
    assert.match(described, /Partition: 12\s+Leader: 0\s+Replicas: 0\s+Isr: 0/)
    assert.doesNotMatch(described, /gone/)
    const broker = await tools.output(ToolClass.configs, [
      ...at,
      '--describe',
      '--entity-type',
      'brokers',
      '--entity-name',
      '0',
    ])
    assert.match(broker, /log\.cleaner\.threads=2/)
    assert.match(await tools.output(ToolClass.cluster, ['cluster-id', ...at]), new RegExp(clusterId))
    await tools.output(ToolClass.topics, [...at, '--create', '--topic', 'theirs', '--partitions', '4'])
    const lines = 'a\nb\nc\n'
    await tools.output(ToolClass.consoleProducer, [...at, '--topic', 'ours'], lines)
    await kafka.stop()
    await zooKeeper.stop()

    const { controller, metadata, close } = await openController(directory)
    assert.equal(controller.clusterId, clusterId)
    assert.equal(metadata.image().topic('theirs')?.partitions.length, 4)
    assert.equal(metadata.image().topic('ours')?.topicId, topicId)
    await controller.start({ endpoints: [], rack: null })
    assert.ok(controller.isActive)
    // Kafka took the ids after those that our controller had given out; its own are not given out again.
    const { firstProducerId } = await controller.allocateProducerIds()
    assert.ok(firstProducerId >= 2_000, `ids from ${firstProducerId}`)
    await close()
  } finally {
    await kafka?.dispose()
    await zooKeeper?.stop()
    await tools.stop()
    rmSync(directory, { recursive: true, force: true })
  }
})
