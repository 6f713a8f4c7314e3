/** What tests of logs share: a broker's logs on a disk in memory, and batches to put into them. */
import { MemoryDisk, SimulatedClock, seededRandom, silentLogger } from '../platform/index.ts'
import { type BatchInput, batches, decodeRecords, encodeBatch } from '../protocol/index.ts'
import type { Log } from './log.ts'
import { defaultLogConfig, type LogConfig } from './log-config.ts'
import { LogManager } from './log-manager.ts'
import type { LogManagerOptions } from './log-manager-options.ts'

export const TOPIC_ID = 'N7ZO3EI9Si25QabCkc3o9w'
export const PARTITION = { topic: 't', partition: 0 }
export const DIRECTORY = '/logs'

/** A log manager on a disk in memory, and the twins around it. */
export interface Fixture {
  readonly disk: MemoryDisk
  readonly clock: SimulatedClock
  readonly manager: LogManager
  readonly log: Log
}

/** Opens the logs on a disk (default: a new one) and the log of {@link PARTITION}. */
export async function openLog(
  config: Partial<LogConfig> = {},
  options: Partial<LogManagerOptions> & { readonly disk?: MemoryDisk; readonly clock?: SimulatedClock } = {},
): Promise<Fixture> {
  const disk = options.disk ?? new MemoryDisk()
  const clock = options.clock ?? new SimulatedClock()
  const settings: LogConfig = { ...defaultLogConfig, ...config }
  const manager = await LogManager.open({
    random: seededRandom(1),
    logger: silentLogger,
    directories: [DIRECTORY],
    configOf: () => settings,
    ...options,
    disk,
    clock,
  })
  return { disk, clock, manager, log: manager.getOrCreateLog(PARTITION, { topicId: TOPIC_ID }) }
}

/** A batch whose records have these values, and keys like them. */
export function batchOf(values: readonly string[], input: Partial<BatchInput> = {}): Uint8Array {
  const timestamp = 1_700_000_000_000
  const records = values.map(value => ({ key: Buffer.from(`k-${value}`), value: Buffer.from(value), timestamp }))
  return encodeBatch({ records, ...input })
}

/** Appends one batch as the leader of epoch 0. */
export function append(log: Log, values: readonly string[], input: Partial<BatchInput> = {}) {
  return log.appendAsLeader(batchOf(values, input), { leaderEpoch: 0, origin: 'client' })
}

/** Everything that a reader finds from an offset on, read as a consumer does: fetch by fetch. */
export function readAll(log: Log, from = log.logStartOffset, maxBytes = 1 << 20): { offset: number; value: string }[] {
  const found: { offset: number; value: string }[] = []
  let offset = from
  while (offset < log.logEndOffset) {
    const slice = log.read(offset, { maxBytes, maxOffset: log.logEndOffset, minOneMessage: true })
    if (slice.bytes === 0) break
    for (const chunk of slice.chunks) {
      for (const header of batches(chunk)) {
        for (const record of decodeRecords(chunk, header, { maxBytes: 1 << 24 })) {
          if (record.offset < from || header.isControl) continue
          found.push({ offset: record.offset, value: Buffer.from(record.value ?? []).toString() })
        }
      }
    }
    offset = slice.nextOffset
  }
  return found
}

/** The values that {@link readAll} finds. */
export function valuesOf(log: Log, from = log.logStartOffset, maxBytes = 1 << 20): string[] {
  return readAll(log, from, maxBytes).map(({ value }) => value)
}
