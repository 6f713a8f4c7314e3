import type { Random } from '../../platform/index.ts'

/** What is waiting for a partition. */
export interface PartitionLoad {
  readonly partition: number
  /** Batches that wait to be sent. */
  readonly queued: number
}

/**
 * Where records without a key go (KIP-794): to one partition until `batch.size` bytes have gone there, then to another, so that
 * batches are full and every partition gets as much. The more a partition has waiting, the less likely it is the next one.
 */
export class StickyPartition {
  readonly #switchBytes: number
  readonly #isAdaptive: boolean
  readonly #random: Random
  #current = -1
  #bytes = 0

  constructor(options: { readonly switchBytes: number; readonly isAdaptive: boolean; readonly random: Random }) {
    this.#switchBytes = options.switchBytes
    this.#isAdaptive = options.isAdaptive
    this.#random = options.random
  }

  /** The partition for the next record; `loads` are asked for those that have a leader when it is time to choose. */
  next(count: number, loads: () => readonly PartitionLoad[]): number {
    if (this.#current < 0 || this.#current >= count || this.#bytes >= this.#switchBytes) {
      this.#current = this.#choose(count, loads())
      this.#bytes = 0
    }
    return this.#current
  }

  /** A record of so many bytes went to the current partition. */
  wrote(bytes: number): void {
    this.#bytes += bytes
  }

  #choose(count: number, loads: readonly PartitionLoad[]): number {
    if (loads.length === 0) return this.#random.below(count)
    if (!this.#isAdaptive || loads.length === 1) return loads[this.#random.below(loads.length)]!.partition
    // Each counts by how much less it has waiting than the fullest one, and one more, so that none is left out.
    const most = loads.reduce((max, { queued }) => Math.max(max, queued), 0)
    const total = loads.reduce((sum, { queued }) => sum + most + 1 - queued, 0)
    let drawn = this.#random.below(total)
    for (const { partition, queued } of loads) {
      drawn -= most + 1 - queued
      if (drawn < 0) return partition
    }
    return loads.at(-1)!.partition
  }
}
