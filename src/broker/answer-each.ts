import { type Clock, inTurns } from '../platform/index.ts'

/**
 * Answers each of the entries of a request, `inATurn` of them in a turn of the event loop. Entries that are the same share one
 * answer: what a small entry is answered with may be a thousand times as large.
 */
export async function answerEach<E, A>(
  entries: readonly E[],
  answer: (entry: E) => A,
  { clock, inATurn }: { readonly clock: Clock; readonly inATurn: number },
): Promise<A[]> {
  const turn = inTurns(clock, inATurn)
  const answers = new Map<string, A>()
  const all: A[] = []
  for (const entry of entries) {
    await turn()
    const key = JSON.stringify(entry)
    let known = answers.get(key)
    if (known === undefined) {
      known = answer(entry)
      answers.set(key, known)
    }
    all.push(known)
  }
  return all
}
