import { type Clock, holdProcess, sleep, type Timer } from '../platform/index.ts'
import { KafkaError } from '../protocol/index.ts'
import { abortable, throwIfEnded } from './abortable.ts'

/** How long somebody is willing to wait, and a signal by which he may change his mind. */
export interface Patience {
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

/** A moment by which something has to be done. */
export class Patient {
  readonly #clock: Clock
  readonly timeoutMs: number
  readonly #endMs: number
  readonly signal: AbortSignal | undefined

  /** @throws the reason of a signal that is aborted already; KafkaError INVALID_REQUEST for one that is none */
  constructor(clock: Clock, { timeoutMs, signal }: Patience) {
    throwIfEnded(signal)
    this.#clock = clock
    this.timeoutMs = timeoutMs
    this.#endMs = clock.monotonicMs() + timeoutMs
    this.signal = signal
  }

  /** Milliseconds that are left, 0 and up. */
  get leftMs(): number {
    return Math.max(0, this.#endMs - this.#clock.monotonicMs())
  }

  get isOver(): boolean {
    return this.leftMs === 0
  }

  /** Waits `delayMs`, but not beyond the end. @throws the signal's reason when it, or `other`, is aborted meanwhile */
  async pause(delayMs: number, other?: AbortSignal): Promise<void> {
    using _ = holdProcess()
    await abortable(abortable(sleep(this.#clock, Math.min(delayMs, this.leftMs)), this.signal), other)
  }

  /**
   * What `promise` settles to, unless the time is over or the signal aborted first: then the promise is left alone.
   * @throws what {@link timedOut} makes of `what` and the failure before this try; the signal's reason
   */
  async within<T>(promise: Promise<T>, what: string, lastFailure?: unknown): Promise<T> {
    if (this.#endMs === Number.POSITIVE_INFINITY) return abortable(promise, this.signal)
    let timer: Timer | undefined
    const late = new Promise<never>((_, reject) => {
      const check = (): void => {
        if (this.isOver) reject(this.timedOut(what, lastFailure))
        else timer = this.#clock.schedule(this.leftMs, check)
      }
      timer = this.#clock.schedule(this.leftMs, check)
    })
    try {
      return await abortable(Promise.race([promise, late]), this.signal)
    } finally {
      timer?.cancel()
    }
  }

  /** For what goes on behind the back of those who waited. @throws what {@link timedOut} makes when the time is over; the signal's reason */
  throwIfOver(what: string): void {
    this.signal?.throwIfAborted()
    if (this.isOver) throw this.timedOut(what)
  }

  /** REQUEST_TIMED_OUT that says `what` was not done, with the last failure as its cause; that failure itself where it says so already. */
  timedOut(what: string, cause?: unknown): KafkaError {
    if (cause instanceof OutOfTime) return cause
    const last = cause instanceof Error ? `: ${cause.message}` : ''
    return new OutOfTime('REQUEST_TIMED_OUT', `${what} was not done within ${this.timeoutMs} ms${last}`, { cause })
  }
}

/** That time is over, as {@link Patient.timedOut} says it, and not a broker. */
class OutOfTime extends KafkaError {}

/** Whether `promise` resolves within `limitMs`; resolves when that is known. @throws what it is rejected with meanwhile */
export async function inTime(promise: Promise<unknown>, clock: Clock, limitMs: number): Promise<boolean> {
  let timer: Timer | undefined
  const late = new Promise<false>(resolve => {
    timer = clock.schedule(limitMs, () => resolve(false))
  })
  try {
    return await Promise.race([promise.then(() => true), late])
  } finally {
    timer?.cancel()
  }
}
