import type { Clock, Timer } from '../platform/index.ts'

/**
 * Deadlines of which most are taken back before they come: waiting fetches that data completes. Adding and removing are
 * a map look-up and a few pointer writes; one timer stands for all, and it is armed anew only when it fires.
 *
 * Deadlines are gathered in buckets, whose width grows with the delay: an operation expires on time or late by less than
 * 1 % of its delay (1 ms at least), never early. The number of buckets is therefore bounded (a few thousand), whatever
 * delays clients ask for.
 */
export class DeadlineQueue {
  readonly #clock: Clock
  readonly #buckets = new Map<number, Bucket>()
  /** Binary heap of the buckets, earliest first. */
  readonly #heap: Bucket[] = []
  #timer: Timer | undefined
  #timerAtMs = Number.POSITIVE_INFINITY
  #size = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Operations with a deadline ahead. */
  get size(): number {
    return this.#size
  }

  /** Calls `deadline.expired()` in `delayMs`, unless it is removed before. A deadline is in the queue once at most. */
  add(deadline: Deadline, delayMs: number): void {
    const delay = Math.min(Math.max(delayMs, 0), LONGEST_DELAY_MS)
    const width = 2 ** Math.max(0, Math.floor(Math.log2(Math.max(delay, 1))) - WIDTH_BITS)
    const atMs = Math.ceil((this.#clock.monotonicMs() + delay) / width) * width
    let bucket = this.#buckets.get(atMs)
    if (!bucket) {
      bucket = new Bucket(atMs)
      this.#buckets.set(atMs, bucket)
      this.#push(bucket)
    }
    bucket.add(deadline)
    this.#size++
    if (atMs < this.#timerAtMs) this.#arm(atMs)
  }

  /** Takes a deadline back; does nothing when it is not in the queue. */
  remove(deadline: Deadline): void {
    const bucket = deadline.bucket
    if (!bucket) return
    bucket.remove(deadline)
    this.#size--
  }

  /** Drops all deadlines; none of them will expire. */
  close(): void {
    this.#timer?.cancel()
    this.#timerAtMs = Number.POSITIVE_INFINITY
    for (const bucket of this.#heap.splice(0)) while (bucket.first) bucket.remove(bucket.first)
    this.#buckets.clear()
    this.#size = 0
  }

  #arm(atMs: number): void {
    this.#timer?.cancel()
    this.#timerAtMs = atMs
    this.#timer = this.#clock.schedule(Math.max(0, Math.ceil(atMs - this.#clock.monotonicMs())), () => this.#fire())
  }

  #fire(): void {
    this.#timerAtMs = Number.POSITIVE_INFINITY
    const now = this.#clock.monotonicMs()
    for (let bucket = this.#heap[0]; bucket && (bucket.atMs <= now || !bucket.first); bucket = this.#heap[0]) {
      this.#pop()
      this.#buckets.delete(bucket.atMs)
      for (let deadline = bucket.first; deadline; deadline = bucket.first) {
        this.remove(deadline)
        deadline.expired()
      }
    }
    const first = this.#heap[0]
    if (first && first.atMs < this.#timerAtMs) this.#arm(first.atMs)
  }

  #push(bucket: Bucket): void {
    const heap = this.#heap
    let index = heap.length
    heap.push(bucket)
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (heap[parent]!.atMs <= bucket.atMs) break
      heap[index] = heap[parent]!
      index = parent
    }
    heap[index] = bucket
  }

  #pop(): void {
    const heap = this.#heap
    const moved = heap.pop()
    if (!moved || heap.length === 0) return
    let index = 0
    for (let child = 1; child < heap.length; child = 2 * index + 1) {
      if (child + 1 < heap.length && heap[child + 1]!.atMs < heap[child]!.atMs) child++
      if (heap[child]!.atMs >= moved.atMs) break
      heap[index] = heap[child]!
      index = child
    }
    heap[index] = moved
  }
}

/** log2 of the number of buckets that share one delay. */
const WIDTH_BITS = 7
const LONGEST_DELAY_MS = 2 ** 31 - 1

/** Something with a deadline in a {@link DeadlineQueue}, which alone writes the fields. */
export abstract class Deadline {
  bucket: Bucket | undefined
  earlier: Deadline | undefined
  later: Deadline | undefined

  /** The deadline has come. */
  abstract expired(): void
}

class Bucket {
  readonly atMs: number
  first: Deadline | undefined

  constructor(atMs: number) {
    this.atMs = atMs
  }

  add(deadline: Deadline): void {
    deadline.bucket = this
    deadline.later = this.first
    if (this.first) this.first.earlier = deadline
    this.first = deadline
  }

  remove(deadline: Deadline): void {
    if (deadline.earlier) deadline.earlier.later = deadline.later
    else this.first = deadline.later
    if (deadline.later) deadline.later.earlier = deadline.earlier
    deadline.bucket = undefined
    deadline.earlier = undefined
    deadline.later = undefined
  }
}
