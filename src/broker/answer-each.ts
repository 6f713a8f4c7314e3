/** Answers each of the entries of a request, one in a piece (see `ServerConnection.inPieces`). */
export function* answerEach<E, A>(entries: Iterable<E>, answer: (entry: E) => A): Generator<void, A[]> {
  const answers: A[] = []
  for (const entry of entries) {
    answers.push(answer(entry))
    yield
  }
  return answers
}

/** Has entries that are the same share one answer: what a small entry is answered with may be a thousand times as large. */
export function answeredOnce<E, A>(answer: (entry: E) => A): (entry: E) => A {
  const answers = new Map<string, A>()
  return entry => {
    const key = JSON.stringify(entry)
    let known = answers.get(key)
    if (known === undefined) {
      known = answer(entry)
      answers.set(key, known)
    }
    return known
  }
}
