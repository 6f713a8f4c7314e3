/**
 * Answers each of the entries of a request, one in a piece (see `ServerConnection.inPieces`). Entries that are the same share one
 * answer: what a small entry is answered with may be a thousand times as large.
 */
export function* answerEach<E, A>(entries: Iterable<E>, answer: (entry: E) => A): Generator<void, A[]> {
  const answers = new Map<string, A>()
  const all: A[] = []
  for (const entry of entries) {
    const key = JSON.stringify(entry)
    let known = answers.get(key)
    if (known === undefined) {
      known = answer(entry)
      answers.set(key, known)
    }
    all.push(known)
    yield
  }
  return all
}
