import type { HistoryEvent, Operation, Produce, Result } from './history.ts'

/** An operation from its beginning to its end. */
export interface Done<T extends Operation = Operation> {
  readonly operation: T
  /** Its place in the history. */
  readonly invokedAt: number
  /** Where it was over; infinite where nobody knows. */
  readonly endedAt: number
  readonly outcome: 'ok' | 'fail' | 'info'
  readonly retries: number
  readonly result: Result
}

type Kind = Operation['kind']
type OfKind<K extends Kind> = Done<Extract<Operation, { readonly kind: K }>>

/** The operations of a history, by kind. */
export class Operations {
  readonly #byKind = new Map<Kind, Done[]>()

  constructor(events: readonly HistoryEvent[]) {
    const ends = new Map<number, { at: number; event: HistoryEvent }>()
    const retries = new Map<number, number>()
    for (const [at, event] of events.entries()) {
      if (event.stage === 'retry') retries.set(event.id, (retries.get(event.id) ?? 0) + 1)
      else if (event.stage !== 'invoke') ends.set(event.id, { at, event })
    }
    for (const [invokedAt, event] of events.entries()) {
      if (event.stage !== 'invoke') continue
      const { at = Number.POSITIVE_INFINITY, event: end } = ends.get(event.id) ?? {}
      const outcome = end?.stage === 'ok' || end?.stage === 'fail' ? end.stage : 'info'
      const done: Done = {
        operation: event.operation,
        invokedAt,
        endedAt: outcome === 'info' ? Number.POSITIVE_INFINITY : at,
        outcome,
        retries: retries.get(event.id) ?? 0,
        result: end?.stage === 'ok' ? end.result : {},
      }
      const { kind } = event.operation
      this.#byKind.set(kind, [...(this.#byKind.get(kind) ?? []), done])
    }
  }

  /** In the order in which they began. */
  all<K extends Kind>(kind: K): readonly OfKind<K>[] {
    return (this.#byKind.get(kind) ?? []) as unknown as readonly OfKind<K>[]
  }

  /** Those that went well. */
  ok<K extends Kind>(kind: K): readonly OfKind<K>[] {
    return this.all(kind).filter(({ outcome }) => outcome === 'ok')
  }

  /** Whether a crash after a place of the history, and before another, may have lost what was not synced. */
  wasLossyAfter(at: number, before = Number.POSITIVE_INFINITY): boolean {
    return this.all('crash').some(
      ({ operation, invokedAt }) => operation.isLossy && invokedAt > at && invokedAt < before,
    )
  }

  /** Whether what an acknowledged operation did must still be there at the end. */
  mustRemain({ operation, endedAt }: Done<Produce>): boolean {
    return operation.survives || !this.wasLossyAfter(endedAt)
  }
}

/** What a checker found, in the words of `Verdict`. */
export interface Anomaly {
  readonly verdict: Verdict
  readonly text: string
}

/**
 * What can be wrong with a history:
 *
 * - `lost`: an acknowledged record is not there
 * - `duplicate`: a record is there more often than it was sent, or twice in spite of idempotence
 * - `reordered`: records are not in the order in which they were acknowledged, or a producer sent them
 * - `inconsistent offset`: an offset has two records, or a record is not at the offset that its producer was told
 * - `unwritten`: something is there that nobody wrote, or whose writer was told that it was refused
 * - `aborted read`: a reader of committed records saw one whose transaction is not committed
 * - `torn transaction`: a part of a transaction is there
 * - `skipped`: a consumer went past a record
 * - `not monotonic`: a consumer's records do not rise, or it is not where it was
 * - `offset regression`: the offset of a group is behind one that was acknowledged
 * - `unseen after recovery`: what a consumer saw is not there any more
 * - `zombie`: somebody whose place was taken was let through
 * - `owned twice`: two members of a generation own a partition
 * - `generation regression`: a later place has a smaller number
 */
export type Verdict =
  | 'lost'
  | 'duplicate'
  | 'reordered'
  | 'inconsistent offset'
  | 'unwritten'
  | 'aborted read'
  | 'torn transaction'
  | 'skipped'
  | 'not monotonic'
  | 'offset regression'
  | 'unseen after recovery'
  | 'zombie'
  | 'owned twice'
  | 'generation regression'

/** Takes what is found. */
export type Report = (verdict: Verdict, text: string) => void
