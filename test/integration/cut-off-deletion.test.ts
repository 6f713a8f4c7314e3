/** A broker that goes, or whose disk goes, while a topic is being deleted: nothing of the topic is left when it is back. */
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
import { encodeBatch, ZERO_UUID } from '../../src/protocol/index.ts'

const PARTITIONS = 1_500

function start(disk: MemoryDisk, more: Readonly<Record<string, string>> = {}): Promise<KafkaServer> {
  return KafkaServer.start({
    properties: new Map([
      ['broker.id', '0'],
      ['listeners', 'PLAINTEXT://127.0.0.1:0'],
      ['log.dirs', '/logs'],
      ...Object.entries(more),
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

const logsOf = (disk: MemoryDisk, topic: string, directory = '/logs'): number =>
  disk.list(directory).filter(name => name.startsWith(`${topic}-`) && /^\d+$/.test(name.slice(topic.length + 1))).length

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

const TWO = { 'log.dirs': '/logs,/other' }

/** Lets the second log directory fail, as when its disk is pulled out, until {@link MemoryDisk.clearFaults}. */
async function failOther(
  server: KafkaServer,
  disk: MemoryDisk,
  { partitions }: { readonly partitions: number },
): Promise<void> {
  const path = (name: string): boolean => name.startsWith('/other/')
  disk.failNext({ operation: 'write', path, times: Number.POSITIVE_INFINITY })
  const records = encodeBatch({ records: [{ value: Buffer.from('lost') }] })
  for (let partition = 0; partition < partitions; partition++) {
    const entries = [{ topic: 'gone', partition, records }]
    await server.services.replicas.appendRecords({
      acks: 1,
      timeoutMs: 1_000,
      origin: 'client',
      apiVersion: 9,
      entries,
    })
  }
}

test('a topic that is deleted while a log directory is offline has no logs there when the directory is back', async () => {
  const disk = new MemoryDisk()
  const server = await start(disk, TWO)
  await createTopic(server, 'gone', 4)
  await createTopic(server, 'stays', 4)
  await failOther(server, disk, { partitions: 4 })
  await server.services.controller.deleteTopics([{ name: 'gone', topicId: ZERO_UUID }])
  assert.equal(logsOf(disk, 'gone', '/other'), 2)
  await server.stop()
  const withoutIt = await start(disk, TWO)
  await withoutIt.stop()
  disk.clearFaults()
  const again = await start(disk, TWO)
  assert.equal(logsOf(disk, 'gone', '/other'), 0)
  assert.equal(logsOf(disk, 'stays', '/other'), 2)
  await again.stop()
})

/** What a broker leaves that made a topic anew, with one partition, while a directory with logs of the former four was offline. */
async function diskWithFormerLogs(): Promise<MemoryDisk> {
  const disk = new MemoryDisk()
  const server = await start(disk, TWO)
  await createTopic(server, 'gone', 4)
  await failOther(server, disk, { partitions: 4 })
  await server.services.controller.deleteTopics([{ name: 'gone', topicId: ZERO_UUID }])
  await createTopic(server, 'gone', 1)
  await server.stop()
  disk.clearFaults()
  return disk
}

test('logs of a topic that was made anew with fewer partitions while their directory was offline are set aside', async () => {
  const disk = await diskWithFormerLogs()
  const again = await start(disk, TWO)
  assert.equal(logsOf(disk, 'gone', '/other') + logsOf(disk, 'gone'), 1)
  assert.ok(disk.list('/other').some(name => name.startsWith('gone-') && name.endsWith('-stray')))
  await again.stop()
})

test('a directory that fails when a former log in it is to be set aside goes offline, and the broker starts', async () => {
  const disk = await diskWithFormerLogs()
  disk.failNext({ operation: 'rename', path: name => name.startsWith('/other/gone-') })
  const again = await start(disk, TWO)
  const offline = again.services.replicas.describeLogDirectories(() => false).filter(({ errorCode }) => errorCode !== 0)
  await again.stop()
  assert.deepEqual(
    offline.map(({ logDir }) => logDir),
    ['/other'],
  )
})
