import { FrameBudget } from './frame-budget.ts'

/** Whoever has replies that its peer has not read. */
export interface ReplyHolder {
  /** All bytes that the system has taken for the peer. */
  readonly takenBytes: number
  /** Ends the connection and lets go of its replies at once. */
  close(why: Error): void
}

/** So many times the limit may be held in all. */
const MOST_HELD = 2

/**
 * Memory of replies of all connections, from the moment they are made until they are sent. Up to its limit it is a budget like
 * any other, which fetches heed, for they can answer with less. Other replies are as large as they are, and a request that has
 * changed something must be answered: at twice the limit connections are closed, those first whose peers have taken nothing
 * for longest. So nobody waits for peers that do not read.
 */
export class ReplyMemory extends FrameBudget {
  /** Who has unsent replies, with how much the peer had taken when it was last looked at; looked at longest ago first. */
  readonly #holders = new Map<ReplyHolder, number>()

  /** Whether so much is held, with nobody left to disconnect for it, that no reply may become larger. */
  get isSpent(): boolean {
    return this.usedBytes > this.#mostBytes
  }

  get #mostBytes(): number {
    return MOST_HELD * this.limitBytes
  }

  /** Counts bytes of a reply that is being made. */
  hold(bytes: number): void {
    this.reserve(bytes)
    if (this.isSpent) this.#closeDeafest()
  }

  /** Counts bytes that are about to be sent to a peer: it has had no time to read them, and others go first. */
  queue(holder: ReplyHolder, bytes: number): void {
    if (!this.#holders.has(holder)) this.#holders.set(holder, holder.takenBytes)
    this.reserve(bytes)
    if (this.isSpent) this.#closeDeafest(holder)
  }

  /** Bytes were sent, or will never be. */
  letGo(holder: ReplyHolder, bytes: number, { isLast }: { readonly isLast: boolean }): void {
    if (isLast) this.#holders.delete(holder)
    this.release(bytes)
  }

  /** Who has taken something since the last look is passed over, until all have been looked at. */
  #closeDeafest(spared?: ReplyHolder): void {
    for (const [holder, seenBytes] of this.#holders) {
      if (!this.isSpent) return
      if (holder === spared) continue
      const { takenBytes } = holder
      if (takenBytes === seenBytes) {
        holder.close(new Error('it does not read its answers, and memory for answers is spent'))
      } else {
        this.#holders.delete(holder)
        this.#holders.set(holder, takenBytes)
      }
    }
  }
}
