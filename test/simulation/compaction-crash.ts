/**
 * Rounds of compaction that are cut short at every operation on the disk, by a kill or a power cut, held against a model.
 * One seed decides what is in the log and what the crash leaves.
 */
import assert from 'node:assert/strict'
import { MemoryDisk, type Random, SimulatedClock, seededRandom, silentLogger } from '../../src/platform/index.ts'
import {
  type BatchHeader,
  batchCrcValid,
  batches,
  decodeRecords,
  encodeBatch,
  encodeEndTxnMarker,
} from '../../src/protocol/index.ts'
import {
  defaultCleanerSettings,
  defaultLogConfig,
  type Log,
  type LogConfig,
  LogManager,
} from '../../src/storage/index.ts'

const PARTITION = { topic: 't', partition: 0 }
const BACKOFF_MS = 10
const TXN_PRODUCER = 9
/** Operations on the disk between two of those at which the power goes. */
const STRIDE = 7
const DAY_MS = 24 * 3600 * 1000

/** What every life of the log must agree on. */
interface Model {
  /** The last committed value of each key, and its offset; null for a tombstone. */
  readonly final: Map<string, { readonly value: string | null; readonly offset: number }>
  /** Values of committed records by offset. */
  readonly committed: Map<number, string>
  readonly aborted: Set<number>
  readonly sequences: Map<number, number>
  endOffset: number
}

interface Life {
  readonly disk: MemoryDisk
  readonly clock: SimulatedClock
  readonly manager: LogManager
  readonly log: Log
}

/** Runs one seed; throws where the log broke a promise. Returns at how many operations it was cut short. */
export async function runCompactionCrash(seed: number): Promise<number> {
  const first = seededRandom(seed)
  const config: LogConfig = {
    ...defaultLogConfig,
    cleanupPolicy: ['compact'],
    minCleanableDirtyRatio: 0,
    segmentBytes: [300, 700, 2000][first.below(3)]!,
    indexIntervalBytes: [0, 100][first.below(2)]!,
    fileDeleteDelayMs: [0, 1000][first.below(2)]!,
    deleteRetentionMs: [0, DAY_MS][first.below(2)]!,
  }
  const contents = first.below(1 << 30)
  const filled = async (): Promise<{ readonly life: Life; readonly model: Model }> => {
    const model = newModel()
    const life = await open(new MemoryDisk(), config)
    await fill(life, model, seededRandom(contents), config)
    return { life, model }
  }
  const whole = await filled()
  const operations = await clean(whole.life)
  check(whole.life.log, whole.model)
  await whole.life.manager.close()
  const points = crashPoints(operations, first.below(STRIDE))
  for (const [index, { at, keep }] of points.entries()) {
    const { life, model } = await filled()
    const random = seededRandom(seed * 1000 + index)
    const survivor = await cleanUntil(life, at, { random, ...(keep === undefined ? {} : { keep }) })
    await recoverAndCheck(survivor, config, model, random)
  }
  return points.length
}

/** When the power goes, and how much of what is not synced survives that; up to the seed where that is undefined. */
interface CrashPoint {
  readonly at: number
  readonly keep?: number
}

/**
 * Every {@link STRIDE}th operation, and thrice the one that gives a cleaned segment its name: what is renamed before it
 * must not come back beside it, and only few of the ways in which the power can go there bring it back.
 */
function crashPoints(operations: readonly string[], start: number): CrashPoint[] {
  return operations.flatMap((operation, at): CrashPoint[] => {
    if (/^rename .*\.log\.swap .*\.log$/.test(operation))
      return [
        { at, keep: 0.3 },
        { at, keep: 0.5 },
        { at, keep: 0.7 },
      ]
    return at % STRIDE === start ? [{ at }] : []
  })
}

async function recoverAndCheck(disk: MemoryDisk, config: LogConfig, model: Model, random: Random): Promise<void> {
  const recovered = await open(disk, config)
  check(recovered.log, model)
  const before = recordsOf(recovered.log)
  // A second crash, of a recovery that nothing was done after, changes nothing.
  const again = await open(recovered.disk.crash({ random }), config)
  check(again.log, model)
  assert.deepEqual(recordsOf(again.log), before, 'a recovery of a recovery')
  const leftovers = again.disk.list('/logs/t-0').filter(name => /cleaned|swap/.test(name))
  assert.deepEqual(leftovers, [])
  // Compaction goes on to its end.
  again.log.highWatermark = again.log.logEndOffset
  await again.clock.advance(20 * BACKOFF_MS)
  check(again.log, model)
  await again.manager.close()
  const last = await open(again.disk, config)
  check(last.log, model)
  await last.manager.close()
}

