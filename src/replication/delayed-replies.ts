import type { Partition } from './partition.ts'
import { DelayedOperation, type Purgatory } from './purgatory.ts'
import { Watch } from './watch-list.ts'

/** One partition's part of a request that waits for replication. */
export interface PendingReply {
  readonly partition: Partition
  /** Looks whether the partition is through, and if so records how. */
  settle(): boolean
  /** The time is over. */
  timedOut(): void
}

/**
 * A request that waits until each of its partitions has replicated something: Produce with acks=all, DeleteRecords
 * (Kafka's DelayedProduce and DelayedDeleteRecords). It is complete when the last partition is settled or its time is
 * over.
 */
export class DelayedReplies extends DelayedOperation {
  /** Resolves when every reply is settled or timed out. */
  readonly done: Promise<void>
  readonly watchCount: number
  readonly #watches = new Set<ReplyWatch>()
  #resolve: () => void = () => {}

  /** Begins to wait for `replies`, none of which is settled yet and at least one of which there is. */
  constructor(replies: readonly PendingReply[], how: { timeoutMs: number; purgatory: Purgatory }) {
    super()
    this.watchCount = replies.length
    this.done = new Promise(resolve => {
      this.#resolve = resolve
    })
    for (const reply of replies) {
      const watch = new ReplyWatch(this, reply)
      this.#watches.add(watch)
      watch.join(reply.partition.watches)
    }
    how.purgatory.enter(this, how.timeoutMs)
  }

  /** From one of the watches: its reply is settled. */
  settled(watch: ReplyWatch): void {
    watch.leave()
    this.#watches.delete(watch)
    if (this.#watches.size > 0) return
    this.leave()
    this.#resolve()
  }

  override expired(): void {
    for (const watch of this.#watches) {
      if (!watch.reply.settle()) watch.reply.timedOut()
      this.settled(watch)
    }
  }

  override abandon(): void {
    this.expired()
  }
}

class ReplyWatch extends Watch {
  readonly reply: PendingReply
  readonly #owner: DelayedReplies

  constructor(owner: DelayedReplies, reply: PendingReply) {
    super()
    this.#owner = owner
    this.reply = reply
  }

  override wake(): void {
    if (this.reply.settle()) this.#owner.settled(this)
  }
}
