import { answersAtOnce, type FetchParams, type FetchPartition, type FetchPartitionResult } from './fetch-result.ts'
import type { Partition } from './partition.ts'
import type { FetchLimits } from './partition-read.ts'
import { DelayedOperation, type Purgatory } from './purgatory.ts'
import { Watch } from './watch-list.ts'

/** Reads all partitions of a fetch as they are now. */
export type ReadFetch = (requests: readonly FetchPartition[], limits: FetchLimits) => readonly FetchPartitionResult[]

/** One partition of a waiting fetch; `partition` is undefined where this broker has none such. */
export interface FetchTarget {
  readonly request: FetchPartition
  readonly partition: Partition | undefined
  /** How much the first read found. */
  readonly recordBytes: number
}

export interface DelayedFetchOptions {
  readonly read: ReadFetch
  /** How much it may answer now, however much it waits for. */
  readonly limits: () => FetchLimits
  /** Lets a watch wait for memory: it is woken when there may be some. */
  readonly awaitRoom: (watch: Watch) => void
  /** The first read found records and had no memory for any. */
  readonly isStarved: boolean
  readonly purgatory: Purgatory
  /** Called when it waits no longer, just before `done` resolves. */
  readonly onDone: (fetch: DelayedFetch, results: readonly FetchPartitionResult[]) => void
}

/**
 * A fetch that waits for `minBytes` (Kafka's DelayedFetch).
 *
 * It keeps an upper bound of what a read would return now, raised by what is appended, and reads only when the bound
 * reaches `minBytes`, or what it may answer if that is less; so a fetch that waits for much costs each append an addition. It ends early when a partition is
 * deleted, goes offline or changes its leader.
 */
export class DelayedFetch extends DelayedOperation {
  /** Resolves with a result for each requested partition, in order; with none when cancelled. */
  readonly done: Promise<readonly FetchPartitionResult[]>
  readonly params: FetchParams
  readonly watchCount: number
  readonly #requests: readonly FetchPartition[]
  readonly #watches: readonly FetchWatch[]
  /** Made when it first finds no memory: few ever do. */
  #room: RoomWatch | undefined
  readonly #how: DelayedFetchOptions
  #resolve: (results: readonly FetchPartitionResult[]) => void = () => {}
  #bytes = 0
  #isDone = false

  /** Begins to wait. At least one target has a partition. */
  constructor(targets: readonly FetchTarget[], params: FetchParams, how: DelayedFetchOptions) {
    super()
    this.params = params
    this.#how = how
    this.#requests = targets.map(target => target.request)
    this.done = new Promise(resolve => {
      this.#resolve = resolve
    })
    this.#watches = targets.map((target, index) => new FetchWatch(this, target, index))
    for (const [index, watch] of this.#watches.entries()) {
      this.#bytes += watch.reset(targets[index]!.recordBytes)
      watch.begin()
    }
    this.watchCount = this.#watches.length
    if (how.isStarved) this.#awaitRoom()
    how.purgatory.enter(this, params.maxWaitMs)
  }

  /** From one of the watches: the bound of its partition has grown. */
  grew(bytes: number): void {
    this.#bytes += bytes
    const limits = this.#how.limits()
    if (this.#bytes >= Math.min(this.params.minBytes, limits.maxBytes)) this.#look(limits)
  }

  /** There may be memory again for what was found. */
  roomCame(): void {
    const limits = this.#how.limits()
    if (limits.minOneMessage) this.#look(limits)
    else this.#awaitRoom()
  }

  #awaitRoom(): void {
    this.#room ??= new RoomWatch(this)
    this.#how.awaitRoom(this.#room)
  }

  #look(limits: FetchLimits): void {
    const results = this.#how.read(this.#requests, limits)
    if (isEnough(results, Math.min(this.params.minBytes, limits.maxBytes))) {
      this.#complete(results)
      return
    }
    this.#bytes = 0
    for (const watch of this.#watches) this.#bytes += watch.reset(results[watch.index]!.recordBytes)
    this.#room?.leave()
    if (isStarved(results)) this.#awaitRoom()
  }

  /** Answers with whatever there is. */
  finish(): void {
    if (!this.#isDone) this.#complete(this.#how.read(this.#requests, this.#how.limits()))
  }

  override expired(): void {
    this.finish()
  }

  override abandon(): void {
    this.finish()
  }

  /** The requester is gone: stops waiting and reads nothing. */
  cancel(): void {
    if (!this.#isDone) this.#complete([])
  }

  #complete(results: readonly FetchPartitionResult[]): void {
    this.#isDone = true
    for (const watch of this.#watches) watch.leave()
    this.#room?.leave()
    this.leave()
    this.#how.onDone(this, results)
    this.#resolve(results)
  }
}

/** Whether results need not be waited with: there is an error to act on, as much as was asked for, or more to fetch. */
export function isEnough(results: readonly FetchPartitionResult[], minBytes: number): boolean {
  let bytes = 0
  let hasMore = false
  for (const result of results) {
    if (answersAtOnce(result)) return true
    hasMore ||= result.hasMore
    bytes += result.recordBytes
  }
  return bytes >= minBytes || (hasMore && bytes > 0)
}

/** Whether there are records, but none that could be given. */
export function isStarved(results: readonly FetchPartitionResult[]): boolean {
  return results.some(({ hasMore }) => hasMore) && results.every(({ recordBytes }) => recordBytes === 0)
}

/** A waiting fetch in the list of those who want memory. */
class RoomWatch extends Watch {
  readonly #fetch: DelayedFetch

  constructor(fetch: DelayedFetch) {
    super()
    this.#fetch = fetch
  }

  override wake(): void {
    this.#fetch.roomCame()
  }
}

/** A waiting fetch in the list of one of its partitions. */
class FetchWatch extends Watch {
  readonly index: number
  readonly #fetch: DelayedFetch
  readonly #partition: Partition | undefined
  readonly #version: number
  /** Readable bytes at the last look, and where the partition stood then. */
  #bytes = 0
  #limit = 0
  #appendedBytes = 0
  /** Nothing lay between the limit and the log's end: what is appended is all that becomes readable. */
  #isExact = false

  constructor(fetch: DelayedFetch, target: FetchTarget, index: number) {
    super()
    this.index = index
    this.#fetch = fetch
    this.#partition = target.partition
    this.#version = target.partition?.version ?? 0
  }

  begin(): void {
    if (this.#partition) this.join(this.#partition.watches)
  }

  /** Notes that a read now returns `bytes`; returns them. */
  reset(bytes: number): number {
    const partition = this.#partition
    this.#bytes = bytes
    if (!partition) return this.#bytes
    this.#limit = partition.fetchLimit(this.#fetch.params.isolation)
    this.#isExact = this.#limit === partition.fetchLimit('log_end')
    this.#appendedBytes = partition.appendedBytes
    return this.#bytes
  }

  override wake(): void {
    const partition = this.#partition
    if (!partition) return
    if (partition.version !== this.#version) {
      this.#fetch.finish()
      return
    }
    const limit = partition.fetchLimit(this.#fetch.params.isolation)
    if (limit === this.#limit) return
    this.#limit = limit
    const appended = partition.appendedBytes - this.#appendedBytes
    this.#appendedBytes = partition.appendedBytes
    // What of the bytes beyond the limit has become readable is known only by reading.
    const bytes = this.#isExact ? this.#bytes + appended : Number.POSITIVE_INFINITY
    const grown = bytes - this.#bytes
    this.#bytes = bytes
    if (grown > 0) this.#fetch.grew(grown)
  }
}
