import type { Logger, Workers } from '../platform/index.ts'
import { ErrorCode, type ErrorName, KafkaError } from '../protocol/index.ts'
import { type AppendOrigin, RecordValidationError } from '../storage/index.ts'
import { type AppendableRecords, appendInOrder } from './append-order.ts'
import { DelayedReplies, type PendingReply } from './delayed-replies.ts'
import type { HostedPartitions } from './hosted-partitions.ts'
import type { Partition } from './partition.ts'
import type { Purgatory } from './purgatory.ts'

/** Records for one partition. */
export interface AppendEntry {
  readonly topic: string
  readonly partition: number
  readonly records: Uint8Array | null
}

/** A whole Produce request, or what a coordinator writes. */
export interface AppendRequest {
  /** 0, 1 or -1 (all). */
  readonly acks: number
  /** How long to wait for other replicas. */
  readonly timeoutMs: number
  readonly origin: AppendOrigin
  /** Version of the Produce request; it decides which record formats are allowed. */
  readonly apiVersion?: number
  /** Clients may not write to internal topics; false when left out. */
  readonly allowInternalTopics?: boolean
  /** Whether an entry may be appended, or why not: asked when all that came before is in the log, and the entry goes next. */
  readonly refusalOf?: (entry: AppendEntry) => ErrorName
  readonly entries: readonly AppendEntry[]
}

