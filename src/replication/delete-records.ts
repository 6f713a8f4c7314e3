import type { Logger } from '../platform/index.ts'
import { ErrorCode, KafkaError } from '../protocol/index.ts'
import { DelayedReplies, type PendingReply } from './delayed-replies.ts'
import type { HostedPartitions } from './hosted-partitions.ts'
import type { Partition } from './partition.ts'
import type { Purgatory } from './purgatory.ts'

/** Stands for the high watermark. */
const HIGH_WATERMARK = -1

/** Up to which offset to delete; -1 for all that is committed. */
export interface DeleteRecordsEntry {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** Fields as in the DeleteRecords response. */
export interface DeleteRecordsResult {
  readonly partitionIndex: number
  /** The first offset that is left, on all replicas; -1 with an error. */
  readonly lowWatermark: number
  readonly errorCode: number
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

/**
 * Moves the start of logs forward (KIP-107). Answers when the new starts are on disk, so that what was deleted does not
 * come back, and all replicas have followed or `timeoutMs` is over. The results are in the order of the entries.
 */
export function deleteRecords(
  entries: readonly DeleteRecordsEntry[],
  timeoutMs: number,
  context: { readonly hosted: HostedPartitions; readonly purgatory: Purgatory; readonly logger: Logger },
): readonly DeleteRecordsResult[] | Promise<readonly DeleteRecordsResult[]> {
  const pending: PendingDeletion[] = []
  const saves: Promise<void>[] = []
  const results = entries.map(entry => {
    const result: Writable<DeleteRecordsResult> = { partitionIndex: entry.partition, lowWatermark: -1, errorCode: 0 }
    try {
      if (context.hosted.topic(entry.topic)?.isInternal) throw new KafkaError('INVALID_TOPIC_EXCEPTION')
      const partition = context.hosted.get(entry.topic, entry.partition)
      const { offset, saved } = deleteBelow(partition, entry.offset)
      if (saved) saves.push(saved.catch(error => fail(result, error)))
      result.lowWatermark = partition.lowWatermark
      if (result.lowWatermark < offset) pending.push(new PendingDeletion({ partition, offset, result }))
    } catch (error) {
      fail(result, error)
      if (!(error instanceof KafkaError))
        context.logger.error({ err: error }, 'Error processing delete records operation')
    }
    return result
  })
  if (pending.length > 0) saves.push(new DelayedReplies(pending, { timeoutMs, purgatory: context.purgatory }).done)
  return saves.length === 0 ? results : Promise.all(saves).then(() => results)
}

function fail(result: Writable<DeleteRecordsResult>, error: unknown): void {
  result.lowWatermark = -1
  result.errorCode = error instanceof KafkaError ? error.errorCode : ErrorCode.UNKNOWN_SERVER_ERROR
}

/** Returns the offset that was meant, and where the log's start moved to it, when that is on disk. */
function deleteBelow(
  partition: Partition,
  asked: number,
): { readonly offset: number; readonly saved: Promise<void> | undefined } {
  const log = partition.logFor(-1, true)
  if (!log.config.cleanupPolicy.includes('delete')) {
    throw new KafkaError('POLICY_VIOLATION', 'records of a compacted topic cannot be deleted by offset')
  }
  const offset = asked === HIGH_WATERMARK ? log.highWatermark : asked
  if (offset < 0 || offset > log.highWatermark) throw new KafkaError('OFFSET_OUT_OF_RANGE')
  const saved = offset > log.logStartOffset ? log.advanceLogStartOffset(offset) : undefined
  return { offset, saved }
}

/** A deletion that waits until all replicas have followed. */
class PendingDeletion implements PendingReply {
  readonly partition: Partition
  readonly #offset: number
  readonly #result: Writable<DeleteRecordsResult>

  constructor(options: {
    readonly partition: Partition
    readonly offset: number
    readonly result: Writable<DeleteRecordsResult>
  }) {
    this.partition = options.partition
    this.#offset = options.offset
    this.#result = options.result
  }

  settle(): boolean {
    const access = this.partition.checkAccess(-1, true)
    if (access === 'NONE') {
      this.#result.lowWatermark = this.partition.lowWatermark
      return this.#result.lowWatermark >= this.#offset
    }
    this.#result.lowWatermark = -1
    this.#result.errorCode = ErrorCode[access]
    return true
  }

  timedOut(): void {
    this.#result.errorCode = ErrorCode.REQUEST_TIMED_OUT
  }
}
