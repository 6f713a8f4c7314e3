import { type Clock, Deadline, DeadlineQueue } from '../platform/index.ts'
import type { Watch, WatchList } from './watch-list.ts'

/** How long one turn may wake operations, in milliseconds, before other events get their turn. */
const WAKE_BUDGET_MS = 20

/** How many watches all waiting operations together may hold: about 100 bytes each. */
const MAX_WATCHES = 1_000_000

/**
 * Where operations wait until what they need has happened, or their time is over (Kafka's DelayedOperationPurgatory).
 *
 * Whoever changes a partition calls {@link touched}; that is free when nobody watches it. The watchers are woken once,
 * after the events of this turn of the loop, so a hundred appends of one turn cost a waiting fetch one look.
 */
export class Purgatory {
  readonly #clock: Clock
  readonly #deadlines: DeadlineQueue
  readonly #maxWatches: number
  #touched: WatchList[] = []
  #waking: Watch[] = []
  #isScheduled = false
  #watches = 0
  #operations = new Set<DelayedOperation>()

  constructor(clock: Clock, options: { readonly maxWatches?: number } = {}) {
    this.#clock = clock
    this.#deadlines = new DeadlineQueue(clock)
    this.#maxWatches = options.maxWatches ?? MAX_WATCHES
  }

  /** Operations that wait. */
  get size(): number {
    return this.#operations.size
  }

  /** Places in lists that they hold. */
  get watches(): number {
    return this.#watches
  }

  /** Whether an operation with so many watches may still enter; when not, it is to be answered with what there is. */
  hasRoomFor(watches: number): boolean {
    return this.#watches + watches <= this.#maxWatches
  }

  /** Lets an operation wait for at most `delayMs`. Its watches have joined their lists. */
  enter(operation: DelayedOperation, delayMs: number): void {
    operation.purgatory = this
    this.#operations.add(operation)
    this.#watches += operation.watchCount
    this.#deadlines.set(operation, delayMs)
  }

  /** Called by {@link DelayedOperation.leave}. */
  left(operation: DelayedOperation): void {
    if (!this.#operations.delete(operation)) return
    this.#watches -= operation.watchCount
    this.#deadlines.remove(operation)
  }

  /** Something about what `list` stands for has changed: its watchers are woken soon. */
  touched(list: WatchList): void {
    if (list.first === undefined || list.isQueued) return
    list.isQueued = true
    this.#touched.push(list)
    this.#schedule()
  }

  /** Completes every waiting operation with what there is. */
  close(): void {
    for (const operation of [...this.#operations]) operation.abandon()
    this.#deadlines.close()
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    this.#clock.soon(() => this.#wake())
  }

  #wake(): void {
    this.#isScheduled = false
    const lists = this.#touched
    this.#touched = []
    const waking = this.#waking
    for (const list of lists) {
      list.isQueued = false
      for (let watch = list.first; watch; watch = watch.next) waking.push(watch)
    }
    const untilMs = this.#clock.monotonicMs() + WAKE_BUDGET_MS
    let woken = 0
    while (woken < waking.length) {
      const watch = waking[woken++]!
      if (watch.isWatching) watch.wake()
      // Some read a few bytes, some many megabytes.
      if (this.#clock.monotonicMs() >= untilMs) break
    }
    this.#waking = woken < waking.length ? waking.slice(woken) : []
    if (this.#waking.length > 0) this.#schedule()
  }
}

/** Something that waits in a {@link Purgatory}. It is completed once: by what it waits for, by time, or by its owner. */
export abstract class DelayedOperation extends Deadline {
  /** Written by {@link Purgatory.enter}. */
  purgatory: Purgatory | undefined
  /** Places in watch lists that it holds, from entering to leaving. */
  abstract readonly watchCount: number

  /** Completes with what there is, at once: the broker stops. */
  abstract abandon(): void

  /** Leaves the purgatory. The subclass takes its watches out of their lists. */
  protected leave(): void {
    this.purgatory?.left(this)
  }
}
