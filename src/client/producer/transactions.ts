import { type ErrorName, KafkaError, type MessageOf } from '../../protocol/index.ts'
import {
  AddPartitionsToTxnRequest,
  AddPartitionsToTxnResponse,
} from '../../protocol/messages/24-add-partitions-to-txn.ts'
import { AddOffsetsToTxnRequest, AddOffsetsToTxnResponse } from '../../protocol/messages/25-add-offsets-to-txn.ts'
import { EndTxnRequest, EndTxnResponse } from '../../protocol/messages/26-end-txn.ts'
import { TxnOffsetCommitRequest, TxnOffsetCommitResponse } from '../../protocol/messages/28-txn-offset-commit.ts'
import { abortable, throwIfEnded } from '../abortable.ts'
import { checkItems, PARTITION_FIELDS } from '../checked-items.ts'
import type { Cluster } from '../cluster.ts'
import type { PartitionOffset } from '../consumer/offset-requests.ts'
import { type GroupMetadata, placeIn } from '../group-metadata.ts'
import { byTopic } from '../topic-partition.ts'
import type { Idempotence } from './idempotence.ts'
import { INIT_PRODUCER_ID } from './identify.ts'
import type { PartitionQueue } from './partition-queue.ts'
import type { ProducerIdentity } from './partition-sequence.ts'
import type { ProducerBatch } from './producer-batch.ts'
import { TransactionRequests } from './transaction-requests.ts'

const ADD_PARTITIONS = { request: AddPartitionsToTxnRequest, response: AddPartitionsToTxnResponse }
const ADD_OFFSETS = { request: AddOffsetsToTxnRequest, response: AddOffsetsToTxnResponse }
const END = { request: EndTxnRequest, response: EndTxnResponse }
const COMMIT_OFFSETS = { request: TxnOffsetCommitRequest, response: TxnOffsetCommitResponse }

/** The newest versions of before requests for brokers, and for two-phase commits. */
const MAX_VERSION = { addPartitions: 3, initProducerId: 5 }
/** The newest versions of the first protocol of transactions, and of the second (KIP-890), whose versions mean more than they say. */
const FIRST_PROTOCOL = { produce: 11, end: 4, commitOffsets: 4 }
const SECOND_PROTOCOL = { produce: 12, end: 5, commitOffsets: 5 }
/** `transaction.version` of a cluster that has the second. */
const SECOND_LEVEL = 2
/** From this version of InitProducerId on a producer goes on as itself; before it becomes another, whoever has taken its place (KIP-360). */
const KEEPS_IDENTITY = 3
const NO_GROUP = 'sendOffsets() takes a list of offsets and consumer.groupMetadata, or { groupId }'
const NO_PRODUCER = { producerId: -1, producerEpoch: -1 }

/** Where a transactional producer is. */
export type TransactionState =
  | 'uninitialized'
  | 'ready'
  | 'in-transaction'
  | 'committing'
  | 'aborting'
  | 'abortable-error'
  | 'fatal-error'

/** Codes after which a transactional producer can do nothing any more (Java's fatal errors). */
const FATAL: ReadonlySet<ErrorName> = new Set<ErrorName>([
  'PRODUCER_FENCED',
  'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'INVALID_TXN_STATE',
  'UNSUPPORTED_VERSION',
  'UNSUPPORTED_FOR_MESSAGE_FORMAT',
  'TRANSACTION_COORDINATOR_FENCED',
])

export interface TransactionParts {
  readonly cluster: Cluster
  readonly transactionalId: string
  readonly timeoutMs: number
  readonly maxBlockMs: number
  readonly idempotence: Idempotence
  /** Lets the sender look again. */
  readonly wake: () => void
  /** Fails what was never sent. */
  readonly dropUnsent: (error: Error) => void
  /** Resolves when all that was given to the producer is settled. */
  readonly flush: (signal: AbortSignal | undefined) => Promise<void>
  readonly onFatal: (error: Error) => void
}

/** Transactions of one producer (Java's TransactionManager): what the coordinator is told, in which order, and what its errors mean. */
export class Transactions {
  readonly #parts: TransactionParts
  readonly #requests: TransactionRequests
  #state: TransactionState = 'uninitialized'
  #error: KafkaError | undefined
  #mustBump = false
  readonly #added = new Set<PartitionQueue>()
  readonly #toAdd = new Set<PartitionQueue>()
  /** Of the transaction under way, from its beginning to its end. */
  #protocol = FIRST_PROTOCOL
  #isAdding = false
  #adding: Promise<void> | undefined
  #hasOffsets = false
  /** Calls of {@link sendOffsets} that are under way; none of them fails here. */
  readonly #sendingOffsets = new Set<Promise<void>>()
  /** Calls of {@link commit} that wait for what the transaction was given. */
  #gathering = 0
  #initializing: Promise<void> | undefined
  /** The end under way, and who ends the wait for it. */
  #ending: { readonly done: Promise<void>; readonly signal: AbortSignal | undefined } | undefined
  /** Calls of {@link abort} that are under way. */
  #aborts = 0
  #renewing: Promise<void> | undefined
  #keepsIdentity = false

