/** A broker that goes while a large topic is being deleted: nothing of the topic is left when it is back. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KafkaServer } from '../../src/broker/index.ts'
import {
  inlineWorkers,
  MemoryDisk,
  nodeNetwork,
  silentLogger,
  systemClock,
  systemRandom,
} from '../../src/platform/index.ts'
import { ZERO_UUID } from '../../src/protocol/index.ts'

const PARTITIONS = 1_500

function start(disk: MemoryDisk): Promise<KafkaServer> {
  return KafkaServer.start({
    properties: new Map([
      ['broker.id', '0'],
      ['listeners', 'PLAINTEXT://127.0.0.1:0'],
      ['log.dirs', '/logs'],
    ]),
    disk,
    network: nodeNetwork,
    clock: systemClock,
    random: systemRandom,
    workers: inlineWorkers,
    logger: silentLogger,
    isVerbose: false,
    onHalt: () => {},
  })
}

async function createTopic(server: KafkaServer, name: string, numPartitions: number): Promise<void> {
  const topic = { name, numPartitions, replicationFactor: 1, assignments: [], configs: [] }
  const [created] = await server.services.controller.createTopics([topic])
  assert.equal(created?.errorCode, 0)
}

const logsOf = (disk: MemoryDisk, topic: string): number =>
  disk.list('/logs').filter(name => name.startsWith(`${topic}-`) && /^\d+$/.test(name.slice(topic.length + 1))).length

/** Begins to delete the topic, and resolves when some of its logs are gone and some are there still. */
async function deleteInPart(server: KafkaServer, disk: MemoryDisk): Promise<void> {
  server.services.controller.deleteTopics([{ name: 'wide', topicId: ZERO_UUID }]).catch(() => {})
  while (logsOf(disk, 'wide') === PARTITIONS) await new Promise(setImmediate)
  assert.ok(logsOf(disk, 'wide') > 0)
}

test('a broker that is stopped while a large topic is deleted ends that first', async () => {
  const disk = new MemoryDisk()
  const server = await start(disk)
  await createTopic(server, 'wide', PARTITIONS)
  await deleteInPart(server, disk)
  await server.stop()
  assert.equal(logsOf(disk, 'wide'), 0)
})

test('a broker that was killed while a large topic was deleted ends that when it is back, and keeps all others', async () => {
  const disk = new MemoryDisk()
  const server = await start(disk)
  await createTopic(server, 'wide', PARTITIONS)
  await createTopic(server, 'wide-1', 2)
  await deleteInPart(server, disk)
  const left = disk.kill()
  await server.stop().catch(() => {})
  assert.ok(logsOf(left, 'wide') > 0)
  const again = await start(left)
  assert.equal(logsOf(left, 'wide-1'), 2)
  assert.equal(logsOf(left, 'wide'), 0)
  await createTopic(again, 'wide', 3)
  await again.stop()
  const third = await start(left)
  assert.equal(third.services.metadata.image().topic('wide')?.partitions.length, 3)
  await third.stop()
})
