import type { Logger, Workers } from '../platform/index.ts'
import { ErrorCode, KafkaError, type LegacyMagic } from '../protocol/index.ts'
import { DelayedFetch, type FetchTarget, isEnough, isStarved } from './delayed-fetch.ts'
import { convertResults } from './fetch-conversion.ts'
import {
  answersAtOnce,
  type FetchParams,
  type FetchPartition,
  type FetchPartitionResult,
  fetchError,
} from './fetch-result.ts'
import type { HostedPartitions } from './hosted-partitions.ts'
import type { FetchLimits } from './partition-read.ts'
import type { Purgatory } from './purgatory.ts'
import { type Watch, WatchList } from './watch-list.ts'

/** What a fetch needs of the broker. */
export interface FetchReaderOptions {
  readonly hosted: HostedPartitions
  readonly purgatory: Purgatory
  readonly logger: Logger
  /** Where records are converted for old readers. */
  readonly workers: Workers
  /** `fetch.max.bytes` */
  readonly fetchMaxBytes: () => number
}

/** Who fetches: a connection. What was read for it is in memory until it has been sent. */
export interface FetchRequester {
  /** How large an answer may be now, for all together not to hold more than they should. */
  readonly replyRoomBytes: number
  /** Calls `resume` once when there is room again; asked where there is none. */
  whenReplyRoom(resume: () => void): void
  /** So many bytes were read for the request that it waits for. */
  hold(bytes: number): void
}

/** What a fetch gives even where there is no room, in whole batches; a larger one waits. */
const LEAST_FETCH_BYTES = 64 * 1024

/** So many damaged places are told of; where there are more, all know. */
const MAX_TOLD_DAMAGES = 1_000

/** Reads for Fetch requests, and lets them wait where they want more than there is. */
export class FetchReader {
  readonly #options: FetchReaderOptions
  /** Waiting fetches by who asked, to be dropped when that connection closes. */
  readonly #waiting = new Map<FetchRequester, Set<DelayedFetch>>()
  /** Waiting fetches that found more than there was room for. */
  readonly #wantRoom = new WatchList()
  #isAwaitingRoom = false
  readonly #toldDamages = new Set<string>()

  constructor(options: FetchReaderOptions) {
    this.#options = options
  }

  /**
   * The results, in the order of the requests: at once when there is an error, `minBytes`, or nothing to wait for; else a
   * promise of them. Records for old readers are converted when it is known that they are answered. What is answered, now or
   * later, fits into the room that there is then, and `minBytes` above it count as that. The batch that KIP-74 promises may
   * be larger; where there is no room at all it is waited for, `maxWaitMs` at the most, but by replicas.
   */
  fetch(
    requests: readonly FetchPartition[],
    params: FetchParams,
    requester: FetchRequester,
  ): readonly FetchPartitionResult[] | Promise<readonly FetchPartitionResult[]> {
    const results = this.#readOrWait(requests, params, requester)
    const { legacyMagic } = params
    return legacyMagic === undefined ? results : this.#convert(requests, results, legacyMagic)
  }

