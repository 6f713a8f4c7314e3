/** What tests of compaction share: a log that is compacted whenever it can be, and what is in it. */
import { type MemoryDisk, SimulatedClock, type Threads } from '../platform/index.ts'
import { type BatchInput, batches, decodeRecords, encodeBatch, encodeEndTxnMarker } from '../protocol/index.ts'
import { DIRECTORY, type Fixture, openLog } from './log.test.fixture.ts'
import type { Log } from './log.ts'
import { type CleanerSettings, defaultCleanerSettings } from './log-cleaner.ts'
import type { LogConfig } from './log-config.ts'

export const BACKOFF_MS = 100
export const NOW_MS = 1_700_000_000_000
export const DAY_MS = 24 * 3600 * 1000
export const PATH = `${DIRECTORY}/t-0`

/** A log that is compacted whenever it can be. */
export function openCompacted(
  config: Partial<LogConfig> = {},
  twins: {
    disk?: MemoryDisk
    clock?: SimulatedClock
    cleaner?: Partial<CleanerSettings>
    cleanerThreads?: Threads
  } = {},
): Promise<Fixture> {
  const { cleaner, ...others } = twins
  const settings = { ...defaultCleanerSettings, backoffMs: BACKOFF_MS, dedupeBufferBytes: 1 << 20, ...cleaner }
  return openLog(
    { cleanupPolicy: ['compact'], minCleanableDirtyRatio: 0, fileDeleteDelayMs: 0, ...config },
    { clock: new SimulatedClock(NOW_MS), ...others, cleaner: () => settings },
  )
}

type Pair = readonly [key: string | null, value: string | null]

export function put(log: Log, pairs: readonly Pair[], input: Partial<BatchInput> = {}): number {
  const records = pairs.map(([key, value]) => ({
    key: key === null ? null : Buffer.from(key),
    value: value === null ? null : Buffer.from(value),
    timestamp: NOW_MS,
  }))
  const info = log.appendAsLeader(encodeBatch({ records, ...input }), { leaderEpoch: 0, origin: 'client' })
  log.highWatermark = log.logEndOffset
  return info.firstOffset
}

export function endTransaction(log: Log, producerId: number, result: 'commit' | 'abort', coordinatorEpoch = 0): void {
  const marker = { producerId, producerEpoch: 0, result, coordinatorEpoch, timestamp: NOW_MS }
  log.appendAsLeader(encodeEndTxnMarker(marker), { leaderEpoch: 0, origin: 'coordinator' })
  log.highWatermark = log.logEndOffset
}

export function batchesOf(log: Log) {
  const found: { header: ReturnType<typeof batches> extends Iterable<infer H> ? H : never; records: string[] }[] = []
  let offset = log.logStartOffset
  while (offset < log.logEndOffset) {
    const slice = log.read(offset, { maxBytes: 1 << 20, maxOffset: log.logEndOffset, minOneMessage: true })
    if (slice.bytes === 0) break
    for (const chunk of slice.chunks) {
      for (const header of batches(chunk)) {
        const records = [...decodeRecords(chunk, header, { maxBytes: 1 << 20 })].map(({ offset: at, key, value }) =>
          header.isControl ? `${at}:marker` : `${at}:${key && Buffer.from(key)}=${value && Buffer.from(value)}`,
        )
        found.push({ header, records })
      }
    }
    offset = slice.nextOffset
  }
  return found
}

/** `offset:key=value` of all records, markers among them. */
export const recordsOf = (log: Log): string[] => batchesOf(log).flatMap(({ records }) => records)

/** Closes the active segment to appends and lets the cleaner have its turn. */
export async function clean({ log, clock }: Fixture): Promise<void> {
  log.roll()
  await clock.advance(BACKOFF_MS)
}
