/** What a process has of its transactional id, as far as clients can know. */
export interface Claim {
  /** Another has asked for the id since, or was perhaps still asking before: it may have taken it. */
  isDisputed: boolean
  /** Nobody knows yet, or ever, what became of its asking. */
  isAsking: boolean
}

/** Who has asked for which transactional id. */
export class Claims {
  readonly #claims = new Map<string, Claim[]>()

  /** A process begins to ask for the id. */
  begin(transactionalId: string): Claim {
    const others = this.#claims.get(transactionalId) ?? []
    const claim = { isDisputed: others.some(({ isAsking }) => isAsking), isAsking: true }
    for (const other of others) other.isDisputed = true
    this.#claims.set(transactionalId, [...others, claim])
    return claim
  }
}