  async #convert(
    requests: readonly FetchPartition[],
    results: readonly FetchPartitionResult[] | Promise<readonly FetchPartitionResult[]>,
    magic: LegacyMagic,
  ): Promise<readonly FetchPartitionResult[]> {
    const { workers, logger } = this.#options
    return convertResults({ requests, results: await results, magic, workers, logger })
  }

  #readOrWait(
    requests: readonly FetchPartition[],
    params: FetchParams,
    requester: FetchRequester,
  ): readonly FetchPartitionResult[] | Promise<readonly FetchPartitionResult[]> {
    for (const { topic } of requests) {
      const hosted = topic === undefined ? undefined : this.#options.hosted.topic(topic)
      if (hosted) hosted.fetchRequests++
    }
    const limits = this.#limitsOf(params, requester)
    const results = this.#read(requests, params, { ...limits, isFirst: true })
    const mayWait = params.maxWaitMs > 0 && requests.length > 0 && this.#options.purgatory.hasRoomFor(requests.length)
    if (mayWait && !isEnough(results, Math.min(params.minBytes, limits.maxBytes))) {
      return this.#wait(this.#targets(requests, results), params, { requester, isStarved: isStarved(results) })
    }
    requester.hold(bytesOf(results))
    return results
  }

  /**
   * Each answer is counted when it is read, so that all together exceed what there is room for by one batch, and one of each replica: a
   * replica that falls behind because others do not read would keep producers waiting.
   */
  #limitsOf({ maxBytes, replicaId }: FetchParams, { replyRoomBytes }: FetchRequester): FetchLimits {
    const room = Math.max(LEAST_FETCH_BYTES, replyRoomBytes)
    const minOneMessage = replyRoomBytes > 0 || replicaId >= 0
    return { maxBytes: Math.min(maxBytes, this.#options.fetchMaxBytes(), room), minOneMessage }
  }

  #awaitRoom(watch: Watch, requester: FetchRequester): void {
    if (!watch.isWatching) watch.join(this.#wantRoom)
    if (this.#isAwaitingRoom) return
    this.#isAwaitingRoom = true
    requester.whenReplyRoom(() => {
      this.#isAwaitingRoom = false
      this.#options.purgatory.touched(this.#wantRoom)
    })
  }

  #targets(requests: readonly FetchPartition[], results: readonly FetchPartitionResult[]): readonly FetchTarget[] {
    return requests.map((request, index) => {
      const partition = this.#options.hosted.resolve(request)
      const { recordBytes } = results[index]!
      return { request, partition: typeof partition === 'number' ? undefined : partition, recordBytes }
    })
  }

  /** What the first read found is not held meanwhile: who waits for long would hold it as long. */
  #wait(
    targets: readonly FetchTarget[],
    params: FetchParams,
    { requester, isStarved }: { readonly requester: FetchRequester; readonly isStarved: boolean },
  ): Promise<readonly FetchPartitionResult[]> {
    const waiting = this.#waiting.get(requester) ?? new Set()
    this.#waiting.set(requester, waiting)
    const delayed = new DelayedFetch(targets, params, {
      purgatory: this.#options.purgatory,
      limits: () => this.#limitsOf(params, requester),
      awaitRoom: watch => this.#awaitRoom(watch, requester),
      isStarved,
      read: (requests, limits) => this.#read(requests, params, { ...limits, isFirst: false }),
      onDone: (fetch, results) => {
        requester.hold(bytesOf(results))
        waiting.delete(fetch)
        if (waiting.size === 0 && this.#waiting.get(requester) === waiting) this.#waiting.delete(requester)
      },
    })
    waiting.add(delayed)
    return delayed.done
  }

  /** The connection is gone: its waiting fetches end with no results. */
  disconnected(requester: FetchRequester): void {
    for (const fetch of [...(this.#waiting.get(requester) ?? [])]) fetch.cancel()
  }

  /**
   * Reads all partitions in order. With `minOneMessage` the first that has records gives at least one batch, whatever the
   * limits (KIP-74); from then on they hold.
   */
  #read(
    requests: readonly FetchPartition[],
    params: FetchParams,
    { maxBytes, minOneMessage: isOwed, isFirst }: FetchLimits & { readonly isFirst: boolean },
  ): readonly FetchPartitionResult[] {
    const results: FetchPartitionResult[] = new Array(requests.length)
    let left = maxBytes
    let minOneMessage = isOwed
    for (let index = 0; index < requests.length; index++) {
      const request = requests[index]!
      const result = this.#readOne(request, params, {
        maxBytes: Math.min(request.maxBytes, left),
        minOneMessage,
        isFirst,
      })
      if (result.recordBytes > 0) minOneMessage = false
      left = Math.max(0, left - result.recordBytes)
      results[index] = result
    }
    return results
  }

  #readOne(
    request: FetchPartition,
    params: FetchParams,
    limits: FetchLimits & { readonly isFirst: boolean },
  ): FetchPartitionResult {
    const partition = this.#options.hosted.resolve(request)
    if (typeof partition === 'number') return fetchError(request.partition, partition)
    try {
      if (params.replicaId >= 0) {
        const refusal = partition.checkFollower(params.replicaId, request)
        if (refusal) return refusal
      }
      const result = partition.read(request, params, limits)
      if (params.replicaId >= 0 && limits.isFirst && !answersAtOnce(result)) {
        partition.followerFetched(params.replicaId, request.fetchOffset, request.logStartOffset)
      }
      return result
    } catch (error) {
      const isExpected = error instanceof KafkaError
      const { topic, partition: index } = partition.topicPartition
      if (!isExpected) {
        this.#options.logger.error({ err: error }, `Error processing fetch on partition ${topic}-${index}`)
      } else if (error.code === 'CORRUPT_MESSAGE') this.#tellDamage(`${topic}-${index}: ${error.message}`)
      return fetchError(request.partition, isExpected ? error.errorCode : ErrorCode.UNKNOWN_SERVER_ERROR)
    }
  }

  /** A reader asks for damaged records again and again; the log tells of each place once. */
  #tellDamage(damage: string): void {
    if (this.#toldDamages.has(damage) || this.#toldDamages.size >= MAX_TOLD_DAMAGES) return
    this.#toldDamages.add(damage)
    this.#options.logger.error({}, `Error processing fetch on partition ${damage}`)
  }
}

function bytesOf(results: readonly FetchPartitionResult[]): number {
  return results.reduce((sum, { recordBytes }) => sum + recordBytes, 0)
}
