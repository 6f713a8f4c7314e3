/**
 * Who waits for what: an intrusive doubly linked list, because a waiting fetch of a thousand partitions joins and leaves
 * a thousand of them, and joining or leaving must cost a few pointer writes and no hashing.
 */

/** A place in one {@link WatchList}: something that wants to know when a partition changes. */
export abstract class Watch {
  #list: WatchList | undefined
  #previous: Watch | undefined
  #next: Watch | undefined

  /** The partition changed. Called once for a turn of the event loop, however many changes it saw. May leave the list. */
  abstract wake(): void

  /** In a list. */
  get isWatching(): boolean {
    return this.#list !== undefined
  }

  /** Enters `list`. Must not be in one. */
  join(list: WatchList): void {
    this.#list = list
    this.#previous = list.last
    this.#next = undefined
    if (this.#previous) this.#previous.#next = this
    else list.first = this
    list.last = this
    list.size++
  }

  /** Leaves the list; does nothing when in none. */
  leave(): void {
    const list = this.#list
    if (!list) return
    if (this.#previous) this.#previous.#next = this.#next
    else list.first = this.#next
    if (this.#next) this.#next.#previous = this.#previous
    else list.last = this.#previous
    this.#list = undefined
    this.#previous = undefined
    this.#next = undefined
    list.size--
  }

  /** The one that came after this, if any. */
  get next(): Watch | undefined {
    return this.#next
  }
}

/** Those who watch one partition, first come first. Only {@link Watch} writes the fields. */
export class WatchList {
  first: Watch | undefined
  last: Watch | undefined
  size = 0
  /** A purgatory has this list in its queue of lists to wake. */
  isQueued = false

  /** A copy of who watches now, for a walk during which they leave. */
  snapshot(): Watch[] {
    const watches: Watch[] = []
    for (let watch = this.first; watch; watch = watch.next) watches.push(watch)
    return watches
  }
}
