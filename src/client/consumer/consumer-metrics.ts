import type { Clock } from '../../platform/index.ts'

/** What a consumer has done so far. Counters only grow; `bufferBytes` is of the moment. */
export interface ConsumerFigures {
  /** Records that were handed to the program; those of a loop that was left may be handed out again. */
  readonly recordsConsumed: number
  /** Fetch requests that were answered; `recordsConsumed / fetches` is what one brought. */
  readonly fetches: number
  /** Bytes of batches as they were fetched, compressed. */
  readonly bytesFetched: number
  /** Time of all fetches together, waits for records at the broker included. */
  readonly fetchMs: number
  /** Fetch requests that failed as a whole. */
  readonly fetchesFailed: number
  /** How often the group has given partitions anew, or the same as before. */
  readonly rebalances: number
  /** Commits that were answered, in the background and by hand. */
  readonly commits: number
  /** Time of all commits together, with what had to be tried again. */
  readonly commitMs: number
  readonly commitsFailed: number
  /** Tries after the first ones, of whatever was asked of a cluster. */
  readonly retries: number
  /** Bytes of `prefetch.max.bytes` in use. */
  readonly bufferBytes: number
}

/** Counts for {@link ConsumerFigures}. */
export class ConsumerMetrics {
  fetches = 0
  bytesFetched = 0
  fetchMs = 0
  fetchesFailed = 0
  rebalances = 0
  commits = 0
  commitMs = 0
  commitsFailed = 0
}

/** Counts a commit, and how long it took. @throws what it was rejected with */
export async function timedCommit<T>(metrics: ConsumerMetrics, clock: Clock, committing: Promise<T>): Promise<T> {
  const sinceMs = clock.monotonicMs()
  try {
    const committed = await committing
    metrics.commits += 1
    metrics.commitMs += clock.monotonicMs() - sinceMs
    return committed
  } catch (error) {
    metrics.commitsFailed += 1
    throw error
  }
}
