/** Our log directories against those of Apache Kafka 3.9.1, and the disk operations of a log against a written trace. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { MemoryDisk, SimulatedClock, seededRandom, silentLogger } from '../../src/platform/index.ts'
import { batches, encodeBatch } from '../../src/protocol/index.ts'
import { defaultLogConfig, type LogConfig, LogManager } from '../../src/storage/index.ts'

const golden = (name: string): string => fileURLToPath(new URL(`../../../test/golden/storage/${name}`, import.meta.url))

type Files = Record<string, string | { zeros: number } | { sameAsClean: true }>
const kafka = JSON.parse(readFileSync(golden('kafka-3.9.1-log.json'), 'utf8')) as { clean: Files; live: Files }
const PARTITION = { topic: 't1', partition: 0 }
const TOPIC_ID = 'N7ZO3EI9Si25QabCkc3o9w'

function bytesOf(files: Files, name: string): Buffer {
  const content = files[name]!
  if (typeof content === 'string') return Buffer.from(content, 'base64')
  return 'zeros' in content ? Buffer.alloc(content.zeros) : bytesOf(kafka.clean, name)
}

function diskOf(files: Files): MemoryDisk {
  const disk = new MemoryDisk()
  disk.makeDirectory('/logs/t1-0')
  for (const name of Object.keys(files)) {
    const file = disk.open(`/logs/${name}`, { create: true })
    const bytes = bytesOf(files, name)
    if (bytes.length > 0) file.write([bytes], 0)
    file.close()
  }
  return disk
}

function open(disk: MemoryDisk, config: Partial<LogConfig> = {}, clock = new SimulatedClock()): Promise<LogManager> {
  return LogManager.open({
    disk,
    clock,
    random: seededRandom(1),
    logger: silentLogger,
    directories: ['/logs'],
    configOf: () => ({ ...defaultLogConfig, segmentBytes: 2000, ...config }),
  })
}

/** Every file of the partition is Kafka's after a clean stop. */
function assertSameAsKafka(disk: MemoryDisk): void {
  const names = Object.keys(kafka.clean).filter(name => name.startsWith('t1-0/'))
  assert.deepEqual(
    disk.list('/logs/t1-0').toSorted(),
    names.map(name => name.slice('t1-0/'.length)),
  )
  const checkpoints = [
    'recovery-point-offset-checkpoint',
    'replication-offset-checkpoint',
    'log-start-offset-checkpoint',
  ]
  for (const name of [...names, ...checkpoints, '.kafka_cleanshutdown']) {
    const file = disk.open(`/logs/${name}`)
    const bytes = Buffer.alloc(file.size())
    file.read(bytes, 0, bytes.length, 0)
    file.close()
    assert.deepEqual(bytes.toString('hex'), bytesOf(kafka.clean, name).toString('hex'), name)
  }
}

test('a log directory that Kafka left cleanly is opened, and left as it was', async () => {
  const disk = diskOf(kafka.clean)
  const manager = await open(disk)
  const log = manager.getLog(PARTITION)!
  assert.deepEqual([log.topicId, log.logEndOffset, log.highWatermark, log.latestEpoch], [TOPIC_ID, 60, 60, 0])
  assert.deepEqual(log.segmentBaseOffsets, [0, 14, 28, 42, 56])
  assert.equal(log.producerStates()[0]?.lastSequence, 59)
  await manager.close()
  assertSameAsKafka(disk)
})

test('a log directory of a Kafka that was killed is recovered to what a clean stop leaves', async () => {
  const disk = diskOf(kafka.live)
  const manager = await open(disk)
  const log = manager.getLog(PARTITION)!
  assert.equal(log.logEndOffset, 60)
  log.highWatermark = 60
  await manager.close()
  assertSameAsKafka(disk)
})

test('the same batches, appended here, make the same files', async () => {
  const disk = new MemoryDisk()
  const manager = await open(disk)
  const log = manager.getOrCreateLog(PARTITION, { topicId: TOPIC_ID })
  for (const name of Object.keys(kafka.clean).filter(file => file.endsWith('.log'))) {
    const bytes = bytesOf(kafka.clean, name)
    for (const header of batches(bytes)) {
      const batch = Buffer.from(bytes.subarray(header.position, header.position + header.length))
      batch.fill(0, 0, 8)
      batch.fill(0xff, 12, 16)
      log.appendAsLeader(batch, { leaderEpoch: 0, origin: 'client', apiVersion: 9 })
    }
  }
  log.highWatermark = 60
  await manager.close()
  assertSameAsKafka(disk)
})

test('a log does these disk operations in this order', async () => {
  const disk = new MemoryDisk()
  const clock = new SimulatedClock()
  const lines = disk.startTrace()
  const batch = (value: string): Uint8Array =>
    encodeBatch({ records: [{ value: Buffer.from(value.repeat(400)), timestamp: 1 }], producerId: 1, producerEpoch: 0 })
  const sections: string[] = []
  const section = (name: string): void => {
    sections.push(`# ${name}`, ...lines.splice(0), '')
  }
  const manager = await open(disk, { segmentBytes: 500 }, clock)
  section('open an empty directory')
  const log = manager.getOrCreateLog(PARTITION, { topicId: TOPIC_ID })
  section('create a log')
  const append = (value: string): unknown => log.appendAsLeader(batch(value), { leaderEpoch: 0, origin: 'coordinator' })
  append('a')
  section('append')
  await log.flush()
  section('flush for the first time')
  append('b')
  section('append and roll')
  await log.flush()
  section('flush')
  log.highWatermark = 2
  await manager.checkpointHighWatermarks()
  section('checkpoint the high watermarks')
  append('c')
  await log.flush()
  lines.splice(0)
  await log.truncateTo(2)
  section('cut off the last segment')
  await log.flush()
  log.configChanged({ ...log.config, retentionBytes: 0 })
  await log.deleteOldSegments()
  section('delete old segments')
  await clock.advance(60_000)
  section('a minute later')
  await manager.close()
  section('close')
  const again = await open(disk, { segmentBytes: 500 }, clock)
  section('open again')
  again.deleteLog(PARTITION)
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
  section('delete the log')
  const trace = sections.join('\n')
  const path = golden('disk-trace.txt')
  // UPDATE_GOLDEN=1 writes the trace anew: look at what changed in it before you keep it.
  if (process.env.UPDATE_GOLDEN) writeFileSync(path, trace)
  assert.equal(trace, readFileSync(path, 'utf8'))
})