function newModel(): Model {
  return { final: new Map(), committed: new Map(), aborted: new Set(), sequences: new Map(), endOffset: 0 }
}

async function open(disk: MemoryDisk, config: LogConfig): Promise<Life> {
  const clock = new SimulatedClock(1_700_000_000_000)
  const manager = await LogManager.open({
    disk,
    clock,
    random: seededRandom(1),
    logger: silentLogger,
    directories: ['/logs'],
    configOf: () => config,
    tailCacheBytes: 0,
    maxOpenFiles: 2,
    cleaner: () => ({ ...defaultCleanerSettings, backoffMs: BACKOFF_MS, dedupeBufferBytes: 1 << 20 }),
  })
  const log = manager.getOrCreateLog(PARTITION)
  return { disk, clock, manager, log }
}

/** Plain, idempotent and transactional batches over a few keys, all flushed. */
async function fill({ log, clock }: Life, model: Model, random: Random, config: LogConfig): Promise<void> {
  const count = 20 + random.below(40)
  for (let index = 0; index < count; index++) {
    append(log, model, random, index)
    // Segments that are not full become one with their neighbours.
    if (random.below(3) === 0) log.roll()
  }
  // A transaction that is open would keep everything from being cleaned: settle it.
  log.roll()
  append(log, model, random, count)
  log.highWatermark = log.logEndOffset
  await log.flush()
  await clock.advance(0)
  assert.ok(config.segmentBytes > 0)
}

function append(log: Log, model: Model, random: Random, index: number): void {
  const dice = random.below(10)
  const producerId = dice < 5 ? -1 : dice < 8 ? 7 : TXN_PRODUCER
  const isTransactional = producerId === TXN_PRODUCER
  const baseSequence = producerId < 0 ? -1 : (model.sequences.get(producerId) ?? -1) + 1
  const pairs = Array.from({ length: 1 + random.below(3) }, (_, place) => {
    const value = random.below(8) === 0 ? null : `v${index}.${place}${'x'.repeat(random.below(60))}`
    return [`k${random.below(8)}`, value] as const
  })
  const timestamp = 1_700_000_000_000
  const records = pairs.map(([key, value]) => ({
    key: Buffer.from(key),
    value: value === null ? null : Buffer.from(value),
    timestamp,
  }))
  const idempotence = producerId < 0 ? {} : { producerId, producerEpoch: 0, baseSequence, isTransactional }
  const compression = random.below(4) === 0 ? ('gzip' as const) : ('none' as const)
  const { firstOffset } = log.appendAsLeader(encodeBatch({ records, compression, ...idempotence }), {
    leaderEpoch: 0,
    origin: 'client',
  })
  if (producerId >= 0) model.sequences.set(producerId, baseSequence + pairs.length - 1)
  const result = isTransactional && random.below(2) === 0 ? 'abort' : 'commit'
  for (const [place, [key, value]] of pairs.entries()) {
    const offset = firstOffset + place
    if (result === 'abort') model.aborted.add(offset)
    else {
      model.final.set(key, { value, offset })
      model.committed.set(offset, `${key}=${value}`)
    }
  }
  if (isTransactional) {
    const marker = { producerId, producerEpoch: 0, result, coordinatorEpoch: 0, timestamp } as const
    log.appendAsLeader(encodeEndTxnMarker(marker), { leaderEpoch: 0, origin: 'coordinator' })
  }
  model.endOffset = log.logEndOffset
}

/** Lets the cleaner run to its end; gives what it did to the disk. */
async function clean({ disk, clock }: Life): Promise<readonly string[]> {
  const trace = disk.startTrace()
  await clock.advance(4 * BACKOFF_MS)
  return [...trace]
}

/** Lets the cleaner run, and kills the process or cuts the power at operation `at` of it. */
async function cleanUntil(
  { disk, clock }: Life,
  at: number,
  crash: { readonly random: Random; readonly keep?: number },
): Promise<MemoryDisk> {
  const { random } = crash
  const trace = disk.startTrace()
  let survivor: MemoryDisk | undefined
  let count = 0
  trace.push = () => {
    if (count++ === at) {
      const isKilled = crash.keep === undefined && random.below(3) === 0
      survivor = isKilled ? disk.kill() : disk.crash({ garbage: random.below(4) === 0 ? 0.5 : 0, ...crash })
    }
    return count
  }
  await clock.advance(4 * BACKOFF_MS)
  assert.ok(survivor, `the cleaner does ${at} things to the disk`)
  return survivor
}

