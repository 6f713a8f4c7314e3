/** How new connections may come: Kafka's quota windows over `max.connection.creation.rate` (KIP-612). */
export interface RateLimit {
  /** Connections a second; 0 is taken as the slowest there is, one in {@link windowMs}. */
  readonly perSecond: number
  /** What was not used of so long may be caught up with at once. */
  readonly windowMs: number
}

/** Above this nobody is counted: `max.connection.creation.rate` is 2^31-1 where it is not set. */
const UNLIMITED_PER_SECOND = 2 ** 31 - 1

/**
 * Tells each new connection how long it has to wait, so that in any window no more are served than the rate allows.
 * The limit may be another one each time. It keeps one number, however many come.
 */
export class ConnectionRate {
  /** When the limit will have caught up with everybody let in, in monotonic milliseconds. */
  #settledMs = Number.NEGATIVE_INFINITY

  /** How many milliseconds a connection that comes now would have to wait: 0 within the limit. */
  waitMs(nowMs: number, limit: RateLimit): number {
    return limit.perSecond >= UNLIMITED_PER_SECOND ? 0 : Math.max(0, this.#after(nowMs, limit) - nowMs - limit.windowMs)
  }

  /** Counts a connection that was let in. */
  letIn(nowMs: number, limit: RateLimit): void {
    if (limit.perSecond < UNLIMITED_PER_SECOND) this.#settledMs = this.#after(nowMs, limit)
  }

  /** Whether it has caught up with everybody, and so is as good as a new one. */
  isSettled(nowMs: number): boolean {
    return this.#settledMs <= nowMs
  }

  #after(nowMs: number, { perSecond, windowMs }: RateLimit): number {
    const spacingMs = perSecond > 0 ? 1_000 / perSecond : windowMs
    return Math.max(this.#settledMs, nowMs) + spacingMs
  }
}