/** The answer for one partition: fields as in the Produce response, so that it is encoded as it is. */
export interface AppendResult {
  readonly index: number
  readonly errorCode: number
  /** Offset of the first record; -1 with an error. */
  readonly baseOffset: number
  /** Set where the topic's timestamps are the broker's, else -1. */
  readonly logAppendTimeMs: number
  readonly logStartOffset: number
  readonly recordErrors: readonly { readonly batchIndex: number; readonly batchIndexErrorMessage: string | null }[]
  readonly errorMessage: string | null
  readonly currentLeader: { readonly leaderId: number; readonly leaderEpoch: number }
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

const NO_RECORD_ERRORS: AppendResult['recordErrors'] = Object.freeze([])
const UNKNOWN_LEADER = Object.freeze({ leaderId: -1, leaderEpoch: -1 })

/** What an append needs of the broker. */
export interface AppendContext {
  readonly hosted: HostedPartitions
  readonly purgatory: Purgatory
  readonly logger: Logger
  /** Where records are converted that a topic stores in another form. */
  readonly workers: Workers
}

/**
 * Appends to each partition and answers when the acknowledgements that were asked for are there: at once, in the same
 * turn, unless records have to be converted, or something synced or replicated first. The results are in the order of the
 * entries.
 */
export function appendRecords(
  request: AppendRequest,
  context: AppendContext,
): readonly AppendResult[] | Promise<readonly AppendResult[]> {
  const { acks, entries } = request
  if (acks !== 0 && acks !== 1 && acks !== -1) {
    return entries.map(({ partition }) => failedAppend(partition, 'INVALID_REQUIRED_ACKS'))
  }
  const late = appendInOrder({ entries, how: request, ...context }, records => appendNow(request, context, records))
  return late ?? appendNow(request, context)
}

function appendNow(
  request: AppendRequest,
  context: AppendContext,
  prepared?: readonly (AppendableRecords | null)[],
): readonly AppendResult[] | Promise<readonly AppendResult[]> {
  const { acks, entries } = request
  const results: Writable<AppendResult>[] = new Array(entries.length)
  let waiting: Promise<void>[] | undefined
  let pending: PendingReply[] | undefined
  for (let index = 0; index < entries.length; index++) {
    const entry = entries[index]!
    const partition = context.hosted.find(entry.topic, entry.partition)
    const result = appendOne(entry, partition, {
      request,
      records: prepared ? prepared[index]! : entry.records,
      context,
    })
    results[index] = result
    const log = partition?.log
    if (!log || acks === 0 || result.errorCode !== ErrorCode.NONE) continue
    const endOffset = log.logEndOffset
    if (acks === -1) {
      if (log.highWatermark < endOffset) {
        pending ??= []
        pending.push(new PendingAppend({ partition, endOffset, result }))
      }
    } else if (log.mustSyncBeforeAck) {
      waiting ??= []
      waiting.push(log.flushed(endOffset).catch(error => fail(result, error)))
    }
  }
  if (pending) {
    waiting ??= []
    waiting.push(new DelayedReplies(pending, { timeoutMs: request.timeoutMs, purgatory: context.purgatory }).done)
  }
  return waiting ? Promise.all(waiting).then(() => results) : results
}

function appendOne(
  entry: AppendEntry,
  partition: Partition | undefined,
  {
    request,
    records,
    context,
  }: {
    readonly request: AppendRequest
    readonly records: AppendableRecords | null
    readonly context: AppendContext
  },
): Writable<AppendResult> {
  const topic = context.hosted.topic(entry.topic)
  if (!topic || !partition) return failedAppend(entry.partition, context.hosted.missing(entry.topic, entry.partition))
  topic.produceRequests++
  const refusal = request.refusalOf?.(entry) ?? 'NONE'
  if (refusal !== 'NONE') return failedAppend(entry.partition, refusal)
  if (topic.isInternal && request.allowInternalTopics !== true) {
    return failedAppend(entry.partition, 'INVALID_TOPIC_EXCEPTION', `cannot append to internal topic ${entry.topic}`)
  }
  if (records === null) return failedAppend(entry.partition, 'INVALID_RECORD', 'the request carries no records')
  try {
    if (records instanceof KafkaError) throw records
    const info = partition.appendAsLeader(records, request)
    topic.bytesIn += info.bytes
    if (!info.isDuplicate) topic.messagesIn += info.recordCount
    return {
      index: entry.partition,
      errorCode: ErrorCode.NONE,
      baseOffset: info.firstOffset,
      logAppendTimeMs: info.logAppendTimeMs,
      logStartOffset: info.logStartOffset,
      recordErrors: NO_RECORD_ERRORS,
      errorMessage: null,
      currentLeader: UNKNOWN_LEADER,
    }
  } catch (error) {
    topic.failedProduceRequests++
    const result = failedAppend(entry.partition, 'UNKNOWN_SERVER_ERROR')
    fail(result, error)
    if (!(error instanceof KafkaError)) {
      context.logger.error(
        { err: error },
        `Error processing append operation on partition ${entry.topic}-${entry.partition}`,
      )
    } else if (error.code === 'NOT_LEADER_OR_FOLLOWER') {
      result.currentLeader = { leaderId: partition.state.leader, leaderEpoch: partition.state.leaderEpoch }
    } else if (error.code !== 'KAFKA_STORAGE_ERROR') {
      result.logStartOffset = partition.log?.logStartOffset ?? -1
    }
    return result
  }
}

/** The answer for a partition that nothing was appended to. */
export function failedAppend(index: number, error: ErrorName, message: string | null = null): Writable<AppendResult> {
  return {
    index,
    errorCode: ErrorCode[error],
    baseOffset: -1,
    logAppendTimeMs: -1,
    logStartOffset: -1,
    recordErrors: NO_RECORD_ERRORS,
    errorMessage: message,
    currentLeader: UNKNOWN_LEADER,
  }
}

/** An error that names single records brings them along. */
function fail(result: Writable<AppendResult>, error: unknown): void {
  result.errorCode = error instanceof KafkaError ? error.errorCode : ErrorCode.UNKNOWN_SERVER_ERROR
  result.baseOffset = -1
  result.errorMessage = error instanceof KafkaError ? error.message : null
  if (error instanceof RecordValidationError) {
    result.recordErrors = error.recordErrors.map(({ batchIndex, message }) => ({
      batchIndex,
      batchIndexErrorMessage: message,
    }))
  }
}

/** An append that waits until all in-sync replicas have it. */
class PendingAppend implements PendingReply {
  readonly partition: Partition
  readonly #endOffset: number
  readonly #result: Writable<AppendResult>

  constructor(options: {
    readonly partition: Partition
    readonly endOffset: number
    readonly result: Writable<AppendResult>
  }) {
    this.partition = options.partition
    this.#endOffset = options.endOffset
    this.#result = options.result
  }

  settle(): boolean {
    const outcome = this.partition.replicationOutcome(this.#endOffset)
    if (outcome === undefined) return false
    if (outcome !== 'NONE') this.#result.errorCode = ErrorCode[outcome]
    return true
  }

  timedOut(): void {
    this.#result.errorCode = ErrorCode.REQUEST_TIMED_OUT
  }
}
