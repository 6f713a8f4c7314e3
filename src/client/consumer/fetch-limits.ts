import type { Config } from '../../config/index.ts'
import type { consumerKeys } from './consumer-config.ts'

/** How much is fetched at once and ahead, and what of it is looked at. */
export interface FetchLimits {
  readonly minBytes: number
  readonly maxWaitMs: number
  readonly maxBytes: number
  readonly partitionMaxBytes: number
  /** Of all that waits for the program. */
  readonly prefetchMaxBytes: number
  readonly isCommitted: boolean
  readonly checkCrcs: boolean
  readonly rack: string
}

/** What a consumer's settings say about its fetches. */
export function fetchLimits(config: Config<typeof consumerKeys>): FetchLimits {
  return {
    minBytes: config.get('fetch.min.bytes'),
    maxWaitMs: config.get('fetch.max.wait.ms'),
    maxBytes: config.get('fetch.max.bytes'),
    partitionMaxBytes: config.get('max.partition.fetch.bytes'),
    prefetchMaxBytes: config.get('prefetch.max.bytes'),
    isCommitted: config.get('isolation.level') === 'read_committed',
    checkCrcs: config.get('check.crcs'),
    rack: config.get('client.rack'),
  }
}