  constructor(parts: TransactionParts) {
    this.#parts = parts
    this.#requests = new TransactionRequests(parts)
  }

  get state(): TransactionState {
    return this.#state
  }

  /** Whether an abort failed without an answer, and nobody is asking again. */
  get isAbortDue(): boolean {
    return this.#state === 'aborting' && this.#aborts === 0
  }

  /** @throws KafkaError INVALID_TXN_STATE outside of a transaction, or when its commit was asked for; what has made the transaction fail */
  checkMaySend(): void {
    const isGathering = this.#state === 'in-transaction' && this.#gathering > 0
    if (this.#state === 'in-transaction' && !isGathering) return
    if (this.#error !== undefined) throw this.#error
    // What came now might miss the commit, and go with the next transaction.
    const state = isGathering ? 'committing' : this.#state
    throw new KafkaError('INVALID_TXN_STATE', `records are sent inside of a transaction; this producer is ${state}`)
  }

  /**
   * Gets an identity, which fences earlier producers of the same id and ends what they left open. Whose wait was ended, and who asks
   * meanwhile, waits for the same: each identity fences the one before.
   */
  async init(signal?: AbortSignal): Promise<void> {
    if (this.#state !== 'uninitialized') throw this.#wrongState('initTransactions')
    throwIfEnded(signal)
    this.#initializing ??= this.#identify(NO_PRODUCER).catch(error => {
      this.#initializing = undefined
      throw error
    })
    await abortable(this.#initializing, signal)
    // Another who waited may have begun a transaction already.
    if (this.#state === 'uninitialized') this.#state = 'ready'
  }

  begin(): void {
    if (this.#state !== 'ready') throw this.#wrongState('beginTransaction')
    this.#state = 'in-transaction'
    const { transactionVersion } = this.#parts.cluster.features
    this.#protocol = transactionVersion >= SECOND_LEVEL ? SECOND_PROTOCOL : FIRST_PROTOCOL
  }

  /** The newest version of Produce that says no more than the transaction's protocol does. */
  get maxProduceVersion(): number {
    return this.#protocol.produce
  }

  /** Whether brokers take partitions and groups into the transaction with what is written first, and an epoch is for one transaction. */
  get #isImplicit(): boolean {
    return this.#protocol === SECOND_PROTOCOL
  }

  /** Whether records may go to a partition; asks the coordinator to take it into the transaction where it has not been. */
  isAllowed(queue: PartitionQueue): boolean {
    // What was sent once and refused is sent again even while the transaction fails: the log may hold a part of it.
    if (this.#added.has(queue)) return this.#state !== 'fatal-error'
    if (this.#isImplicit && this.#state === 'in-transaction' && !this.#mustBump) {
      this.#added.add(queue)
      return true
    }
    this.#toAdd.add(queue)
    if (!this.#isAdding) this.#adding = this.#addPartitions()
    return false
  }

  /** A batch could not be written: the transaction cannot be committed any more. */
  batchFailed(batch: ProducerBatch, error: Error): void {
    // It may yet arrive: under another epoch, nothing that follows is mistaken for it.
    if (batch.attempts > 0 && this.#isOpen) this.#mustBump = true
    this.recordFailed(error)
  }

  /** A record of the transaction was not taken, or given up: without it the transaction cannot be committed. */
  recordFailed(error: unknown): void {
    if (this.#state === 'in-transaction' || this.#state === 'committing') this.#failed(error)
  }

  async sendOffsets(offsets: readonly PartitionOffset[], group: GroupMetadata, signal?: AbortSignal): Promise<void> {
    this.checkMaySend()
    checkItems('sendOffsets()', offsets, { ...PARTITION_FIELDS, offset: 'integer' })
    if (offsets.length === 0) return
    const sending = this.#sendOffsets(offsets, group, signal)
    const settled = sending.catch(() => undefined).finally(() => this.#sendingOffsets.delete(settled))
    this.#sendingOffsets.add(settled)
    await sending
  }

  async #sendOffsets(offsets: readonly PartitionOffset[], group: GroupMetadata, signal: AbortSignal | undefined) {
    try {
      if (typeof group?.groupId !== 'string') throw new KafkaError('INVALID_REQUEST', NO_GROUP)
      await abortable(this.#renew(), signal)
      if (!this.#isImplicit) {
        const body = () => ({ ...this.#names(), groupId: group.groupId })
        await this.#requests.send('adding offsets', ADD_OFFSETS, { signal }, body)
      }
      this.#hasOffsets = true
      await this.#commitOffsets(offsets, group, signal)
    } catch (error) {
      this.#failed(error)
      throw error
    }
  }

  /** Waits for all records and offsets, and makes them visible. @throws what has made the transaction fail: abort it */
  async commit(signal?: AbortSignal): Promise<void> {
    if (this.#state === 'in-transaction') {
      await this.#gather(signal)
      if (this.#state === 'in-transaction') this.#state = 'committing'
    }
    if (this.#error !== undefined) throw this.#error
    if (this.#state !== 'committing') throw this.#wrongState('commitTransaction')
    await this.#end(true, signal)
  }

  /** Waits for what the transaction was given; it is given nothing more meanwhile. */
  async #gather(signal: AbortSignal | undefined): Promise<void> {
    this.#gathering += 1
    try {
      await this.#parts.flush(signal)
      await abortable(Promise.all(this.#sendingOffsets), signal)
    } finally {
      this.#gathering -= 1
    }
  }

  /** Drops what was not sent, and makes what was written invisible. */
  async abort(signal?: AbortSignal): Promise<void> {
    const states: readonly TransactionState[] = ['in-transaction', 'abortable-error', 'aborting']
    if (!states.includes(this.#state)) throw this.#wrongState('abortTransaction')
    this.#state = 'aborting'
    this.#aborts += 1
    try {
      this.#parts.dropUnsent(
        new KafkaError('OPERATION_NOT_ATTEMPTED', 'the transaction was aborted before the record was sent'),
      )
      await this.#parts.flush(signal)
      await this.#end(false, signal)
    } finally {
      this.#aborts -= 1
    }
  }

  /** Who asks for it again meanwhile waits for the same: a second end would come into the next transaction. */
  async #end(isCommit: boolean, signal: AbortSignal | undefined): Promise<void> {
    while (this.#ending !== undefined) {
      const { done, signal: theirs } = this.#ending
      try {
        return await abortable(done, signal)
      } catch (error) {
        // Who asked first waits no more; the others do, and the end is asked for anew.
        if (signal?.aborted || theirs === undefined || error !== theirs.reason) throw error
      }
    }
    const done = this.#endOnce(isCommit, signal).finally(() => {
      this.#ending = undefined
    })
    this.#ending = { done, signal }
    return done
  }

  async #endOnce(isCommit: boolean, signal: AbortSignal | undefined): Promise<void> {
    const what = isCommit ? 'committing the transaction' : 'aborting the transaction'
    // A partition or a group that came to the coordinator after the end would open a transaction that nobody ends, until it times out.
    await abortable(Promise.allSettled([this.#adding, this.#renewing, ...this.#sendingOffsets]), signal)
    if (this.#state === 'fatal-error') throw this.#wrongState(what)
    try {
      await this.#endOpen(isCommit, { what, signal })
      if (!isCommit) await abortable(this.#renew(), signal)
    } catch (error) {
      // It may have been done: asked for again it is done, or found to be.
      if (!isUnanswered(error)) this.#failed(error)
      throw error
    }
    this.#error = undefined
    this.#state = 'ready'
  }

  /** Ends what is open at the coordinator, or may be. */
  async #endOpen(
    isCommit: boolean,
    { what, signal }: { readonly what: string; readonly signal: AbortSignal | undefined },
  ): Promise<void> {
    const isOpen = this.#added.size > 0 || this.#hasOffsets
    let ended: MessageOf<typeof EndTxnResponse> | undefined
    if (isOpen || this.#requests.isAnyUnanswered) {
      const options = { signal, maxVersion: this.#protocol.end }
      const ending = this.#requests.send(what, END, options, () => ({ ...this.#names(), committed: isCommit }))
      ended = await (isOpen ? ending : ending.catch(unlessNothingIsOpen))
    }
    // Another end that comes late would be taken for that of the next transaction, and offsets for its own (KIP-890).
    if (this.#requests.isAnyUnanswered && this.#keepsIdentity) this.#mustBump = true
    this.#goOn(ended)
    this.#requests.forgetUnanswered()
    this.#added.clear()
    this.#toAdd.clear()
    this.#hasOffsets = false
  }

  /** Takes the next epoch, if that has to be: whatever comes late under the old one is refused. Not while anything is open. */
  #renew(): Promise<void> {
    if (!this.#mustBump) return Promise.resolve()
    this.#renewing ??= this.#identify(this.#identity())
      .then(() => {
        this.#mustBump = false
      })
      .finally(() => {
        this.#renewing = undefined
      })
    return this.#renewing
  }

  /** The end of a transaction of the second protocol is that of its epoch, too. */
  #goOn(ended: MessageOf<typeof EndTxnResponse> | undefined): void {
    if (ended === undefined || ended.producerEpoch < 0) return
    const { producerId, producerEpoch } = ended
    this.#parts.idempotence.identified({ producerId, producerEpoch })
    this.#mustBump = false
  }

  async #identify(current: ProducerIdentity): Promise<void> {
    const { transactionalId, timeoutMs, idempotence } = this.#parts
    const body = { transactionalId, transactionTimeoutMs: timeoutMs }
    // It goes on when nobody waits any more: one that came late to the coordinator would fence the identity that was got instead.
    const options = { signal: undefined, maxVersion: MAX_VERSION.initProducerId }
    const answer = await this.#requests.send('initializing transactions', INIT_PRODUCER_ID, options, version => {
      this.#keepsIdentity = version >= KEEPS_IDENTITY
      return this.#keepsIdentity ? { ...body, ...current } : body
    })
    idempotence.identified({ producerId: answer.producerId, producerEpoch: answer.producerEpoch })
  }

  async #addPartitions(): Promise<void> {
    this.#isAdding = true
    try {
      await this.#renew()
      while (this.#toAdd.size > 0 && this.#state === 'in-transaction') {
        const adding = [...this.#toAdd]
        if (!this.#isImplicit) await this.#announce(adding)
        for (const queue of adding) {
          this.#toAdd.delete(queue)
          this.#added.add(queue)
        }
        this.#parts.wake()
      }
    } catch (error) {
      this.#failed(error)
    } finally {
      this.#isAdding = false
    }
  }

  /** Tells the coordinator which partitions will be written to. */
  async #announce(adding: readonly PartitionQueue[]): Promise<void> {
    const { producerId, producerEpoch } = this.#identity()
    const body = {
      v3AndBelowTransactionalId: this.#parts.transactionalId,
      v3AndBelowProducerId: producerId,
      v3AndBelowProducerEpoch: producerEpoch,
      v3AndBelowTopics: byTopic(adding, ({ partition }) => partition),
    }
    const options = { signal: undefined, maxVersion: MAX_VERSION.addPartitions }
    await this.#requests.send('adding partitions to the transaction', ADD_PARTITIONS, options, () => body)
  }

  async #commitOffsets(offsets: readonly PartitionOffset[], group: GroupMetadata, signal: AbortSignal | undefined) {
    const topics = byTopic(offsets, ({ partition, offset, leaderEpoch = -1, metadata = '' }) => ({
      partitionIndex: partition,
      committedOffset: offset,
      committedLeaderEpoch: leaderEpoch,
      committedMetadata: metadata,
    }))
    const { groupId, ...member } = placeIn(group)
    const options = { signal, maxVersion: this.#protocol.commitOffsets, group: groupId }
    await this.#requests.send('committing offsets in the transaction', COMMIT_OFFSETS, options, version => ({
      ...this.#names(),
      groupId,
      topics,
      // Before v3 the coordinator cannot tell a member that was thrown out.
      ...(version >= 3 ? member : {}),
    }))
  }

  get #isOpen(): boolean {
    return this.#state !== 'uninitialized' && this.#state !== 'ready'
  }

  #identity(): ProducerIdentity {
    return this.#parts.idempotence.identity ?? NO_PRODUCER
  }

  #names() {
    return { transactionalId: this.#parts.transactionalId, ...this.#identity() }
  }

  #failed(cause: unknown): void {
    const error = KafkaError.from(cause)
    this.#error ??= error
    if (error.code === 'UNKNOWN_PRODUCER_ID' || error.code === 'INVALID_PRODUCER_ID_MAPPING') this.#mustBump = true
    if (FATAL.has(error.code)) {
      this.#state = 'fatal-error'
      this.#error = error
      this.#parts.onFatal(error)
    } else if (this.#state === 'in-transaction' || this.#state === 'committing') {
      this.#state = 'abortable-error'
      this.#parts.dropUnsent(error)
    }
  }

  #wrongState(call: string): KafkaError {
    if (this.#error !== undefined) return this.#error
    return new KafkaError('INVALID_TXN_STATE', `${call} is not possible while the producer is ${this.#state}`)
  }
}

/** Whether nobody knows what became of a request: no answer came in time, or a signal ended the wait for one. */
function isUnanswered(error: unknown): boolean {
  return !(error instanceof KafkaError) || error.code === 'REQUEST_TIMED_OUT'
}

/** The end of a transaction that may never have begun: that it did not is as good. @throws any other failure */
function unlessNothingIsOpen(error: unknown): undefined {
  if (!(error instanceof KafkaError && error.code === 'INVALID_TXN_STATE')) throw error
}
