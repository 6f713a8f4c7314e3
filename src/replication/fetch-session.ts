import { ErrorCode, ZERO_UUID } from '../protocol/index.ts'
import type { FetchRequest } from '../protocol/messages/01-fetch.ts'
import type { FetchPartition, FetchPartitionResult } from './fetch-result.ts'

/** Session id of a request or response without session. */
export const NO_SESSION = 0
/** Session epoch that asks for a new session. */
export const INITIAL_EPOCH = 0
/** Session epoch that ends the session and wants none. */
export const FINAL_EPOCH = -1

/** The epoch after `epoch`; it wraps to 1, because 0 would begin a new session. */
export function nextEpoch(epoch: number): number {
  return epoch === 0x7fff_ffff ? 1 : epoch + 1
}

type RequestedPartition = FetchRequest['topics'][number]['partitions'][number]

/**
 * What a session remembers of one partition: the last request for it and the offsets last answered. It stands in for the
 * partition's entry in the request, so an incremental fetch copies nothing.
 */
export class SessionPartition implements FetchPartition {
  topic: string | undefined
  readonly topicId: string
  readonly partition: number
  fetchOffset: number
  maxBytes: number
  currentLeaderEpoch: number
  lastFetchedEpoch: number
  logStartOffset: number
  /** As last answered; -1 before the first answer and after an error. */
  #highWatermark = -1
  #leaderLogStartOffset = -1

  constructor(topic: { readonly name: string | undefined; readonly id: string }, request: RequestedPartition) {
    this.topic = topic.name
    this.topicId = topic.id
    this.partition = request.partition
    this.fetchOffset = request.fetchOffset
    this.maxBytes = request.partitionMaxBytes
    this.currentLeaderEpoch = request.currentLeaderEpoch
    this.lastFetchedEpoch = request.lastFetchedEpoch
    this.logStartOffset = request.logStartOffset
  }

  /** A later request of the session named the partition again. */
  update(newer: SessionPartition): void {
    this.fetchOffset = newer.fetchOffset
    this.maxBytes = newer.maxBytes
    this.currentLeaderEpoch = newer.currentLeaderEpoch
    this.lastFetchedEpoch = newer.lastFetchedEpoch
    this.logStartOffset = newer.logStartOffset
  }

  /** Notes what is being answered. Says whether an incremental response must carry it. */
  answer(result: FetchPartitionResult): boolean {
    const failed = result.errorCode !== ErrorCode.NONE
    const changed =
      failed ||
      result.recordBytes > 0 ||
      result.highWatermark !== this.#highWatermark ||
      result.logStartOffset !== this.#leaderLogStartOffset ||
      result.preferredReadReplica !== -1 ||
      result.divergingEpoch.endOffset !== -1
    // After an error the partition is answered again as soon as it works, changed or not.
    this.#highWatermark = failed ? -1 : result.highWatermark
    this.#leaderLogStartOffset = result.logStartOffset
    return changed
  }

  /** Identity within a session: by id where the session goes by ids, else by name. */
  get key(): string {
    return sessionKey(this.topicId === ZERO_UUID ? (this.topic ?? '') : this.topicId, this.partition)
  }
}

/** No topic name and no id contains a slash. */
export function sessionKey(topic: string, partition: number): string {
  return `${topic}/${partition}`
}

/**
 * An incremental fetch session (KIP-227): the partitions that a client keeps fetching, so that its requests name only
 * what changes and the responses only what has news. The map's order is the order of reading; a partition that gave
 * records goes to its end, so that one busy partition cannot starve the others of `max.bytes`.
 */
export class FetchSession {
  readonly id: number
  /** A follower's: it may push out consumers' sessions. */
  readonly isPrivileged: boolean
  /** Its requests name topics by id (v13 and later). */
  readonly usesTopicIds: boolean
  readonly createdMs: number
  lastUsedMs: number
  /** Epoch that the next request must have. */
  epoch: number
  readonly partitions: Map<string, SessionPartition>
  /** Partitions as the cache last counted them. */
  countedPartitions = 0

  constructor(options: {
    readonly id: number
    readonly isPrivileged: boolean
    readonly usesTopicIds: boolean
    readonly nowMs: number
    readonly partitions: Map<string, SessionPartition>
  }) {
    this.id = options.id
    this.isPrivileged = options.isPrivileged
    this.usesTopicIds = options.usesTopicIds
    this.createdMs = options.nowMs
    this.lastUsedMs = options.nowMs
    this.epoch = nextEpoch(INITIAL_EPOCH)
    this.partitions = options.partitions
  }

  /** Takes over what a request says: changed and new partitions, and those to forget. */
  update(changed: readonly SessionPartition[], forgotten: readonly string[]): void {
    for (const partition of changed) {
      const key = partition.key
      const known = this.partitions.get(key)
      if (known) known.update(partition)
      else this.partitions.set(key, partition)
    }
    for (const key of forgotten) this.partitions.delete(key)
  }

  /** Moves a partition to the end of the order of reading. */
  moveToEnd(partition: SessionPartition): void {
    const key = partition.key
    if (this.partitions.delete(key)) this.partitions.set(key, partition)
  }
}
