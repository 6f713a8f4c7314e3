/** The same operations on logs of other settings must leave the same records to read. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MemoryDisk, SimulatedClock, seededRandom, silentLogger } from '../../src/platform/index.ts'
import { batches, decodeRecords, encodeBatch } from '../../src/protocol/index.ts'
import { defaultLogConfig, type Log, LogManager } from '../../src/storage/index.ts'

type Operation =
  | { readonly kind: 'append'; readonly sizes: readonly number[]; readonly time: number }
  | { readonly kind: 'truncate'; readonly back: number }
  | { readonly kind: 'start'; readonly forward: number }
  | { readonly kind: 'roll' | 'flush' | 'restart' | 'kill' }

interface Settings {
  readonly segmentBytes: number
  readonly indexIntervalBytes: number
  readonly maxIndexSize: number
  readonly tailCacheBytes: number
  readonly maxOpenFiles: number
}

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      sizes: fc.array(fc.nat(300), { minLength: 1, maxLength: 4 }),
      time: fc.nat(1000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('truncate' as const), back: fc.nat(8) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('start' as const), forward: fc.nat(8) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('roll', 'flush', 'restart', 'kill') }) },
)

const settings: fc.Arbitrary<Settings> = fc.record({
  segmentBytes: fc.constantFrom(1400, 3000, 1 << 20),
  indexIntervalBytes: fc.constantFrom(0, 200, 4096),
  maxIndexSize: fc.constantFrom(64, 10_000),
  tailCacheBytes: fc.constantFrom(0, 5000, 1 << 20),
  maxOpenFiles: fc.constantFrom(1, 100),
})

/** Runs the operations; returns what there is to read. */
async function run(operations: readonly Operation[], chosen: Settings): Promise<unknown> {
  let disk = new MemoryDisk()
  const open = (): Promise<LogManager> =>
    LogManager.open({
      disk,
      clock: new SimulatedClock(),
      random: seededRandom(1),
      logger: silentLogger,
      directories: ['/logs'],
      configOf: () => ({ ...defaultLogConfig, ...chosen }),
      tailCacheBytes: chosen.tailCacheBytes,
      maxOpenFiles: chosen.maxOpenFiles,
    })
  let manager = await open()
  const partition = { topic: 't', partition: 0 }
  let log = manager.getOrCreateLog(partition)
  let count = 0
  for (const step of operations) {
    if (step.kind === 'append') {
      const records = step.sizes.map(size => ({
        value: Buffer.from(`${count++} ${'x'.repeat(size)}`),
        timestamp: step.time,
      }))
      log.appendAsLeader(encodeBatch({ records }), { leaderEpoch: Math.floor(count / 7), origin: 'client' })
      log.highWatermark = log.logEndOffset
    } else if (step.kind === 'truncate')
      await log.truncateTo(Math.max(log.logStartOffset, log.logEndOffset - step.back))
    else if (step.kind === 'start') {
      await log.advanceLogStartOffset(Math.min(log.highWatermark, log.logStartOffset + step.forward))
    } else if (step.kind === 'roll') log.roll()
    else if (step.kind === 'flush') await log.flush()
    else {
      if (step.kind === 'restart') await manager.close()
      else await log.flush()
      disk = disk.crash({ random: seededRandom(count), keep: 1 })
      manager = await open()
      log = manager.getOrCreateLog(partition)
      log.highWatermark = log.logEndOffset
    }
  }
  return observed(log)
}

/** All that a reader can learn from a log. */
function observed(log: Log): unknown {
  const records: unknown[] = []
  let offset = log.logStartOffset
  while (offset < log.logEndOffset) {
    const slice = log.read(offset, { maxBytes: 700, maxOffset: log.logEndOffset, minOneMessage: true })
    for (const chunk of slice.chunks) {
      for (const header of batches(chunk)) {
        for (const record of decodeRecords(chunk, header, { maxBytes: 1 << 20 })) {
          records.push([
            record.offset,
            record.timestamp,
            header.partitionLeaderEpoch,
            Buffer.from(record.value ?? []).toString(),
          ])
        }
      }
    }
    offset = slice.nextOffset
  }
  const times = [0, 250, 500, 750, 1000].map(time => log.offsetForTimestamp(time))
  const { logStartOffset, logEndOffset, highWatermark, latestEpoch } = log
  return {
    records,
    times,
    newest: log.offsetForMaxTimestamp(),
    logStartOffset,
    logEndOffset,
    highWatermark,
    latestEpoch,
  }
}

test('settings of segments, indexes and memory change nothing that a reader sees', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(operation, { minLength: 5, maxLength: 60 }),
      fc.uniqueArray(settings, { minLength: 2, maxLength: 3, selector: chosen => JSON.stringify(chosen) }),
      async (operations, choices) => {
        const [first, ...others] = await Promise.all(choices.map(chosen => run(operations, chosen)))
        for (const other of others) assert.deepEqual(other, first)
      },
    ),
    { numRuns: 150 },
  )
})
