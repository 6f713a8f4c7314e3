import type { Clock } from './clock.ts'

/**
 * For long work in small pieces: the function returned is called before each piece, and after every `pieces` of them lets
 * the event loop have its turn.
 *
 * ```ts
 * const turn = inTurns(clock, 500)
 * for (const topic of topics) {
 *   await turn()
 *   plan(topic)
 * }
 * ```
 */
export function inTurns(clock: Clock, pieces: number): () => Promise<void> | undefined {
  let done = 0
  return () => {
    if (done++ < pieces) return undefined
    done = 1
    return new Promise(resolve => clock.soon(resolve))
  }
}
