/**
 * One partition's log under random appends, flushes, rolls, cuts, deletions, full disks, kills and power cuts, held
 * against a model. One seed decides everything.
 */
import assert from 'node:assert/strict'
import { MemoryDisk, type Random, SimulatedClock, seededRandom, silentLogger } from '../../src/platform/index.ts'
import { batchCrcValid, batches, decodeRecords, encodeBatch, KafkaError, patchBatch } from '../../src/protocol/index.ts'
import { defaultLogConfig, type Log, type LogAppendInfo, type LogConfig, LogManager } from '../../src/storage/index.ts'

const PARTITION = { topic: 't', partition: 0 }
const TOPIC_ID = 'N7ZO3EI9Si25QabCkc3o9w'
const DIRECTORY = '/logs'
const LIMITS = { maxBytes: 1 << 24 }

/** A batch as the model knows it; `id` is unlike any other's. */
interface ModelBatch {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly epoch: number
  readonly id: string
  readonly producerId: number
  readonly baseSequence: number
  readonly timestamp: number
}

interface Producer {
  readonly id: number
  nextSequence: number
}

/** Runs one seed; throws where the log broke a promise. */
export async function runLogCrash(seed: number): Promise<void> {
  const run = new LogCrashRun(seededRandom(seed))
  await run.run()
}

class LogCrashRun {
  readonly #random: Random
  readonly #config: LogConfig
  readonly #tailCacheBytes: number
  #disk = new MemoryDisk()
  #clock = new SimulatedClock()
  #manager!: LogManager
  #log!: Log
  /** What the log holds, oldest first. */
  #batches: ModelBatch[] = []
  /** Everything that was ever appended, by id. */
  readonly #written = new Map<string, ModelBatch>()
  /** Below it everything was acknowledged as flushed. */
  #flushedTo = 0
  /** The log was cut since the last flush: what was cut off may come back. */
  #cutSinceFlush = false
  #hasLostStart = false
  /** The batch whose append failed with the disk. */
  #unknown: ModelBatch | undefined
  #epoch = 0
  #nextId = 0
  #producers: Producer[] = []

