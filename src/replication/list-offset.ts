import { KafkaError } from '../protocol/index.ts'
import type { Partition } from './partition.ts'

/** Timestamps that stand for something else in ListOffsets. */
export const OffsetSpec = {
  LATEST: -1,
  EARLIEST: -2,
  /** The record with the largest timestamp (KIP-734). */
  MAX_TIMESTAMP: -3,
  /** The earliest that is on local disk (KIP-405). */
  EARLIEST_LOCAL: -4,
  /** The latest in tiered storage, which there is none of (KIP-1005). */
  LATEST_TIERED: -5,
  /** The earliest that is not yet in tiered storage (KIP-1023). */
  EARLIEST_PENDING_UPLOAD: -6,
} as const

export interface ListOffsetRequest {
  /** Milliseconds since 1970, or one of {@link OffsetSpec}. */
  readonly timestamp: number
  /** -1 for none. */
  readonly currentLeaderEpoch: number
  /** Undefined for followers: they see the whole log. */
  readonly isolation: 'high_watermark' | 'committed' | undefined
  /** False for the debugging consumer. */
  readonly requireLeader: boolean
}

export interface LegacyOffsetsRequest {
  readonly timestamp: number
  readonly maxOffsets: number
  readonly isClient: boolean
  readonly requireLeader: boolean
  /** Wall clock. */
  readonly nowMs: number
}

export interface ListedOffset {
  /** -1 where the answer is no record's. */
  readonly timestamp: number
  readonly offset: number
  readonly leaderEpoch: number
}

/**
 * Answers ListOffsets for one partition; undefined when no record fits (the response says -1, -1 then).
 *
 * @throws KafkaError as `Partition.logFor`; OFFSET_NOT_AVAILABLE while a new leader does not know yet which records of
 * its predecessor are committed; UNSUPPORTED_FOR_MESSAGE_FORMAT by time where the topic stores format 0.
 */
export function listOffset(partition: Partition, request: ListOffsetRequest): ListedOffset | undefined {
  const log = partition.logFor(request.currentLeaderEpoch, request.requireLeader)
  const { timestamp, isolation } = request
  const limit = partition.fetchLimit(isolation ?? 'log_end')
  const assertSettled = (): void => {
    const from = isolation === undefined ? -1 : partition.unsettledFrom
    if (from !== -1) throw new KafkaError('OFFSET_NOT_AVAILABLE', `the high watermark is still below ${from}`)
  }
  switch (timestamp) {
    case OffsetSpec.LATEST:
      assertSettled()
      return { timestamp: -1, offset: limit, leaderEpoch: partition.state.leaderEpoch }
    case OffsetSpec.EARLIEST:
    case OffsetSpec.EARLIEST_LOCAL:
      return { timestamp: -1, offset: log.logStartOffset, leaderEpoch: log.epochOf(log.logStartOffset) ?? -1 }
    case OffsetSpec.LATEST_TIERED:
    case OffsetSpec.EARLIEST_PENDING_UPLOAD:
      return { timestamp: -1, offset: -1, leaderEpoch: -1 }
  }
  if (log.config.messageFormat === 0) {
    throw new KafkaError('UNSUPPORTED_FOR_MESSAGE_FORMAT', 'records of message format 0 have no time to be found by')
  }
  const found = timestamp === OffsetSpec.MAX_TIMESTAMP ? log.offsetForMaxTimestamp() : log.offsetForTimestamp(timestamp)
  if (found && found.offset < limit) return found
  assertSettled()
  return undefined
}

/**
 * ListOffsets v0: the start offsets of up to `maxOffsets` segments, newest first, from the newest on whose records are
 * all of `timestamp` or before; the log's end counts as a segment of now. Clients see none above the high watermark,
 * which then stands first.
 *
 * @throws KafkaError as `Partition.logFor`.
 */
export function legacyOffsets(partition: Partition, request: LegacyOffsetsRequest): readonly number[] {
  const log = partition.logFor(-1, request.requireLeader)
  const { timestamp, maxOffsets, nowMs } = request
  const starts = log.segmentBaseOffsets.map(offset => Math.max(offset, log.logStartOffset))
  if (log.logEndOffset > starts.at(-1)!) starts.push(log.logEndOffset)
  let newest = 0
  if (timestamp === OffsetSpec.LATEST || timestamp >= nowMs) newest = starts.length - 1
  else if (timestamp !== OffsetSpec.EARLIEST) {
    const firstLater = log.offsetForTimestamp(timestamp + 1)?.offset ?? log.logEndOffset
    newest = starts.findLastIndex((_, index) => (starts[index + 1] ?? Number.POSITIVE_INFINITY) <= firstLater)
  }
  const count = Math.max(0, Math.min(maxOffsets, newest + 1))
  const offsets = starts.slice(newest + 1 - count, newest + 1).reverse()
  if (!request.isClient || !offsets.some(offset => offset > log.highWatermark)) return offsets
  return [log.highWatermark, ...offsets.filter(offset => offset <= log.highWatermark)]
}
