import type { OffsetCommitValue } from '../../protocol/messages/data/group-records.ts'

/** An offset that a group has committed for a partition. */
export interface CommittedOffset {
  readonly offset: number
  /** -1 if the client did not say. */
  readonly leaderEpoch: number
  readonly metadata: string
  /** Wall clock of the commit. */
  readonly commitTimestamp: number
  /** When it expires whatever the group does, if the client asked for that (OffsetCommit v2 to v4); else -1. */
  readonly expireTimestamp: number
  /** Where the commit's batch begins in the log: the later of two commits counts, in whatever order they become known. */
  readonly batchOffset: number
}

type ByPartition<Value> = Map<string, Map<number, Value>>

/**
 * The offsets of one group. Committed ones change by replay alone. Beside them stand the commits that are on their way
 * into the log, and those of transactions that have not ended.
 */
export class GroupOffsets {
  readonly #committed: ByPartition<CommittedOffset> = new Map()
  /** Per partition, how many commits are being appended. */
  readonly #appending: ByPartition<number> = new Map()
  readonly #transactional = new Map<number, ByPartition<CommittedOffset>>()
  #size = 0

  /** Partitions with a committed offset. */
  get size(): number {
    return this.#size
  }

  /** Whether there would be nothing left without `count` committed offsets. */
  isEmptyWithout(count: number): boolean {
    return this.#size === count && this.#appending.size === 0 && this.#transactional.size === 0
  }

  get(topic: string, partition: number): CommittedOffset | undefined {
    return this.#committed.get(topic)?.get(partition)
  }

  /** Topics with a committed offset. */
  topics(): Iterable<string> {
    return this.#committed.keys()
  }

  /** Committed offsets of a topic. */
  partitions(topic: string): ReadonlyMap<number, CommittedOffset> {
    return this.#committed.get(topic) ?? NO_OFFSETS
  }

  /** Every partition with an offset, be it committed, under way, or in an open transaction. */
  *keys(): Generator<{ readonly topic: string; readonly partition: number }, void, undefined> {
    yield* keysOf(this.#committed)
    for (const others of [this.#appending, ...this.#transactional.values()]) {
      for (const key of keysOf(others)) if (this.get(key.topic, key.partition) === undefined) yield key
    }
  }

  /** Whether the committed offset may change by a commit or a transaction that is under way (KIP-447). */
  isUnstable(topic: string, partition: number): boolean {
    if (this.isAppending(topic, partition)) return true
    for (const offsets of this.#transactional.values()) if (offsets.get(topic)?.has(partition)) return true
    return false
  }

  /** Whether a commit for the partition is on its way into the log. */
  isAppending(topic: string, partition: number): boolean {
    return this.#appending.get(topic)?.has(partition) ?? false
  }

  /** A commit for the partition is given to the log; {@link endAppend} must follow, however it goes. */
  beginAppend(topic: string, partition: number): void {
    const count = this.#appending.get(topic)?.get(partition) ?? 0
    put(this.#appending, { topic, partition }, count + 1)
  }

  endAppend(topic: string, partition: number): void {
    const count = this.#appending.get(topic)?.get(partition) ?? 0
    if (count > 1) put(this.#appending, { topic, partition }, count - 1)
    else remove(this.#appending, { topic, partition })
  }

  /** Replays a commit, a tombstone (null), or either as part of a producer's transaction. */
  replay(
    key: { readonly topic: string; readonly partition: number },
    value: OffsetCommitValue | null,
    at: { readonly batchOffset: number; readonly transactionOf: number | undefined },
  ): void {
    const committed = value && committedOffset(value, at.batchOffset)
    if (at.transactionOf !== undefined) {
      this.#replayTransactional(key, committed, at.transactionOf)
    } else if (committed === null) {
      this.#remove(key)
    } else {
      this.#putIfNewer(key, committed)
    }
  }

  /** The producer's transaction has ended. */
  endTransaction(producerId: number, result: 'commit' | 'abort'): void {
    const pending = this.#transactional.get(producerId)
    this.#transactional.delete(producerId)
    if (pending === undefined || result === 'abort') return
    for (const [topic, partitions] of pending) {
      for (const [partition, offset] of partitions) this.#putIfNewer({ topic, partition }, offset)
    }
  }

  #replayTransactional(key: Key, offset: CommittedOffset | null, producerId: number): void {
    let pending = this.#transactional.get(producerId)
    if (offset === null) {
      if (pending !== undefined) remove(pending, key)
      if (pending?.size === 0) this.#transactional.delete(producerId)
      return
    }
    if (pending === undefined) {
      pending = new Map()
      this.#transactional.set(producerId, pending)
    }
    put(pending, key, offset)
  }

  #putIfNewer(key: Key, offset: CommittedOffset): void {
    const current = this.get(key.topic, key.partition)
    if (current !== undefined && current.batchOffset > offset.batchOffset) return
    if (current === undefined) this.#size += 1
    put(this.#committed, key, offset)
  }

  #remove(key: Key): void {
    if (remove(this.#committed, key)) this.#size -= 1
    // What a transaction still holds for the partition goes with it, as when the topic was deleted.
    for (const [producerId, pending] of this.#transactional) {
      remove(pending, key)
      if (pending.size === 0) this.#transactional.delete(producerId)
    }
  }
}

interface Key {
  readonly topic: string
  readonly partition: number
}

const NO_OFFSETS: ReadonlyMap<number, CommittedOffset> = new Map()

function committedOffset(value: OffsetCommitValue, batchOffset: number): CommittedOffset {
  const { offset, leaderEpoch, metadata, commitTimestamp, expireTimestamp } = value
  return { offset, leaderEpoch, metadata, commitTimestamp, expireTimestamp, batchOffset }
}

function* keysOf(map: ByPartition<unknown>): Generator<Key, void, undefined> {
  for (const [topic, partitions] of map) for (const partition of partitions.keys()) yield { topic, partition }
}

function put<Value>(map: ByPartition<Value>, key: Key, value: Value): void {
  const partitions = map.get(key.topic)
  if (partitions === undefined) map.set(key.topic, new Map([[key.partition, value]]))
  else partitions.set(key.partition, value)
}

function remove<Value>(map: ByPartition<Value>, key: Key): boolean {
  const partitions = map.get(key.topic)
  if (partitions === undefined || !partitions.delete(key.partition)) return false
  if (partitions.size === 0) map.delete(key.topic)
  return true
}
