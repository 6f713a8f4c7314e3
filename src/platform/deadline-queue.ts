import type { Clock, Timer } from './clock.ts'

/**
 * Many deadlines on one timer of the clock. Two ways of living with it are cheap: a session moves its deadline further
 * away at each heartbeat, which is one assignment, for the queue looks again only when the old time comes; and a waiting
 * fetch, completed long before, takes its deadline out. Deadlines of one moment run in no order to depend on.
 */
export class DeadlineQueue {
  readonly #clock: Clock
  /** Binary heap by `queuedAtMs`; each deadline is in it at most once. */
  readonly #heap: Deadline[] = []
  #timer: Timer | undefined
  #timerAtMs = Number.POSITIVE_INFINITY

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Deadlines that are queued, cancelled ones included until their time comes. */
  get size(): number {
    return this.#heap.length
  }

  /** A deadline that calls `callback`; it is not set yet. */
  create(callback: () => void): Deadline {
    return new CallbackDeadline(callback)
  }

  /** Sets or moves the deadline to `afterMs` from now. */
  set(deadline: Deadline, afterMs: number): void {
    const atMs = this.#clock.monotonicMs() + Math.max(afterMs, 0)
    deadline.atMs = atMs
    if (deadline.queuedAtMs <= atMs) return
    if (deadline.heapIndex >= 0) {
      deadline.queuedAtMs = atMs
      this.#siftUp(deadline.heapIndex)
    } else {
      this.#push(deadline, atMs)
    }
    this.#arm()
  }

  /** Takes a deadline out; does nothing when it is not set. It can be set again. */
  remove(deadline: Deadline): void {
    deadline.unset()
    const index = deadline.heapIndex
    if (index < 0) return
    const last = this.#heap.pop()!
    deadline.heapIndex = -1
    deadline.queuedAtMs = Number.POSITIVE_INFINITY
    if (last === deadline) return
    this.#place(last, index)
    this.#siftUp(index)
    this.#siftDown(last.heapIndex)
  }

  /** Cancels everything. */
  close(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#timerAtMs = Number.POSITIVE_INFINITY
    for (const deadline of this.#heap) {
      deadline.unset()
      deadline.heapIndex = -1
      deadline.queuedAtMs = Number.POSITIVE_INFINITY
    }
    this.#heap.length = 0
  }

  #arm(): void {
    const first = this.#heap[0]
    if (first === undefined || first.queuedAtMs >= this.#timerAtMs) return
    this.#timer?.cancel()
    this.#timerAtMs = first.queuedAtMs
    this.#timer = this.#clock.schedule(Math.ceil(first.queuedAtMs - this.#clock.monotonicMs()), () => this.#run())
  }

  #run(): void {
    this.#timer = undefined
    this.#timerAtMs = Number.POSITIVE_INFINITY
    const now = this.#clock.monotonicMs()
    for (let first = this.#heap[0]; first !== undefined && first.queuedAtMs <= now; first = this.#heap[0]) {
      this.#pop()
      if (first.atMs === Number.POSITIVE_INFINITY) continue
      if (first.atMs > now) {
        this.#push(first, first.atMs)
        continue
      }
      first.atMs = Number.POSITIVE_INFINITY
      first.expired()
    }
    this.#arm()
  }

  #push(deadline: Deadline, atMs: number): void {
    deadline.queuedAtMs = atMs
    deadline.heapIndex = this.#heap.push(deadline) - 1
    this.#siftUp(deadline.heapIndex)
  }

  #pop(): void {
    const first = this.#heap[0]
    const last = this.#heap.pop()
    if (first === undefined || last === undefined) return
    first.heapIndex = -1
    first.queuedAtMs = Number.POSITIVE_INFINITY
    if (last === first) return
    this.#place(last, 0)
    this.#siftDown(0)
  }

  #siftUp(from: number): void {
    let index = from
    while (index > 0) {
      const parent = (index - 1) >>> 1
      if (this.#before(parent, index)) return
      this.#swap(parent, index)
      index = parent
    }
  }

  #siftDown(from: number): void {
    let index = from
    for (;;) {
      const left = 2 * index + 1
      if (left >= this.#heap.length) return
      const right = left + 1
      const child = right < this.#heap.length && !this.#before(left, right) ? right : left
      if (this.#before(index, child)) return
      this.#swap(index, child)
      index = child
    }
  }

  #before(left: number, right: number): boolean {
    return this.#heap[left]!.queuedAtMs <= this.#heap[right]!.queuedAtMs
  }

  #swap(left: number, right: number): void {
    const deadline = this.#heap[left]!
    this.#place(this.#heap[right]!, left)
    this.#place(deadline, right)
  }

  #place(deadline: Deadline, index: number): void {
    this.#heap[index] = deadline
    deadline.heapIndex = index
  }
}

/** Something that falls due, in a {@link DeadlineQueue}, which owns the fields. */
export abstract class Deadline {
  /** When it is due, on the monotonic clock; infinite when it is not set. */
  atMs = Number.POSITIVE_INFINITY
  /** Where it stands in the queue: never later than `atMs`. */
  queuedAtMs = Number.POSITIVE_INFINITY
  heapIndex = -1

  /** The deadline has come. */
  abstract expired(): void

  /** Takes it back, leaving its place in the queue until that comes; it can be set again. */
  unset(): void {
    this.atMs = Number.POSITIVE_INFINITY
  }
}

class CallbackDeadline extends Deadline {
  readonly #callback: () => void

  constructor(callback: () => void) {
    super()
    this.#callback = callback
  }

  override expired(): void {
    this.#callback()
  }
}
