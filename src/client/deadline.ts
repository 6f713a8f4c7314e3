import { type Clock, holdProcess, sleep } from '../platform/index.ts'
import { KafkaError } from '../protocol/index.ts'

/** How long somebody is willing to wait, and a signal by which he may change his mind. */
export interface Patience {
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

/** A moment by which something has to be done. */
export class Patient {
  readonly #clock: Clock
  readonly #endMs: number
  readonly signal: AbortSignal | undefined

  constructor(clock: Clock, { timeoutMs, signal }: Patience) {
    this.#clock = clock
    this.#endMs = clock.monotonicMs() + timeoutMs
    this.signal = signal
    signal?.throwIfAborted()
  }

  /** Milliseconds that are left, 0 and up. */
  get leftMs(): number {
    return Math.max(0, this.#endMs - this.#clock.monotonicMs())
  }

  get isOver(): boolean {
    return this.leftMs === 0
  }

  /** Waits `delayMs`, but not beyond the end. @throws the signal's reason when it is aborted meanwhile */
  async pause(delayMs: number): Promise<void> {
    using _ = holdProcess()
    await abortable(sleep(this.#clock, Math.min(delayMs, this.leftMs)), this.signal)
  }

  /** @throws KafkaError REQUEST_TIMED_OUT that says `what` was not done, with the last failure as its cause */
  timedOut(what: string, cause?: unknown): KafkaError {
    const last = cause instanceof Error ? `: ${cause.message}` : ''
    return new KafkaError('REQUEST_TIMED_OUT', `${what} was not done in time${last}`, { cause })
  }
}

/** What `promise` settles to, unless `signal` is aborted first: then its reason is thrown and the promise left alone. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  signal.throwIfAborted()
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
