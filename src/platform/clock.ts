/**
 * Time as everything above this layer sees it. `now` is the wall clock and may jump; whatever measures a duration or a
 * deadline uses `monotonicMs`, which never goes back.
 */
export interface Clock {
  /** Wall clock: milliseconds since 1970, a whole number. */
  now(): number
  /** Milliseconds since an arbitrary start, with fractions; never goes back. */
  monotonicMs(): number
  /** Calls `callback` once, `delayMs` from now (0 to 2^31-1; longer delays are cut to that). */
  schedule(delayMs: number, callback: () => void): Timer
  /** Calls `callback` after the events of this turn of the loop, before timers. */
  soon(callback: () => void): void
}

/** A pending call of {@link Clock.schedule}. */
export interface Timer {
  /** Takes the call back; does nothing if it has been made. */
  cancel(): void
}

const LONGEST_DELAY_MS = 2 ** 31 - 1

/** The machine's clock. Its timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  schedule(delayMs, callback) {
    const handle = setTimeout(callback, Math.min(Math.max(delayMs, 0), LONGEST_DELAY_MS))
    handle.unref()
    return { cancel: () => clearTimeout(handle) }
  },
  soon: callback => {
    setImmediate(callback)
  },
}

/** A moment of the wall clock for people to read, in UTC: `Mon, 23 Nov 2026 21:01:39 GMT`. */
export function dateText(wallClockMs: number): string {
  return new Date(wallClockMs).toUTCString()
}

/** The moment that a date of ISO 8601 names (`2026-01-31T12:00:00Z`), in milliseconds since 1970; undefined for what is none. */
export function momentOf(date: string): number | undefined {
  if (!/^\d{4}-\d\d(?:-\d\d)?(?:T.*)?$/.test(date)) return undefined
  const moment = Date.parse(date)
  return Number.isNaN(moment) ? undefined : moment
}

/** A moment as a date of ISO 8601, in UTC; undefined beyond the years that have one. */
export function isoDate(wallClockMs: number): string | undefined {
  const date = new Date(wallClockMs)
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString()
}

/** Resolves `delayMs` from now on `clock`. */
export function sleep(clock: Clock, delayMs: number): Promise<void> {
  return new Promise(resolve => {
    clock.schedule(delayMs, resolve)
  })
}

/** Keeps the process alive until it is disposed of: for a program that has nothing open but waits for a timer. */
export function holdProcess(): Disposable {
  const handle = setInterval(() => undefined, LONGEST_DELAY_MS)
  return { [Symbol.dispose]: () => clearInterval(handle) }
}
