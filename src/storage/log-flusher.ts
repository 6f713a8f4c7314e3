import { KafkaError } from '../protocol/index.ts'

/** Someone who waits for an offset to be synced. */
interface Waiter {
  readonly offset: number
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** What a {@link LogFlusher} flushes. */
export interface FlushTarget {
  readonly logEndOffset: number
  /** Resolves when all that was in the log at the call below `endOffset` survives a power cut. */
  syncUpTo(from: number, endOffset: number): Promise<void>
}

/**
 * Group commit of one log: one sync at a time, and whoever comes while it runs waits for the next one, which takes in
 * all that was appended meanwhile. The recovery point is the offset below which everything is synced.
 */
export class LogFlusher {
  readonly #target: FlushTarget
  #recoveryPoint: number
  #waiters: Waiter[] = []
  #running = false
  /** The lowest offset that the log was cut to while a sync ran, whose success says nothing about what came after. */
  #cutTo = Number.POSITIVE_INFINITY
  /** The log is about to be cut to this offset: the recovery point stays below until it is. */
  #limit = Number.POSITIVE_INFINITY

  constructor(target: FlushTarget, recoveryPoint: number) {
    this.#target = target
    this.#recoveryPoint = recoveryPoint
  }

  /** All below it survives a power cut. */
  get recoveryPoint(): number {
    return this.#recoveryPoint
  }

  /**
   * Resolves when everything below `offset` survives a power cut.
   *
   * @throws KAFKA_STORAGE_ERROR when the disk failed, NOT_LEADER_OR_FOLLOWER when the log was cut below `offset`
   */
  flushed(offset: number): Promise<void> {
    if (offset <= this.#recoveryPoint) return Promise.resolve()
    if (offset > this.#limit) return Promise.reject(cutBelow(this.#limit))
    return new Promise((resolve, reject) => {
      this.#waiters.push({ offset, resolve, reject })
      if (!this.#running) void this.#run()
    })
  }

  /** The log is going to be cut to `offset`, and nothing above that counts as synced any more. */
  cutBegins(offset: number): void {
    this.#limit = offset
    this.truncated(offset)
  }

  /** The log is cut, or will not be. */
  cutEnds(): void {
    this.#limit = Number.POSITIVE_INFINITY
  }

  /** Between {@link cutBegins} and {@link cutEnds}. */
  get isBeingCut(): boolean {
    return this.#limit !== Number.POSITIVE_INFINITY
  }

  /** The log was cut to `offset`. */
  truncated(offset: number): void {
    this.#recoveryPoint = Math.min(this.#recoveryPoint, offset)
    this.#cutTo = Math.min(this.#cutTo, offset)
    const gone = this.#waiters.filter(waiter => waiter.offset > offset)
    this.#waiters = this.#waiters.filter(waiter => waiter.offset <= offset)
    for (const { reject } of gone) reject(cutBelow(offset))
  }

  /** The log now begins at `offset`. */
  startMoved(offset: number): void {
    this.#recoveryPoint = Math.max(this.#recoveryPoint, offset)
  }

  async #run(): Promise<void> {
    this.#running = true
    try {
      while (this.#waiters.length > 0) {
        const endOffset = this.#target.logEndOffset
        this.#cutTo = Number.POSITIVE_INFINITY
        await this.#target.syncUpTo(this.#recoveryPoint, endOffset)
        this.#recoveryPoint = Math.max(this.#recoveryPoint, Math.min(endOffset, this.#cutTo, this.#limit))
        const done = this.#waiters.filter(({ offset }) => offset <= this.#recoveryPoint)
        this.#waiters = this.#waiters.filter(({ offset }) => offset > this.#recoveryPoint)
        for (const { resolve } of done) resolve()
      }
    } catch (error) {
      for (const { reject } of this.#waiters.splice(0)) reject(error)
    } finally {
      this.#running = false
    }
  }
}

function cutBelow(offset: number): KafkaError {
  return new KafkaError('NOT_LEADER_OR_FOLLOWER', `log cut to ${offset}`)
}
