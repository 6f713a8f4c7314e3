import type { KafkaError } from '../../protocol/index.ts'
import type { PartitionQueue } from './partition-queue.ts'
import type { ProducerIdentity } from './partition-sequence.ts'
import type { ProducerBatch } from './producer-batch.ts'

const LAST_EPOCH = 32_767

/** What to do with a batch that a broker refused. */
export type Verdict = 'retry' | 'fail'

/**
 * The rules by which each record is written once and in order (Java's TransactionManager, the part that every idempotent producer
 * has). Decides which batch may be sent, under which identity and sequence, and what a refusal means. Asks nobody: whoever uses it
 * gets an identity from a broker when {@link identity} is missing.
 */
export class Idempotence {
  readonly isTransactional: boolean
  #identity: ProducerIdentity | undefined
  readonly #toBump = new Set<PartitionQueue>()

  constructor(isTransactional: boolean) {
    this.isTransactional = isTransactional
  }

  /** Undefined until a broker has given one, and again when the epochs of the last one are used up. */
  get identity(): ProducerIdentity | undefined {
    return this.#identity
  }

  /** A broker gave an identity. Partitions go on with their old one until nothing of it is on its way. */
  identified(identity: ProducerIdentity): void {
    this.#identity = identity
    this.#startOver()
  }

  /** Whether the oldest waiting batch of a partition may be sent now. */
  mayDrain({ sequence }: PartitionQueue, batch: ProducerBatch): boolean {
    if (this.#identity === undefined) return false
    // A batch that is sent again waits until all before it are settled.
    if (batch.producer !== undefined) return sequence.first === batch
    // Under a new identity it begins anew, once nothing of the old one is on its way.
    if (sequence.identity !== this.#identity) return sequence.first === undefined
    // A broker that knows nothing of a producer takes whatever sequence comes first: it has to be the right one.
    if (!sequence.isKnown) return sequence.first === undefined
    // And it remembers the last five batches: one that is sent again must not be left further behind than that.
    if (sequence.first !== undefined && sequence.first.attempts > 1) return false
    return !sequence.isUnresolved
  }

  /** Gives a batch its place in the sequence before it is sent. */
  sending({ sequence }: PartitionQueue, batch: ProducerBatch): void {
    if (batch.producer !== undefined || this.#identity === undefined) return
    if (sequence.identity !== this.#identity) sequence.startOver(this.#identity)
    sequence.assign(batch)
  }

  /** A batch is in the log. */
  acknowledged({ sequence }: PartitionQueue, batch: ProducerBatch, baseOffset: number): void {
    // Written under an identity that it has lost since: what follows takes the place it has in the new one.
    if (batch.isStamped) sequence.acknowledged(batch, baseOffset)
    else sequence.refused(batch)
  }

  /** What a refusal by the broker means for a batch, by Java's rules. */
  verdict(queue: PartitionQueue, batch: ProducerBatch, { error, logStartOffset }: Refusal): Verdict {
    if (error.code === 'UNKNOWN_PRODUCER_ID') return this.#onUnknownProducer(queue, batch, logStartOffset)
    if (error.code === 'OUT_OF_ORDER_SEQUENCE_NUMBER') return this.#onOutOfOrder(queue, batch)
    // It was on its way under an epoch that others of its partition have overtaken meanwhile; it goes again under its new one.
    if (error.code === 'INVALID_PRODUCER_EPOCH' && !this.isTransactional && !batch.isStamped) return 'retry'
    return error.retriable ? 'retry' : 'fail'
  }

  /** A batch has failed for good. `isCertain`: it is not in the log. */
  failed(queue: PartitionQueue, batch: ProducerBatch, isCertain: boolean): void {
    if (isCertain) queue.sequence.refused(batch)
    else queue.sequence.lost(batch)
  }

  /**
   * Looks whether a partition whose last batches were given up can go on; if records are missing before those that would follow, it
   * goes on as another producer. To be called while a partition waits.
   */
  resolve(queue: PartitionQueue): void {
    if (queue.sequence.isUnresolved && queue.sequence.resolve() === 'gap' && !this.isTransactional) this.#bump(queue)
  }

  /** Becomes the next epoch where a partition asked for it. True when something may be sent that could not before. */
  applyBump(): boolean {
    if (this.#toBump.size === 0 || this.#identity === undefined) return false
    const { producerId, producerEpoch } = this.#identity
    // Without a transactional id no broker keeps the epoch, so the producer may raise it itself.
    this.#identity = producerEpoch >= LAST_EPOCH ? undefined : { producerId, producerEpoch: producerEpoch + 1 }
    this.#startOver()
    return true
  }

  #startOver(): void {
    if (this.#identity === undefined) return
    for (const queue of this.#toBump) queue.sequence.startOver(this.#identity)
    this.#toBump.clear()
  }

  #onUnknownProducer(queue: PartitionQueue, batch: ProducerBatch, logStartOffset: number): Verdict {
    const { sequence } = queue
    if (logStartOffset === -1 || batch.hasBeenReset) return 'retry'
    if (sequence.lastAckedOffset < logStartOffset) {
      // Retention took the producer's last records, and what the broker knew of it with them: nothing is lost.
      if (this.isTransactional && this.#identity) sequence.startOver(this.#identity)
      else this.#bump(queue)
      return 'retry'
    }
    if (this.isTransactional) return 'fail'
    this.#bump(queue)
    return 'retry'
  }

  #onOutOfOrder(queue: PartitionQueue, batch: ProducerBatch): Verdict {
    const { sequence } = queue
    if (!sequence.isUnresolved && (batch.hasBeenReset || !sequence.isNext(batch))) return 'retry'
    if (this.isTransactional) return 'fail'
    if (!sequence.isUnresolved || sequence.isNextUnresolved(batch)) this.#bump(queue)
    return 'retry'
  }

  #bump(queue: PartitionQueue): void {
    if (queue.sequence.identity === this.#identity) this.#toBump.add(queue)
    else if (this.#identity !== undefined) queue.sequence.startOver(this.#identity)
  }
}

/** Why a broker did not take a batch. */
export interface Refusal {
  readonly error: KafkaError
  /** -1 where the broker did not say. */
  readonly logStartOffset: number
  /** It named the leader that takes it. */
  readonly hasNewLeader?: boolean
}
