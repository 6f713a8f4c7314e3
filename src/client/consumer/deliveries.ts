import { KafkaError } from '../../protocol/index.ts'
import { partitionKey, type TopicPartition } from '../topic-partition.ts'
import type { AssignedPartition } from './assigned-partition.ts'
import type { ConsumerRecord } from './consumer-record.ts'
import type { RecordChunk } from './fetched-records.ts'
import type { Committer } from './offset-requests.ts'
import { PositionError } from './position-error.ts'

/** Records of one partition that were handed to the program together. */
export interface Delivery<K, V> {
  readonly partition: AssignedPartition<K, V>
  readonly records: readonly ConsumerRecord<K, V>[]
  /** Where reading goes on when the program is done with all of them. */
  readonly nextOffset: number
  /** Leader epoch of all of them. */
  readonly epoch: number
  /** Seeks that had been made when they were handed out: after another one they count for nothing. */
  readonly generation: number
}

/**
 * Hands what was fetched to the program, a batch at a time and the partitions by turns, and knows what the program is working on:
 * before partitions go to another member, nothing of them may be in hand.
 */
export class Deliveries<K, V> {
  readonly #partitions: () => Iterable<AssignedPartition<K, V>>
  readonly #place: () => Committer | undefined
  /** With the consumer's place in its group when they were handed out. */
  readonly #inHand = new Map<Delivery<K, V>, Committer | undefined>()
  /** Records that were handed out so far. */
  recordsHandedOut = 0
  #isHeld = false
  #last: AssignedPartition<K, V> | undefined
  #takers: (() => void)[] = []
  #quiet: (() => void)[] = []

  constructor(
    partitions: () => Iterable<AssignedPartition<K, V>>,
    place: () => Committer | undefined = () => undefined,
  ) {
    this.#partitions = partitions
    this.#place = place
  }

  /**
   * Where something is in hand of a partition that went, and `offsets` are within it, if they are given: the place in the group that the
   * consumer had with it.
   */
  lostPlace(offsets?: readonly (TopicPartition & { readonly offset: number })[]): Committer | undefined {
    for (const [{ partition, nextOffset }, place] of this.#inHand) {
      if (partition.isOurs) continue
      const key = partitionKey(partition)
      // What is behind it was read in another place.
      if (offsets?.every(one => partitionKey(one) !== key || one.offset > nextOffset) !== true) return place
    }
    return undefined
  }

  /** The next records, if any may be handed out now. A partition of which something is in hand has to wait. */
  take(): Delivery<K, V> | undefined {
    if (this.#isHeld) return undefined
    const partitions = [...this.#partitions()]
    const start = this.#last === undefined ? 0 : partitions.indexOf(this.#last) + 1
    for (let turn = 0; turn < partitions.length; turn++) {
      const partition = partitions[(start + turn) % partitions.length]!
      if (partition.isPaused || partition.position === undefined || this.#isBusy(partition)) continue
      const chunk = this.#nextOf(partition)
      if (chunk === undefined) continue
      this.#last = partition
      const delivery = { partition, ...chunk, generation: partition.generation }
      this.#inHand.set(delivery, this.#place())
      this.recordsHandedOut += chunk.records.length
      return delivery
    }
    return undefined
  }

  /** The program is done with the records below `offset`. */
  reached(delivery: Delivery<K, V>, offset: number): void {
    if (!this.counts(delivery)) return
    delivery.partition.position = offset
    delivery.partition.positionEpoch = delivery.epoch
  }

  /** The program has nothing of it in hand any more. What it did not work on is fetched again. */
  done(delivery: Delivery<K, V>): 'rewound' | 'finished' {
    this.#inHand.delete(delivery)
    const { position } = delivery.partition
    const isRewound = this.counts(delivery) && position !== undefined && position < delivery.nextOffset
    if (isRewound) delivery.partition.rewind()
    // Who had it may be gone: what else was fetched of its partition is for whoever waits.
    else if (delivery.partition.bufferedBytes > 0) this.wake()
    if (this.#inHand.size === 0) for (const resolve of this.#quiet.splice(0)) resolve()
    return isRewound ? 'rewound' : 'finished'
  }

  /** Whether what is left of a delivery still counts: not after its partition went, or somebody seeked. */
  counts({ partition, generation }: Delivery<K, V>): boolean {
    return partition.isOurs && partition.generation === generation
  }

  /** Hands nothing out until {@link release}; resolves when the program has nothing in hand. */
  hold(): Promise<void> {
    this.#isHeld = true
    // Who is in the middle of a batch comes to a halt before its next record.
    return this.#inHand.size === 0 ? Promise.resolve() : new Promise(resolve => this.#quiet.push(resolve))
  }

  get isHeld(): boolean {
    return this.#isHeld
  }

  release(): void {
    this.#isHeld = false
    this.wake()
  }

  /** Resolves when it is worth while to {@link take} again. */
  arrival(): Promise<void> {
    return new Promise(resolve => this.#takers.push(resolve))
  }

  wake(): void {
    for (const resolve of this.#takers.splice(0)) resolve()
  }

  /** Bytes that are no batch stop their partition, and no other. */
  #nextOf(partition: AssignedPartition<K, V>): RecordChunk<K, V> | undefined {
    try {
      return partition.next()
    } catch (error) {
      const { code, message } = KafkaError.from(error)
      const { topic, partition: number, position: offset } = partition
      const what = `${message}; it cannot be read beyond offset ${offset}: seek() past it, or try again by seek()`
      partition.trouble = new PositionError(code, what, { topic, partition: number, offset, cause: error })
      return undefined
    }
  }

  #isBusy(partition: AssignedPartition<K, V>): boolean {
    for (const delivery of this.#inHand.keys()) if (delivery.partition === partition) return true
    return false
  }
}
