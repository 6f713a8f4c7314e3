import type { Consumer, ConsumerRecord, PartitionOffset, TopicPartition } from '../client/index.ts'
import { systemClock, type Timer } from '../platform/index.ts'
import { Output } from './output.ts'
import type { Pieces } from './record-text.ts'

/** How long the cluster is asked to take the last commit. */
const COMMIT_TIMEOUT_MS = 10_000

/**
 * Prints what a consumer reads, and commits for its group what has arrived at the output and no more. A consumer's own commits cover
 * whatever the loop has asked to go past, and that is gathered here before it is written.
 */
export class Printing implements AsyncDisposable {
  readonly #consumer: Consumer
  /** Undefined where nothing is committed. */
  readonly #commitIntervalMs: number | undefined
  readonly #output = new Output<readonly PartitionOffset[]>(() => this.#given())
  /** Given to the output, though the consumer was not asked for another yet. */
  #inHand: ConsumerRecord | undefined
  #committing: Promise<void> = Promise.resolve()
  #committed = new Map<number, number>()
  #timer: Timer | undefined
  #finished: Promise<void> | undefined

  constructor(consumer: Consumer, commitIntervalMs: number | undefined) {
    this.#consumer = consumer
    this.#commitIntervalMs = commitIntervalMs
    this.#commitLater()
  }

  /** Prints record by record until {@link finish}, until the output takes no more, or as many as are wanted. */
  async all(print: (record: ConsumerRecord) => Pieces, maxMessages: number): Promise<void> {
    let count = 0
    for await (const record of this.#consumer) {
      if (this.#finished !== undefined) break
      const pieces = print(record)
      this.#inHand = record
      const full = this.#output.write(...pieces)
      if (full) await full
      // Before the next record is asked for.
      if (this.#finished !== undefined || this.#output.isBroken || ++count >= maxMessages) break
      this.#inHand = undefined
    }
    await this.finish()
  }

  /** Commits what has arrived of what was printed so far, where commits are made. A commit that fails is made up for by the next. */
  commit(): Promise<void> {
    this.#committing = this.#committing.then(() => this.#commitNow()).catch(() => undefined)
    return this.#committing
  }

  /** These partitions are not this consumer's any more. */
  forget(partitions: readonly TopicPartition[]): void {
    for (const { partition } of partitions) this.#committed.delete(partition)
  }

  /** Ends the loop, commits what has arrived, and closes the consumer. Calling it again is waiting for the same. */
  finish(): Promise<void> {
    this.#finished ??= this.#finish()
    return this.#finished
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.finish()
  }

  async #finish(): Promise<void> {
    this.#timer?.cancel()
    await this.#output.flush()
    await this.commit()
    await this.#consumer.close()
  }

  async #commitNow(): Promise<void> {
    if (this.#commitIntervalMs === undefined) return
    // Also where nothing was printed, which is how a group remembers where it began.
    const given = this.#given()
    await this.#output.flush()
    const arrived = this.#output.isBroken ? (this.#output.arrived ?? []) : given
    const ours = new Set(this.#consumer.assignment.map(({ partition }) => partition))
    const news = arrived.filter(one => ours.has(one.partition) && this.#committed.get(one.partition) !== one.offset)
    if (news.length === 0) return
    await this.#consumer.commit(news, { timeoutMs: COMMIT_TIMEOUT_MS })
    for (const { partition, offset } of news) this.#committed.set(partition, offset)
  }

  #commitLater(): void {
    if (this.#commitIntervalMs === undefined) return
    this.#timer = systemClock.schedule(this.#commitIntervalMs, () => {
      void this.commit().then(() => {
        if (this.#finished === undefined) this.#commitLater()
      })
    })
  }

  /** How far partitions are given to the output. */
  #given(): readonly PartitionOffset[] {
    if (this.#commitIntervalMs === undefined) return []
    return this.#consumer.assignment.flatMap(place => {
      const isInHand = this.#inHand?.partition === place.partition
      const offset = isInHand && this.#inHand ? this.#inHand.offset + 1 : this.#consumer.position(place)
      return offset === undefined ? [] : [{ ...place, offset }]
    })
  }
}
