/** Somebody whose place another may take: a member of a group's generation, a producer of a transactional id. */
export interface Session {
  /** What there is one of at a time: a group, a transactional id. */
  readonly of: string
  /** Rises with each who takes the place: the generation, or the count of producers so far. */
  readonly number: number
}

/** A record as it was sent. Values are unlike any other value of the history. */
export interface SentRecord {
  readonly key?: string
  readonly value: string
}

/** A record as it was read. */
export interface ReadRecord {
  readonly offset: number
  /** The leader epoch of its batch; -1 where the reader is not told. */
  readonly epoch: number
  readonly value: string
}

/** Who may see what: everything, or what committed transactions wrote. */
export type Isolation = 'uncommitted' | 'committed'

/** One batch for one partition. Its result has the offset of its first record where the producer was told. */
export interface Produce {
  readonly kind: 'produce'
  /** A producer id with its epoch, or who else promises nothing twice and in order; unlike any other producer. */
  readonly producer: string
  readonly partition: string
  readonly records: readonly SentRecord[]
  /** The transaction it belongs to; unlike any other. */
  readonly transaction?: string
  readonly isIdempotent: boolean
  /** Whether its acknowledgement promises to survive what the history calls a lossy crash. */
  readonly survives: boolean
  readonly session?: Session
}

/** The end of a transaction. */
export interface EndTransaction {
  readonly kind: 'end'
  readonly transaction: string
  readonly isCommit: boolean
  readonly session?: Session
}

/** Sets the offset of a group in a partition, with a transaction when it commits. */
export interface CommitOffset {
  readonly kind: 'commit-offset'
  readonly group: string
  readonly partition: string
  readonly offset: number
  readonly transaction?: string
  readonly survives: boolean
  readonly session?: Session
  /** Beside the session in its group, the place of a static member: processes of an instance take it one after the other. */
  readonly instance?: Session
}

/** Asks for the settled offset of a group in a partition: the result's `offset`, -1 where there is none. */
export interface FetchOffset {
  readonly kind: 'fetch-offset'
  readonly group: string
  readonly partition: string
}

/**
 * A consumer reads on from `position`; the result has the records and the position after them. A position that is not the
 * one before is allowed where the consumer says that it `seeks`.
 */
export interface Poll {
  readonly kind: 'poll'
  readonly consumer: string
  readonly partition: string
  readonly isolation: Isolation
  readonly position: number
  readonly seeks: boolean
}

/** A whole partition is read while nobody writes. The result's `offset` is where it begins. */
export interface Audit {
  readonly kind: 'audit'
  readonly partition: string
  readonly isolation: Isolation
}

/**
 * Takes the place that {@link Session} means; the result has the session and, in a group, the partitions. What a
 * cooperative member `keeps` while it asks, nobody else may be given at the same time.
 */
export interface TakePlace {
  readonly kind: 'take-place'
  readonly of: string
  readonly who: string
  readonly keeps?: readonly string[]
  readonly survives: boolean
}

/** Records below an offset are to go. */
export interface Trim {
  readonly kind: 'trim'
  readonly partition: string
  readonly offset: number
}

/** The broker's process ends. `isLossy`: what was not synced may be gone. */
export interface Crash {
  readonly kind: 'crash'
  readonly isLossy: boolean
}

export type Operation = Produce | EndTransaction | CommitOffset | FetchOffset | Poll | Audit | TakePlace | Trim | Crash

/** What came of an operation that went well; see each operation for the fields that it has. */
export interface Result {
  readonly offset?: number
  readonly records?: readonly ReadRecord[]
  readonly next?: number
  readonly session?: Session
  readonly partitions?: readonly string[]
}

/**
 * A line of a history, in the order of time. `ok`: it was done. `fail`: it was surely not done. `info`, as no end at all:
 * nobody knows, and it may yet be done at any time. `retry`: it was sent once more.
 */
export type HistoryEvent =
  | { readonly stage: 'invoke'; readonly id: number; readonly operation: Operation }
  | { readonly stage: 'retry'; readonly id: number }
  | { readonly stage: 'ok'; readonly id: number; readonly result: Result }
  | { readonly stage: 'fail'; readonly id: number; readonly why?: string }
  | { readonly stage: 'info'; readonly id: number; readonly why?: string }

/** Writes a history down. */
export class HistoryRecorder {
  readonly events: HistoryEvent[] = []
  #operations = 0

  add(event: HistoryEvent): void {
    this.events.push(event)
  }

  /** Returns the id by which the end of the operation is told. */
  invoke(operation: Operation): number {
    this.#operations += 1
    this.add({ stage: 'invoke', id: this.#operations, operation })
    return this.#operations
  }

  retry(id: number): void {
    this.add({ stage: 'retry', id })
  }

  ok(id: number, result: Result = {}): void {
    this.add({ stage: 'ok', id, result })
  }

  fail(id: number, why?: string): void {
    this.add({ stage: 'fail', id, ...(why === undefined ? {} : { why }) })
  }

  info(id: number, why?: string): void {
    this.add({ stage: 'info', id, ...(why === undefined ? {} : { why }) })
  }

  /** An operation that is done at once. */
  note(operation: Operation, result: Result = {}): void {
    this.ok(this.invoke(operation), result)
  }
}
