import { ErrorCode, type LegacyMagic } from '../protocol/index.ts'

/** What a fetch asks of one partition. Offsets and epochs of -1 mean that the request has none. */
export interface FetchPartition {
  /** Undefined where the request named a topic id that nobody knows (KIP-516). */
  readonly topic: string | undefined
  /** The zero uuid where the request went by name. */
  readonly topicId: string
  readonly partition: number
  readonly fetchOffset: number
  /** Bytes of records at most, but for the first batch of a response (KIP-74). */
  readonly maxBytes: number
  /** What the requester takes for the leader epoch (KIP-320). */
  readonly currentLeaderEpoch: number
  /** Epoch of the last record that it has (KIP-320, KIP-595). */
  readonly lastFetchedEpoch: number
  /** Where its own log starts; followers only. */
  readonly logStartOffset: number
}

/** Up to where a fetch may read: followers, consumers, consumers with `isolation.level=read_committed`. */
export type FetchIsolation = 'log_end' | 'high_watermark' | 'committed'

/** What holds for a whole fetch. */
export interface FetchParams {
  readonly maxWaitMs: number
  readonly minBytes: number
  /** Bytes of records in the response at most, but for its first batch (KIP-74). */
  readonly maxBytes: number
  readonly isolation: FetchIsolation
  /** Broker id of a follower; -1 consumer; -2 debugging consumer, which reads from any replica. */
  readonly replicaId: number
  /** Any replica answers, not the leader alone (consumers from v11, KIP-392). */
  readonly fromAnyReplica: boolean
  /** The newest format that the reader knows, where that is not yet batches (Fetch before v4). */
  readonly legacyMagic?: LegacyMagic
  /** The reader is too old for zstd (Fetch before v10, KIP-110). */
  readonly isBeforeZstd?: boolean
}

/** The transactions whose records a `read_committed` consumer has to skip. */
export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
}

/** The answer for one partition: fields as in the Fetch response, so that it is encoded as it is. */
export interface FetchPartitionResult {
  readonly partitionIndex: number
  readonly errorCode: number
  /** These three are -1 with an error. */
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  /** Set where the requester's log leaves the leader's (KIP-595); its end offset is -1 otherwise. */
  readonly divergingEpoch: { readonly epoch: number; readonly endOffset: number }
  /** With NOT_LEADER_OR_FOLLOWER and FENCED_LEADER_EPOCH the leader to turn to (KIP-951), if known. */
  readonly currentLeader: { readonly leaderId: number; readonly leaderEpoch: number }
  /** Null unless the fetch is `committed`. */
  readonly abortedTransactions: readonly AbortedTransaction[] | null
  /** Broker id of a better replica (KIP-392), or -1. */
  readonly preferredReadReplica: number
  /** Whole batches, by reference: they must not change until the response has left. */
  readonly records: readonly Uint8Array[]
  /** Length of all of them. */
  readonly recordBytes: number
  /** More could have been read, but for a limit or the end of a segment: waiting would bring this reader nothing. */
  readonly hasMore: boolean
}

export const NO_RECORDS: readonly Uint8Array[] = Object.freeze([])
export const NOT_DIVERGING = Object.freeze({ epoch: -1, endOffset: -1 })
export const UNKNOWN_LEADER = Object.freeze({ leaderId: -1, leaderEpoch: -1 })

/** The answer for a partition that cannot be read. */
export function fetchError(
  partitionIndex: number,
  errorCode: number,
  currentLeader: FetchPartitionResult['currentLeader'] = UNKNOWN_LEADER,
): FetchPartitionResult {
  return {
    partitionIndex,
    errorCode,
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    divergingEpoch: NOT_DIVERGING,
    currentLeader,
    abortedTransactions: null,
    preferredReadReplica: -1,
    records: NO_RECORDS,
    recordBytes: 0,
    hasMore: false,
  }
}

/** Such an answer is not waited for: the requester has to act on it. */
export function answersAtOnce(result: FetchPartitionResult): boolean {
  return (
    result.errorCode !== ErrorCode.NONE || result.divergingEpoch.endOffset !== -1 || result.preferredReadReplica !== -1
  )
}
