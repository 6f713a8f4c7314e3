import { comparePartitions, partitionKey, type TopicPartition } from '../../topic-partition.ts'
import { type GroupSubscription, subscribersOf } from './assignor.ts'

/** What members had before, as far as it is known. */
export type PreviousOwnership = ReadonlyMap<
  string,
  { readonly owned: readonly TopicPartition[]; readonly generationId: number }
>

/**
 * Spreads partitions as evenly as the subscriptions allow, and leaves as many as that permits with the member that has them
 * (KIP-54). Balanced means: no partition could go to one of its subscribers that has at least two fewer than its owner.
 */
export function stickyBalance(group: GroupSubscription, previous: PreviousOwnership): Map<string, TopicPartition[]> {
  const balance = new StickyBalance(group)
  balance.keep(previous)
  balance.assignRest()
  balance.even()
  return balance.result()
}

interface Placed {
  readonly partition: TopicPartition
  readonly subscribers: readonly string[]
  owner: string | undefined
}

class StickyBalance {
  readonly #members: GroupSubscription['members']
  readonly #loads: Map<string, number>
  readonly #placed = new Map<string, Placed>()

  constructor({ members, partitionCounts }: GroupSubscription) {
    this.#members = members
    this.#loads = new Map([...members.keys()].sort().map(memberId => [memberId, 0]))
    for (const topic of [...partitionCounts.keys()].sort()) {
      const subscribers = subscribersOf(topic, members)
      if (subscribers.length === 0) continue
      for (let partition = 0; partition < (partitionCounts.get(topic) ?? 0); partition++) {
        this.#placed.set(partitionKey({ topic, partition }), {
          partition: { topic, partition },
          subscribers,
          owner: undefined,
        })
      }
    }
  }

  /**
   * Gives members what they had. Where two claim a partition the newer generation has it, and of the same generation nobody:
   * one of them is mistaken, and reading it twice would be worse than moving it.
   */
  keep(previous: PreviousOwnership): void {
    const claims = new Map<string, { memberId: string | undefined; generationId: number }>()
    for (const memberId of this.#loads.keys()) {
      const { owned = [], generationId = -1 } = previous.get(memberId) ?? {}
      for (const partition of owned) {
        const key = partitionKey(partition)
        if (!this.#placed.has(key)) continue
        const known = claims.get(key)
        if (known === undefined || generationId > known.generationId) claims.set(key, { memberId, generationId })
        else if (generationId === known.generationId) claims.set(key, { memberId: undefined, generationId })
      }
    }
    for (const [key, { memberId }] of claims) {
      const placed = this.#placed.get(key)
      if (placed && memberId !== undefined && placed.subscribers.includes(memberId)) this.#give(placed, memberId)
    }
  }

  /** Gives what nobody has to who has least, first those partitions that fewest could take. */
  assignRest(): void {
    const rest = [...this.#placed.values()]
      .filter(({ owner }) => owner === undefined)
      .sort((one, other) => one.subscribers.length - other.subscribers.length)
    for (const placed of rest) this.#give(placed, this.#leastLoaded(placed.subscribers))
  }

  /** Moves partitions from who has most until nothing can be gained. Each move lowers the sum of squares, so it ends. */
  even(): void {
    for (let moved = true; moved; ) {
      moved = false
      for (const placed of this.#placed.values()) {
        const to = this.#leastLoaded(placed.subscribers)
        if (this.#load(placed.owner!) < this.#load(to) + 2) continue
        this.#give(placed, to)
        moved = true
      }
    }
  }

  result(): Map<string, TopicPartition[]> {
    const assigned = new Map<string, TopicPartition[]>([...this.#members.keys()].map(memberId => [memberId, []]))
    for (const { partition, owner } of this.#placed.values()) assigned.get(owner!)?.push(partition)
    for (const partitions of assigned.values()) partitions.sort(comparePartitions)
    return assigned
  }

  #give(placed: Placed, memberId: string): void {
    if (placed.owner !== undefined) this.#loads.set(placed.owner, this.#load(placed.owner) - 1)
    placed.owner = memberId
    this.#loads.set(memberId, this.#load(memberId) + 1)
  }

  #leastLoaded(memberIds: readonly string[]): string {
    return memberIds.reduce((least, one) => (this.#load(one) < this.#load(least) ? one : least))
  }

  #load(memberId: string): number {
    return this.#loads.get(memberId) ?? 0
  }
}
