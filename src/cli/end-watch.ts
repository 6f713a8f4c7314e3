import type { Consumer, TopicPartition } from '../client/index.ts'
import { type Clock, systemClock, type Timer } from '../platform/index.ts'

/** How often it is looked whether everything was read. */
const LOOK_MS = 20
/** After so long without anything new somebody should hear why: twice what a client gives a broker to answer. */
const STUCK_MS = 60_000

/** What is watched of a consumer. */
type Watched = Pick<Consumer, 'assignment' | 'position' | 'endOffsets' | 'close'>

/** Closes a consumer when it has worked on everything that was there at the start. */
export class EndWatch {
  /**
   * Resolves when that is so, or {@link stop} was called. Rejects, and closes the consumer, when it cannot be found out where partitions
   * end, and when nothing gets further for a minute.
   */
  readonly done: Promise<void>
  readonly #consumer: Watched
  readonly #clock: Clock
  #settle!: { readonly resolve: () => void; readonly reject: (error: unknown) => void }
  #ends: ReadonlyMap<number, number> = new Map()
  #isOver = false
  #timer: Timer | undefined
  /** What was read when something was last new, and when that was. */
  #progress = { state: '', atMs: 0 }

  /** `partitions` are of one topic. */
  constructor(consumer: Watched, partitions: readonly TopicPartition[], clock: Clock = systemClock) {
    this.#consumer = consumer
    this.#clock = clock
    this.done = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
    this.#progress.atMs = clock.monotonicMs()
    consumer.endOffsets(partitions).then(
      ends => {
        this.#ends = new Map(ends.map(({ partition, offset }) => [partition, offset]))
        this.#look()
      },
      error => this.#fail(error),
    )
  }

  /** Watches no longer. */
  stop(): void {
    this.#isOver = true
    this.#timer?.cancel()
    this.#settle.resolve()
  }

  #look(): void {
    if (this.#isOver) return
    const { assignment } = this.#consumer
    const reached = assignment.map(one => ({ ...one, position: this.#consumer.position(one) }))
    const isDone = reached.every(({ partition, position = -1 }) => position >= (this.#ends.get(partition) ?? 0))
    if (assignment.length > 0 && isDone) {
      void this.#consumer.close()
      this.stop()
      return
    }
    const state = reached.map(({ partition, position }) => `${partition}:${position}`).join()
    const now = this.#clock.monotonicMs()
    if (state !== this.#progress.state) this.#progress = { state, atMs: now }
    if (now - this.#progress.atMs >= STUCK_MS) this.#fail(new Error(whyStuck(assignment)))
    else this.#timer = this.#clock.schedule(LOOK_MS, () => this.#look())
  }

  #fail(error: unknown): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#settle.reject(error)
    void this.#consumer.close()
  }
}

function whyStuck(assignment: readonly TopicPartition[]): string {
  const forHow = `${STUCK_MS / 1_000} s`
  if (assignment.length === 0) {
    return `no partition to read for ${forHow}: other members of the group have them all; --follow waits for some`
  }
  const names = assignment.map(({ topic, partition }) => `${topic}-${partition}`).join(', ')
  return `nothing new of ${names} for ${forHow}, and the end is not reached: are their leaders there? See monedula topic describe`
}