/** `offset`, `key=value` of everything but markers; checks that each batch is whole and offsets rise. */
function recordsOf(log: Log): Map<number, string> {
  const found = new Map<number, string>()
  let offset = log.logStartOffset
  let previous = -1
  while (offset < log.logEndOffset) {
    const slice = log.read(offset, { maxBytes: 1 << 20, maxOffset: log.logEndOffset, minOneMessage: true })
    assert.ok(slice.bytes > 0, `nothing at ${offset} of a log that ends at ${log.logEndOffset}`)
    for (const chunk of slice.chunks) {
      for (const header of batches(chunk)) {
        assert.ok(batchCrcValid(chunk, header), `broken batch at ${header.baseOffset}`)
        assert.ok(header.baseOffset > previous, 'offsets rise')
        previous = header.lastOffset
        if (header.isControl) continue
        for (const { offset: at, key, value } of decodeRecords(chunk, header, { maxBytes: 1 << 20 })) {
          found.set(at, `${Buffer.from(key!)}=${value === null ? null : Buffer.from(value)}`)
        }
      }
    }
    offset = slice.nextOffset
  }
  return found
}

/** Wherever a reader begins, it comes to a batch that one from the start comes to: no two segments hold the same offsets. */
function checkEveryStart(log: Log): void {
  const read = (offset: number) => log.read(offset, { maxBytes: 1, maxOffset: log.logEndOffset, minOneMessage: true })
  const met = new Set<string>()
  const name = ({ baseOffset, lastOffset, crc }: BatchHeader): string => `${baseOffset} to ${lastOffset}, CRC ${crc}`
  for (let offset = log.logStartOffset; offset < log.logEndOffset; ) {
    const slice = read(offset)
    for (const chunk of slice.chunks) for (const header of batches(chunk)) met.add(name(header))
    offset = slice.nextOffset
  }
  for (let offset = log.logStartOffset; offset < log.logEndOffset; offset++) {
    for (const chunk of read(offset).chunks) {
      for (const header of batches(chunk))
        assert.ok(met.has(name(header)), `${name(header)} is read from ${offset} alone`)
    }
  }
}

/** Final state, offsets, aborted records and sequences are what they were. */
function check(log: Log, model: Model): void {
  assert.equal(log.logEndOffset, model.endOffset, 'the end of the log does not move')
  checkEveryStart(log)
  const found = recordsOf(log)
  const aborted = log.abortedTransactions(log.logStartOffset, log.logEndOffset)
  for (const [offset, pair] of found) {
    if (model.aborted.has(offset)) {
      const isKnown = aborted.some(({ firstOffset, lastOffset }) => firstOffset <= offset && offset < lastOffset)
      assert.ok(isKnown, `aborted record ${offset} is not told of`)
    } else {
      assert.equal(pair, model.committed.get(offset), `record ${offset} is where it was`)
      const isKnown = aborted.some(({ firstOffset, lastOffset, producerId }) => {
        return producerId === TXN_PRODUCER && firstOffset <= offset && offset < lastOffset
      })
      const wasTransactional = isKnown && model.committed.has(offset)
      assert.ok(!wasTransactional || !isInTransaction(log, offset), `committed record ${offset} is called aborted`)
    }
  }
  for (const [key, { value, offset }] of model.final) {
    if (value === null && !found.has(offset)) {
      for (const [at, pair] of found) {
        if (pair.startsWith(`${key}=`) && !model.aborted.has(at)) assert.fail(`${key} was deleted`)
      }
      continue
    }
    assert.equal(found.get(offset), `${key}=${value}`, `final state of ${key}`)
  }
  for (const { producerId, lastSequence, currentTxnStartOffset } of log.producerStates()) {
    assert.equal(lastSequence, model.sequences.get(producerId), `sequence of producer ${producerId}`)
    assert.equal(currentTxnStartOffset, -1, 'no transaction hangs')
  }
  assert.equal(log.producerStates().length, model.sequences.size, 'every producer is known')
}

/** Whether the batch that holds `offset` is transactional. */
function isInTransaction(log: Log, offset: number): boolean {
  const { chunks } = log.read(offset, { maxBytes: 1, maxOffset: log.logEndOffset, minOneMessage: true })
  return chunks.some(chunk => [...batches(chunk)][0]?.isTransactional)
}
