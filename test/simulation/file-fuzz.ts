/**
 * A log's files, changed at random while nobody has them open: bits flipped, pieces cut off, overwritten, added, whole
 * files emptied or swapped. One seed decides everything. Whatever lies there, the log opens; what is read then was written
 * there, lookups find what a reader finds, and the log takes more.
 */
import assert from 'node:assert/strict'
import {
  MemoryDisk,
  type Random,
  readWholeFile,
  SimulatedClock,
  seededRandom,
  silentLogger,
} from '../../src/platform/index.ts'
import { batchCrcValid, batches, decodeRecords, encodeBatch, KafkaError } from '../../src/protocol/index.ts'
import { defaultLogConfig, type Log, LogManager } from '../../src/storage/index.ts'

const PARTITION = { topic: 't', partition: 0 }
const TOPIC_ID = 'N7ZO3EI9Si25QabCkc3o9w'
const DIRECTORY = '/logs'
const LIMITS = { maxBytes: 1 << 20 }
const BATCHES = 40
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
/** More reads than there can be batches: a reader that comes no further is a hang. */
const MAX_READS = 10_000

/** Runs one seed; throws where a promise was broken. */
export async function runFileFuzz(seed: number): Promise<void> {
  const random = seededRandom(seed)
  const clock = new SimulatedClock()
  let disk = new MemoryDisk()
  const isClean = random.below(2) === 0
  const written = await write(disk, clock, random, isClean)
  if (!isClean) disk = disk.kill()
  const changes = damage(disk, random)
  try {
    await reopen(disk, clock, written)
  } catch (error) {
    throw new Error(`seed ${seed}, ${isClean ? 'stopped' : 'killed'}, ${changes.join(', ')}`, { cause: error })
  }
}

async function open(disk: MemoryDisk, clock: SimulatedClock): Promise<LogManager> {
  const config = { ...defaultLogConfig, segmentBytes: 1_000, indexIntervalBytes: 100 }
  return LogManager.open({
    disk,
    clock,
    random: seededRandom(1),
    logger: silentLogger,
    directories: [DIRECTORY],
    configOf: () => config,
  })
}

/** Batches of every kind; their values. */
async function write(
  disk: MemoryDisk,
  clock: SimulatedClock,
  random: Random,
  isClean: boolean,
): Promise<ReadonlySet<string>> {
  const manager = await open(disk, clock)
  const log = manager.getOrCreateLog(PARTITION, { topicId: TOPIC_ID })
  const written = new Set<string>()
  let sequence = 0
  for (let number = 0; number < BATCHES; number++) {
    const values = Array.from(
      { length: 1 + random.below(3) },
      (_, index) => `${number}.${index} ${'x'.repeat(random.below(60))}`,
    )
    const isTransactional = random.below(4) === 0
    const bytes = encodeBatch({
      records: values.map(value => ({ key: null, value: Buffer.from(value), timestamp: clock.now() + number })),
      compression: CODECS[random.below(CODECS.length)]!,
      ...(isTransactional ? { producerId: 7, producerEpoch: 0, baseSequence: sequence, isTransactional } : {}),
    })
    log.appendAsLeader(bytes, { leaderEpoch: number >> 4, origin: 'client' })
    if (isTransactional) sequence += values.length
    for (const value of values) written.add(value)
  }
  if (random.below(2) === 0) await log.flush()
  if (isClean) await manager.close()
  return written
}

/** Changes some of the files; says what it did. */
function damage(disk: MemoryDisk, random: Random): string[] {
  const files = filesBelow(disk, DIRECTORY)
  return Array.from({ length: 1 + random.below(3) }, () => {
    const path = files[random.below(files.length)]!
    const content = readWholeFile(disk, path)
    const [what, changed] = change(content, random, () => readWholeFile(disk, files[random.below(files.length)]!))
    const file = disk.open(path)
    file.truncate(0)
    file.write([changed], 0)
    file.close()
    return `${path} ${what}`
  })
}

function change(content: Buffer, random: Random, another: () => Buffer): [what: string, changed: Buffer] {
  const at = random.below(content.length + 1)
  const some = random.bytes(1 + random.below(40))
  switch (random.below(6)) {
    case 0: {
      const changed = Buffer.from(content)
      if (at < changed.length) changed[at]! ^= 1 << random.below(8)
      return [`bit flipped at ${at}`, changed]
    }
    case 1:
      return [`cut at ${at}`, content.subarray(0, at)]
    case 2:
      return [
        `overwritten at ${at}`,
        Buffer.concat([content.subarray(0, at), some, content.subarray(at + some.length)]),
      ]
    case 3:
      return [`something put in at ${at}`, Buffer.concat([content.subarray(0, at), some, content.subarray(at)])]
    case 4:
      return ['zeros behind it', Buffer.concat([content, Buffer.alloc(1 + random.below(2_000))])]
    default:
      return ['with the content of another', another()]
  }
}

async function reopen(disk: MemoryDisk, clock: SimulatedClock, written: ReadonlySet<string>): Promise<void> {
  const manager = await open(disk, clock)
  const log = manager.getLog(PARTITION)
  assert.ok(log !== undefined, 'the log was left out')
  try {
    // At another offset it may be: no sum covers the base offset of a batch.
    const content = contentOf(log)
    for (const value of content.values()) assert.ok(written.has(value), `${value} was never written`)
    for (const offset of content.keys()) checkLookup(log, offset)
    const before = log.logEndOffset
    const bytes = encodeBatch({ records: [{ key: null, value: Buffer.from('more'), timestamp: clock.now() }] })
    log.appendAsLeader(bytes, { leaderEpoch: 100, origin: 'client' })
    assert.equal(log.logEndOffset, before + 1)
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
  }
  await manager.close()
}

/** Who asks for an offset gets the batch that it is in, whatever the indexes say. */
function checkLookup(log: Log, offset: number): void {
  const { chunks } = log.read(offset, { maxBytes: 1, maxOffset: log.logEndOffset, minOneMessage: true })
  const [header] = [...chunks].flatMap(chunk => [...batches(chunk)])
  assert.ok(
    header !== undefined && header.baseOffset <= offset && offset <= header.lastOffset,
    `offset ${offset} is not found`,
  )
}

/** What a reader finds that checks sums, by offset. */
function contentOf(log: Log): Map<number, string> {
  const found = new Map<number, string>()
  let offset = log.logStartOffset
  for (let reads = 0; offset < log.logEndOffset; reads++) {
    assert.ok(reads < MAX_READS, `a reader comes no further than ${offset}`)
    const slice = log.read(offset, { maxBytes: 1 << 20, maxOffset: log.logEndOffset, minOneMessage: true })
    if (slice.bytes === 0) break
    for (const chunk of slice.chunks) {
      for (const header of batches(chunk)) {
        if (!batchCrcValid(chunk, header)) continue
        for (const record of decodeRecords(chunk, header, LIMITS))
          found.set(record.offset, Buffer.from(record.value ?? []).toString())
      }
    }
    assert.ok(slice.nextOffset > offset, `a reader at ${offset} is led to ${slice.nextOffset}`)
    offset = slice.nextOffset
  }
  return found
}

function filesBelow(disk: MemoryDisk, directory: string): string[] {
  return disk.list(directory).flatMap(name => {
    const path = `${directory}/${name}`
    return disk.stat(path)?.isDirectory ? filesBelow(disk, path) : [path]
  })
}
