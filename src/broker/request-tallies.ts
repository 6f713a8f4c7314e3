import type { Handler } from './handler.ts'
import type { RequestObserver } from './request-dispatcher.ts'

/** What has been counted of an API since the last {@link RequestTallies.take}. */
export interface Tally {
  /** Name of the API. */
  readonly request: string
  readonly count: number
  readonly bytes: number
  readonly durationMs: number
}

/** Plain sums per API: three additions a request, whether or not anybody ever asks for them. */
export class RequestTallies implements RequestObserver {
  #tallies: ({ -readonly [K in keyof Tally]: Tally[K] } | undefined)[] = []

  answered(api: Handler, durationMs: number, requestBytes: number): void {
    let tally = this.#tallies[api.apiKey]
    if (!tally) {
      tally = { request: api.name, count: 0, bytes: 0, durationMs: 0 }
      this.#tallies[api.apiKey] = tally
    }
    tally.count += 1
    tally.bytes += requestBytes
    tally.durationMs += durationMs
  }

  /** What was counted, which begins anew from zero. */
  take(): Tally[] {
    const taken = this.#tallies.filter(tally => tally !== undefined)
    this.#tallies = []
    return taken
  }
}