  constructor(random: Random) {
    this.#random = random
    this.#tailCacheBytes = this.#oneOf([0, 4000, 1 << 20])
    this.#config = {
      ...defaultLogConfig,
      segmentBytes: this.#oneOf([200, 700, 2000, 100_000]),
      indexIntervalBytes: this.#oneOf([0, 100, 1000]),
      maxIndexSize: this.#oneOf([48, 1000]),
      flushMessages: this.#oneOf([1, 7, Number.MAX_SAFE_INTEGER]),
      retentionBytes: this.#oneOf([-1, 3000]),
      fileDeleteDelayMs: this.#oneOf([0, 1000]),
    }
  }

  async run(): Promise<void> {
    await this.#open()
    const steps = 10 + this.#random.below(50)
    for (let step = 0; step < steps; step++) await this.#step()
    await this.#powerCut()
    this.#checkReads()
    await this.#manager.close()
  }

  async #step(): Promise<void> {
    const dice = this.#random.below(100)
    if (dice < 45) this.#append()
    else if (dice < 52) this.#appendAsFollower()
    else if (dice < 62) await this.#flush()
    else if (dice < 66) this.#log.roll()
    else if (dice < 71) await this.#truncate()
    else if (dice < 74) this.#epoch += 1
    else if (dice < 78) this.#deleteRecords()
    else if (dice < 81) await this.#retention()
    else if (dice < 84) this.#checkReads()
    else if (dice < 87) await this.#clock.advance(this.#random.below(2000))
    else if (dice < 90) await this.#cleanRestart()
    else if (dice < 93) await this.#kill()
    else if (dice < 95) await this.#fullDisk()
    else await this.#powerCut()
  }

  async #open(): Promise<void> {
    this.#manager = await LogManager.open({
      disk: this.#disk,
      clock: this.#clock,
      random: this.#random,
      logger: silentLogger,
      directories: [DIRECTORY],
      configOf: () => this.#config,
      tailCacheBytes: this.#tailCacheBytes,
      maxOpenFiles: 2,
    })
    this.#log = this.#manager.getOrCreateLog(PARTITION, { topicId: TOPIC_ID })
    this.#log.highWatermark = this.#log.logEndOffset
  }

  #append(): void {
    const producer = this.#random.below(3) === 0 ? this.#producer() : undefined
    const { bytes, batch } = this.#newBatch(this.#log.logEndOffset, producer)
    let info: LogAppendInfo
    try {
      info = this.#log.appendAsLeader(bytes, { leaderEpoch: this.#epoch, origin: 'client', apiVersion: 9 })
    } catch (error) {
      // The disk may have failed behind the batch itself, in an index: then it is there although nobody was told so.
      this.#unknown ??= batch
      throw error
    }
    assert.equal(info.firstOffset, batch.baseOffset)
    this.#wrote(batch, producer)
  }

  #appendAsFollower(): void {
    const parts: Uint8Array[] = []
    const fresh: ModelBatch[] = []
    let offset = this.#log.logEndOffset
    for (let count = 1 + this.#random.below(4); count > 0; count--) {
      if (this.#random.below(5) === 0) this.#epoch += 1
      const { bytes, batch } = this.#newBatch(offset, undefined)
      patchBatch(bytes, 0, { baseOffset: offset, partitionLeaderEpoch: this.#epoch })
      parts.push(bytes)
      fresh.push(batch)
      offset = batch.lastOffset + 1
    }
    this.#log.appendAsFollower(Buffer.concat(parts))
    for (const batch of fresh) this.#wrote(batch, undefined)
  }

  #wrote(batch: ModelBatch, producer: Producer | undefined): void {
    this.#batches.push(batch)
    this.#written.set(batch.id, batch)
    if (producer) producer.nextSequence += batch.lastOffset - batch.baseOffset + 1
    assert.equal(this.#log.logEndOffset >= batch.lastOffset + 1, true)
    if (this.#random.below(3) > 0) this.#log.highWatermark = this.#log.logEndOffset
  }

  #newBatch(baseOffset: number, producer: Producer | undefined): { bytes: Uint8Array; batch: ModelBatch } {
    const id = `b${this.#nextId++}`
    const count = 1 + this.#random.below(4)
    const timestamp = 1_700_000_000_000 + this.#random.below(1000)
    const longest = Math.floor(Math.min(this.#config.segmentBytes, 6000) / 4) - 45
    const filler = 'x'.repeat(Math.max(0, Math.min(longest, this.#oneOf([0, 20, 200, 1200]))))
    const records = Array.from({ length: count }, () => ({ value: Buffer.from(`${id} ${filler}`), timestamp }))
    const baseSequence = producer?.nextSequence ?? -1
    const idempotence = producer ? { producerId: producer.id, producerEpoch: 0, baseSequence } : {}
    const bytes = encodeBatch({ records, ...idempotence })
    const lastOffset = baseOffset + count - 1
    const producerId = producer?.id ?? -1
    return { bytes, batch: { baseOffset, lastOffset, epoch: this.#epoch, id, producerId, baseSequence, timestamp } }
  }

  #producer(): Producer {
    if (this.#producers.length < 3) this.#producers.push({ id: this.#nextId++, nextSequence: 0 })
    return this.#oneOf(this.#producers)
  }

  async #flush(): Promise<void> {
    const end = this.#log.logEndOffset
    const flushed = this.#log.flushed(end)
    // Appends that come while the device works are in no sync that was promised to anybody.
    if (this.#random.below(2) === 0) this.#append()
    await flushed
    this.#flushedTo = Math.max(this.#flushedTo, end)
    if (!this.#cutSinceFlush) return
    // The sync that was under way may be older than the cut; the next one is not.
    this.#append()
    const next = this.#log.logEndOffset
    await this.#log.flushed(next)
    this.#flushedTo = next
    this.#cutSinceFlush = false
  }

  async #truncate(): Promise<void> {
    const { logStartOffset, logEndOffset } = this.#log
    const offset = Math.max(logStartOffset, logEndOffset - this.#random.below(12))
    if (offset >= logEndOffset) return
    const cut = this.#log.truncateTo(offset)
    const left = this.#batches.filter(({ lastOffset }) => lastOffset < offset)
    const end = Math.max(logStartOffset, (left.at(-1)?.lastOffset ?? -1) + 1)
    // A cut down to the log's start leaves nothing that must be there.
    this.#flushedTo = end === logStartOffset ? 0 : Math.min(this.#flushedTo, end)
    this.#cutSinceFlush = true
    this.#epoch += 1
    if (this.#random.below(4) === 0) {
      cut.catch(() => {})
      await this.#powerCut(20)
      return
    }
    await cut
    assert.equal(this.#log.logEndOffset, end)
    this.#batches = left
    this.#learnProducers()
  }

  #deleteRecords(): void {
    const { logStartOffset, highWatermark } = this.#log
    if (highWatermark <= logStartOffset) return
    const offset = logStartOffset + this.#random.below(highWatermark - logStartOffset + 1)
    this.#log.advanceLogStartOffset(offset).catch(() => {})
  }

  async #retention(): Promise<void> {
    const deleted = this.#log.deleteOldSegments()
    if (this.#random.below(3) > 0) await deleted
    else {
      deleted.catch(() => {})
      await this.#powerCut()
    }
  }

  async #cleanRestart(): Promise<void> {
    await this.#manager.close()
    assert.ok(this.#disk.list(DIRECTORY).includes('.kafka_cleanshutdown'))
    const { logEndOffset, logStartOffset } = this.#log
    this.#flushedTo = logEndOffset
    this.#cutSinceFlush = false
    // Half of the time the power goes right after the stop: nothing may depend on what was not synced.
    if (this.#random.below(2) === 0) this.#crashDisk()
    else this.#clock = new SimulatedClock(this.#clock.now())
    await this.#open()
    assert.equal(this.#log.logEndOffset, logEndOffset)
    assert.equal(this.#log.logStartOffset, logStartOffset)
    assert.equal(this.#log.recoveryPoint, logEndOffset)
    this.#checkContent(this.#recovered())
  }

  /** The process is killed, the machine lives: what was appended is in the page cache. */
  async #kill(): Promise<void> {
    const { logEndOffset } = this.#log
    this.#killProcess()
    while (this.#random.below(4) === 0) await this.#killInRecovery()
    await this.#open()
    assert.equal(this.#log.logEndOffset, logEndOffset, 'a killed process loses nothing that was appended')
    this.#checkContent(this.#recovered())
  }

  async #powerCut(latest = 4): Promise<void> {
    // A flush may be under way.
    if (this.#random.below(2) === 0) this.#log.flush().catch(() => {})
    for (let turns = this.#random.below(latest); turns > 0; turns--) await Promise.resolve()
    this.#crashDisk()
    while (this.#random.below(2) === 0) {
      if (this.#random.below(2) === 0) await this.#crashInRecovery()
      else await this.#killInRecovery()
    }
    await this.#open()
    const recovered = this.#recovered()
    this.#checkRecovered(recovered)
    this.#batches = recovered
    this.#learnProducers()
    this.#cutSinceFlush = false
    this.#flushedTo = Math.min(this.#flushedTo, this.#log.logEndOffset)
    if (this.#random.below(4) === 0) await this.#recoverAgain()
  }

  /** The disk fails somewhere in the recovery, then the power goes again. */
  async #crashInRecovery(): Promise<void> {
    const operation = this.#oneOf(['open', 'read', 'write', 'truncate', 'rename', 'remove', 'syncDirectory'] as const)
    this.#disk.failNext({ operation, after: this.#random.below(12) })
    try {
      await this.#open()
    } catch (error) {
      assert.ok(error instanceof KafkaError || (error as Error).name === 'DiskError', String(error))
    }
    this.#crashDisk()
  }

  /** The process is killed at one of its next changes of the disk, if it comes so far before its start is complete. */
  async #killInRecovery(): Promise<void> {
    let left = this.#random.below(30)
    let survivor: MemoryDisk | undefined
    const trace = this.#disk.startTrace()
    trace.push = () => {
      if (left-- === 0) survivor = this.#disk.kill()
      return 0
    }
    await this.#open().catch(error => assert.ok(survivor, String(error)))
    this.#disk = survivor ?? this.#disk.kill()
    this.#clock = new SimulatedClock(this.#clock.now())
  }

  /** A recovery of what a recovery has left changes nothing. */
  async #recoverAgain(): Promise<void> {
    const before = { end: this.#log.logEndOffset, start: this.#log.logStartOffset }
    this.#killProcess()
    await this.#open()
    assert.deepEqual({ end: this.#log.logEndOffset, start: this.#log.logStartOffset }, before)
    this.#checkContent(this.#recovered())
  }

  async #fullDisk(): Promise<void> {
    this.#disk.setCapacity(this.#disk.usedBytes + this.#random.below(3000))
    const { logEndOffset } = this.#log
    try {
      for (let count = 0; count < 50; count++) this.#append()
    } catch (error) {
      assert.equal((error as KafkaError).code, 'KAFKA_STORAGE_ERROR')
      assert.throws(() => this.#append(), { code: 'KAFKA_STORAGE_ERROR' })
    }
    assert.ok(this.#log.logEndOffset >= logEndOffset)
    this.#disk.setCapacity(Number.POSITIVE_INFINITY)
    if (this.#unknown) {
      this.#batches.push(this.#unknown)
      this.#written.set(this.#unknown.id, this.#unknown)
      this.#unknown = undefined
    }
    await this.#powerCut()
  }

  #crashDisk(): void {
    const garbage = this.#random.below(4) === 0 ? 0.5 : 0
    this.#disk = this.#disk.crash({ random: this.#random, garbage })
    this.#clock = new SimulatedClock(this.#clock.now())
  }

  /** What was not synced stays in the system's cache, where the next power cut finds it. */
  #killProcess(): void {
    this.#disk = this.#disk.kill()
    this.#clock = new SimulatedClock(this.#clock.now())
  }

  /** What the log holds now, read batch by batch; checks that each is whole and that offsets are dense. */
  #recovered(): ModelBatch[] {
    const log = this.#log
    const found: ModelBatch[] = []
    let offset = log.logStartOffset
    const maxBytes = this.#oneOf([1, 500, 1 << 20])
    while (offset < log.logEndOffset) {
      const slice = log.read(offset, { maxBytes, maxOffset: log.logEndOffset, minOneMessage: true })
      assert.ok(slice.bytes > 0, `nothing at ${offset} of a log that ends at ${log.logEndOffset}`)
      for (const chunk of slice.chunks) {
        for (const header of batches(chunk)) {
          assert.ok(batchCrcValid(chunk, header), `broken batch at ${header.baseOffset}`)
          const [record] = decodeRecords(chunk, header, LIMITS)
          const id = Buffer.from(record!.value!).toString().split(' ')[0]!
          const written = this.#written.get(id)
          assert.ok(written, `batch ${id} was never written`)
          assert.deepEqual([header.baseOffset, header.partitionLeaderEpoch], [written.baseOffset, written.epoch])
          const previous = found.at(-1)
          if (previous) assert.equal(header.baseOffset, previous.lastOffset + 1, 'offsets are dense')
          found.push(written)
        }
      }
      offset = slice.nextOffset
    }
    if (found.length > 0) assert.equal(found.at(-1)!.lastOffset + 1, log.logEndOffset)
    return found
  }

  /** After a power cut: what was flushed is there, the rest is a prefix of what was written. */
  #checkRecovered(recovered: readonly ModelBatch[]): void {
    const { logEndOffset, logStartOffset } = this.#log
    assert.ok(logEndOffset >= this.#flushedTo, `flushed to ${this.#flushedTo}, recovered to ${logEndOffset}`)
    const bound = this.#cutSinceFlush ? this.#flushedTo : Number.POSITIVE_INFINITY
    const expected = this.#batches.filter(({ lastOffset }) => lastOffset >= logStartOffset && lastOffset < bound)
    const found = recovered.filter(({ lastOffset }) => lastOffset < bound)
    assert.deepEqual(ids(found), ids(expected).slice(0, found.length), 'a prefix of what was written')
    let epoch = -1
    for (const batch of recovered) {
      assert.ok(batch.epoch >= epoch, 'epochs rise')
      epoch = batch.epoch
    }
    this.#epoch = Math.max(this.#epoch, epoch)
    this.#checkDerived(recovered)
  }

  /** After a stop that loses nothing. */
  #checkContent(found: readonly ModelBatch[]): void {
    const kept = this.#batches.filter(({ lastOffset }) => lastOffset >= this.#log.logStartOffset)
    assert.deepEqual(ids(found), ids(kept))
    this.#checkDerived(found)
    this.#batches = [...found]
  }

  /** Epochs and producers are what the batches say. */
  #checkDerived(found: readonly ModelBatch[]): void {
    const log = this.#log
    this.#hasLostStart ||= log.logStartOffset > 0
    for (const batch of found) {
      if (batch.baseOffset >= log.logStartOffset) assert.equal(log.epochOf(batch.baseOffset), batch.epoch)
    }
    const states = new Map(log.producerStates().map(state => [state.producerId, state]))
    const last = new Map<number, ModelBatch>()
    for (const batch of found) if (batch.producerId >= 0) last.set(batch.producerId, batch)
    if (!this.#hasLostStart) assert.equal(states.size, last.size)
    for (const [producerId, batch] of last) {
      const lastSequence = batch.baseSequence + batch.lastOffset - batch.baseOffset
      assert.equal(states.get(producerId)?.lastSequence, lastSequence, `sequence of producer ${producerId}`)
    }
  }

  /** Producers go on from what the log knows of them. */
  #learnProducers(): void {
    const states = new Map(this.#log.producerStates().map(state => [state.producerId, state]))
    this.#producers = this.#producers.flatMap(({ id }) => {
      const state = states.get(id)
      return state === undefined ? [] : [{ id, nextSequence: state.lastSequence + 1 }]
    })
  }

  #checkReads(): void {
    const log = this.#log
    const { logStartOffset, logEndOffset } = log
    const kept = this.#batches.filter(({ lastOffset }) => lastOffset >= logStartOffset)
    assert.deepEqual(ids(this.#recovered()), ids(kept))
    const offset = logStartOffset + this.#random.below(logEndOffset - logStartOffset + 1)
    const slice = log.read(offset, { maxBytes: 1, maxOffset: logEndOffset, minOneMessage: true })
    const expected = kept.find(({ lastOffset }) => lastOffset >= offset)
    if (offset === logEndOffset) assert.equal(slice.bytes, 0)
    else assert.equal(slice.baseOffset, expected!.baseOffset)
    const timestamp = 1_700_000_000_000 + this.#random.below(1100)
    const byTime = kept.find(batch => batch.timestamp >= timestamp)
    const offsetByTime = byTime && Math.max(byTime.baseOffset, logStartOffset)
    assert.equal(log.offsetForTimestamp(timestamp)?.offset, offsetByTime, `offset for ${timestamp}`)
  }

  #oneOf<T>(choices: readonly T[]): T {
    return choices[this.#random.below(choices.length)]!
  }
}

function ids(found: readonly ModelBatch[]): string[] {
  return found.map(({ id }) => id)
}
