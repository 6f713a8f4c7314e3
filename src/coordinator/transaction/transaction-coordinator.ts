import { isInternalTopic, OFFSETS_TOPIC, TRANSACTION_STATE_TOPIC } from '../../metadata/index.ts'
import { type Clock, type Logger, sleep } from '../../platform/index.ts'
import { ErrorCode, type ErrorName, type MessageInput } from '../../protocol/index.ts'
import type { InitProducerIdRequest, InitProducerIdResponse } from '../../protocol/messages/22-init-producer-id.ts'
import type {
  AddPartitionsToTxnRequest,
  AddPartitionsToTxnResponse,
} from '../../protocol/messages/24-add-partitions-to-txn.ts'
import type { AddOffsetsToTxnRequest, AddOffsetsToTxnResponse } from '../../protocol/messages/25-add-offsets-to-txn.ts'
import type { EndTxnRequest, EndTxnResponse } from '../../protocol/messages/26-end-txn.ts'
import type {
  DescribeTransactionsRequest,
  DescribeTransactionsResponse,
} from '../../protocol/messages/65-describe-transactions.ts'
import type { ListTransactionsRequest, ListTransactionsResponse } from '../../protocol/messages/66-list-transactions.ts'
import { CoordinatorRuntime } from '../runtime/coordinator-runtime.ts'
import type { PartitionLoader, PartitionWriter } from '../runtime/partition-storage.ts'
import { type AddedPartitions, checkProducer, decideAddPartitions, verifyPartition } from './add-partitions.ts'
import { decideEndAndBump } from './end-and-bump.ts'
import { decideEndTransaction, identityAfter } from './end-transaction.ts'
import { decideInitProducerId, type InitRequest } from './init-producer-id.ts'
import type { MarkerWriter } from './marker-writer.ts'
import type { PartitionName } from './topic-partitions.ts'
import {
  EPOCH_PER_TRANSACTION,
  type ProducerIdentity,
  type Transaction,
  type TransactionResult,
} from './transaction.ts'
import { describeTransactions, listTransactions } from './transaction-admin.ts'
import type { TransactionConfig } from './transaction-config.ts'
import { TransactionLookup } from './transaction-lookup.ts'
import { transactionMachine } from './transaction-machine.ts'
import { type TransactionEntry, TransactionShard } from './transaction-shard.ts'
import { TransactionUpkeep } from './transaction-upkeep.ts'

export interface TransactionCoordinatorOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly config: TransactionConfig
  /** Partitions of {@link TRANSACTION_STATE_TOPIC}: of the topic where it exists, else as configured. */
  readonly partitions: number
  readonly writer: PartitionWriter
  readonly loader: PartitionLoader
  readonly markers: MarkerWriter
  /** A producer id that nobody has. */
  readonly nextProducerId: () => Promise<number>
  /** Whether the cluster has the partition. */
  readonly partitionExists: (topic: string, partition: number) => boolean
  /** The partition of `__consumer_offsets` that a group lives in. */
  readonly groupPartition: (groupId: string) => number
  /** The feature `transaction.version` as the cluster has finalized it; 0 where it has not. */
  readonly transactionVersion: () => number
}

const NO_PRODUCER = -1

/** The first version of EndTxn that gives each transaction an epoch. */
const FIRST_BUMPING_END = 5
/** The first version of AddPartitionsToTxn by which brokers tell what clients of the second protocol have written. */
const FIRST_ADD_OF_BROKERS = 4
/** How often, and for how long, what is written first waits for the end of the transaction before (`add.partitions.to.txn.retry.backoff.max.ms`). */
const IMPLICIT_RETRY_MS = 5
const IMPLICIT_WAIT_MS = 100

/**
 * Coordinates the transactions whose partition of `__transaction_state` is led by this broker:
 * `kafka.coordinator.transaction.TransactionCoordinator`. One method per API; each takes the decoded request and gives
 * the response, its errors inside. None throws for anything that a client can do.
 */
export class TransactionCoordinator {
  readonly #options: TransactionCoordinatorOptions
  readonly #lookup: TransactionLookup
  readonly #upkeep: TransactionUpkeep

  constructor(options: TransactionCoordinatorOptions) {
    const { clock, config, writer, loader, partitions, markers, partitionExists, transactionVersion } = options
    const logger = options.logger.child({ logger: 'kafka.coordinator.transaction.TransactionCoordinator' })
    this.#options = { ...options, logger }
    const machine = transactionMachine(
      partition =>
        new TransactionShard({
          clock,
          logger,
          markers,
          partitionExists,
          coordinatorEpoch: () => this.#lookup.runtime.epochOf(partition),
          append: records => this.#lookup.runtime.append(partition, records),
        }),
      transactionVersion,
    )
    const runtime = new CoordinatorRuntime({ topic: TRANSACTION_STATE_TOPIC, machine, clock, logger, writer, loader })
    this.#lookup = new TransactionLookup(runtime, partitions)
    this.#upkeep = new TransactionUpkeep({ clock, logger, config, lookup: this.#lookup, transactionVersion })
  }

  /** The partition of {@link TRANSACTION_STATE_TOPIC} whose leader coordinates the id: for FindCoordinator. */
  partitionFor(transactionalId: string): number {
    return this.#lookup.partitionFor(transactionalId)
  }

  /** This broker leads the partition since `leaderEpoch`: its ids are loaded. Resolves when that is over. */
  onElected(partition: number, leaderEpoch: number): Promise<void> {
    return this.#lookup.runtime.onElected(partition, leaderEpoch)
  }

  /** This broker does not lead the partition any more; without an epoch, whatever came before. */
  onResigned(partition: number, leaderEpoch?: number): void {
    this.#lookup.runtime.onResigned(partition, leaderEpoch)
  }

  /** InitProducerId v0-5 with a transactional id. */
  async initProducerId(
    request: InitProducerIdRequest & { readonly transactionalId: string },
    { apiVersion }: { readonly apiVersion: number },
  ): Promise<MessageInput<typeof InitProducerIdResponse>> {
    const result = await this.#initProducerId(request)
    if (typeof result !== 'string') return { errorCode: ErrorCode.NONE, ...result }
    const errorCode = ErrorCode[olderError(result, apiVersion < 4)]
    return { errorCode, producerId: NO_PRODUCER, producerEpoch: NO_PRODUCER }
  }

  async #initProducerId(
    request: InitProducerIdRequest & { readonly transactionalId: string },
  ): Promise<ProducerIdentity | ErrorName> {
    const { transactionalId, transactionTimeoutMs: timeoutMs, producerId, producerEpoch } = request
    if ((producerId === NO_PRODUCER) !== (producerEpoch === NO_PRODUCER)) return 'INVALID_REQUEST'
    if (transactionalId === '') return 'INVALID_REQUEST'
    if (timeoutMs <= 0 || timeoutMs > this.#options.config.maxTimeoutMs) return 'INVALID_TRANSACTION_TIMEOUT'
    const found = this.#lookup.find(transactionalId)
    if (typeof found === 'string') return found
    const { shard } = found
    const entry = shard.getOrCreate(transactionalId)
    if (entry.isPending) return 'CONCURRENT_TRANSACTIONS'
    const expected = producerId === NO_PRODUCER ? undefined : { producerId, producerEpoch }
    const result = await shard.exclusively(entry, () => this.#decideInit(shard, entry, { timeoutMs, expected }))
    shard.endPrepared(entry)
    return result
  }

  async #decideInit(
    shard: TransactionShard,
    entry: TransactionEntry,
    request: InitRequest,
  ): Promise<ProducerIdentity | ErrorName> {
    const { clock, nextProducerId } = this.#options
    const context = { now: clock.now(), transactionVersion: this.#options.transactionVersion() }
    let decision = decideInitProducerId(entry.transaction, request, { ...context, newProducerId: undefined })
    if ('needsProducerId' in decision) {
      const newProducerId = await nextProducerId().catch(() => undefined)
      if (newProducerId === undefined) return 'COORDINATOR_NOT_AVAILABLE'
      decision = decideInitProducerId(entry.transaction, request, { ...context, newProducerId })
    }
    if ('error' in decision) return decision.error
    if ('needsProducerId' in decision) return 'UNKNOWN_SERVER_ERROR'
    const next = 'fence' in decision ? decision.fence : decision.next
    const error = await shard.write(entry, next)
    if (error !== 'NONE') return error
    // The client asks again until the transaction of its predecessor is aborted.
    if ('fence' in decision) return 'CONCURRENT_TRANSACTIONS'
    return { producerId: next.producerId, producerEpoch: next.producerEpoch }
  }

  /** AddPartitionsToTxn v0-5; from v4 for several transactions, and without change where brokers only verify. */
  async addPartitionsToTxn(
    request: AddPartitionsToTxnRequest,
    { apiVersion }: { readonly apiVersion: number },
  ): Promise<MessageInput<typeof AddPartitionsToTxnResponse>> {
    if (apiVersion >= 4) {
      const results = request.transactions.map(async ({ transactionalId, topics, verifyOnly, ...producer }) => ({
        transactionalId,
        topicResults: await this.#addPartitions(transactionalId, producer, { topics, verifyOnly, apiVersion }),
      }))
      return { resultsByTransaction: await Promise.all(results) }
    }
    const producer = { producerId: request.v3AndBelowProducerId, producerEpoch: request.v3AndBelowProducerEpoch }
    const asked = { topics: request.v3AndBelowTopics, verifyOnly: false, apiVersion }
    const results = await this.#addPartitions(request.v3AndBelowTransactionalId, producer, asked)
    return { resultsByTopicV3AndBelow: results }
  }

  /** All or none: where one partition is not there, or not for clients, the others are not attempted. */
  async #addPartitions(
    transactionalId: string,
    producer: ProducerIdentity,
    asked: { readonly topics: readonly AskedTopic[]; readonly verifyOnly: boolean; readonly apiVersion: number },
  ) {
    const { partitionExists } = this.#options
    const isOfClient = asked.apiVersion < FIRST_ADD_OF_BROKERS
    const partitions = asked.topics.flatMap(topic =>
      topic.partitions.map(partition => ({ topic: topic.name, partition })),
    )
    const refusalOf = ({ topic, partition }: PartitionName): ErrorName => {
      if (isOfClient && isInternalTopic(topic)) return 'TOPIC_AUTHORIZATION_FAILED'
      return partitionExists(topic, partition) ? 'NONE' : 'UNKNOWN_TOPIC_OR_PARTITION'
    }
    let errorOf: (name: PartitionName) => ErrorName
    if (partitions.some(name => refusalOf(name) !== 'NONE')) {
      errorOf = name => (refusalOf(name) === 'NONE' ? 'OPERATION_NOT_ATTEMPTED' : refusalOf(name))
    } else if (asked.verifyOnly) {
      errorOf = name => this.verify(transactionalId, producer, name)
    } else {
      const isImplicit = !isOfClient && this.#hasEpochs
      const error = await this.#add(transactionalId, {
        ...producer,
        partitions,
        clientVersion: isImplicit ? EPOCH_PER_TRANSACTION : 0,
      })
      errorOf = () => olderError(error, asked.apiVersion < 2)
    }
    return asked.topics.map(({ name, partitions: indexes }) => ({
      name,
      resultsByPartition: indexes.map(partitionIndex => ({
        partitionIndex,
        partitionErrorCode: ErrorCode[errorOf({ topic: name, partition: partitionIndex })],
      })),
    }))
  }

  get #hasEpochs(): boolean {
    return this.#options.transactionVersion() >= EPOCH_PER_TRANSACTION
  }

  #add(transactionalId: string, added: AddedPartitions): Promise<ErrorName> {
    const isImplicit = added.clientVersion >= EPOCH_PER_TRANSACTION
    return this.#lookup.change(
      transactionalId,
      current => decideAddPartitions(current, added, this.#options.clock.now()),
      // A producer whose identity came with the end of its last transaction waits until that is everywhere known.
      isImplicit ? {} : { check: current => checkProducer(current, added) },
    )
  }

  /**
   * Adds partitions that a client of the second protocol writes to without having said so (KIP-890). For a moment it waits for
   * the end of the transaction before, which clients of that protocol do not.
   *
   * Errors: as of AddPartitionsToTxn, and what says that the coordinator is not here.
   */
  async addImplicitly(
    transactionalId: string,
    producer: ProducerIdentity,
    partitions: readonly PartitionName[],
  ): Promise<ErrorName> {
    const { clock } = this.#options
    const { producerId, producerEpoch } = producer
    const added = { producerId, producerEpoch, partitions, clientVersion: EPOCH_PER_TRANSACTION }
    for (let waitedMs = 0; ; waitedMs += IMPLICIT_RETRY_MS) {
      const error = await this.#add(transactionalId, added)
      if (error !== 'CONCURRENT_TRANSACTIONS' || waitedMs >= IMPLICIT_WAIT_MS) return error
      await sleep(clock, IMPLICIT_RETRY_MS)
    }
  }

  /**
   * Whether the producer's transaction holds the partition, in this very moment (KIP-890): NONE, TRANSACTION_ABORTABLE
   * when it does not, or why that cannot be told.
   */
  verify(transactionalId: string, producer: ProducerIdentity, name: PartitionName): ErrorName {
    const found = this.#lookup.find(transactionalId)
    return typeof found === 'string' ? found : verifyPartition(found.entry?.transaction, producer, name)
  }

  /** AddOffsetsToTxn v0-4: adds the partition that the group lives in. */
  async addOffsetsToTxn(
    request: AddOffsetsToTxnRequest,
    { apiVersion }: { readonly apiVersion: number },
  ): Promise<MessageInput<typeof AddOffsetsToTxnResponse>> {
    const partition = this.#options.groupPartition(request.groupId)
    const { producerId, producerEpoch } = request
    const partitions = [{ topic: OFFSETS_TOPIC, partition }]
    const added = { producerId, producerEpoch, partitions, clientVersion: 0 }
    const error = await this.#add(request.transactionalId, added)
    return { errorCode: ErrorCode[olderError(error, apiVersion < 2)] }
  }

  /** EndTxn v0-5. The answer comes when the end is decided in the log; partitions learn of it in the background. */
  async endTxn(
    request: EndTxnRequest,
    { apiVersion }: { readonly apiVersion: number },
  ): Promise<MessageInput<typeof EndTxnResponse>> {
    const { transactionalId, producerId, producerEpoch, committed } = request
    const end = { producerId, producerEpoch, result: committed ? 'commit' : 'abort' } as const
    if (apiVersion >= FIRST_BUMPING_END) return this.#endAndBump(transactionalId, end)
    const error = await this.#lookup.change(
      transactionalId,
      current => decideEndTransaction(current, end, this.#options.clock.now()),
      { check: current => checkProducer(current, end) },
    )
    return { errorCode: ErrorCode[olderError(error, apiVersion < 2)] }
  }

  async #endAndBump(
    transactionalId: string,
    end: ProducerIdentity & { readonly result: TransactionResult },
  ): Promise<MessageInput<typeof EndTxnResponse>> {
    const { clock, nextProducerId } = this.#options
    let decided: Transaction | undefined
    const error = await this.#lookup.change(
      transactionalId,
      (current, newProducerId) => {
        const decision = decideEndAndBump(current, end, { now: clock.now(), newProducerId })
        decided = 'next' in decision ? decision.next : current
        return decision
      },
      { nextProducerId },
    )
    if (error !== 'NONE' || decided === undefined) return { errorCode: ErrorCode[error] }
    return { errorCode: ErrorCode.NONE, ...identityAfter(decided) }
  }

  /** DescribeTransactions v0. */
  describeTransactions(request: DescribeTransactionsRequest): MessageInput<typeof DescribeTransactionsResponse> {
    return describeTransactions(request, this.#lookup)
  }

  /** ListTransactions v0-1. */
  listTransactions(request: ListTransactionsRequest): MessageInput<typeof ListTransactionsResponse> {
    return listTransactions(request, this.#lookup, this.#options.clock.now())
  }

  /** Looks for transactions past their timeout now, as it does by itself. */
  abortTimedOut(): Promise<void> {
    return this.#upkeep.abortTimedOut()
  }

  /** Looks for ids past their expiration now, as it does by itself. */
  forgetExpired(): Promise<void> {
    return this.#upkeep.forgetExpired()
  }

  /** Stops all timers and gives everything up. */
  close(): void {
    this.#upkeep.close()
    this.#lookup.runtime.close()
  }
}

interface AskedTopic {
  readonly name: string
  readonly partitions: readonly number[]
}

/** Clients from before KIP-588 do not know PRODUCER_FENCED. */
function olderError(error: ErrorName, isOld: boolean): ErrorName {
  return isOld && error === 'PRODUCER_FENCED' ? 'INVALID_PRODUCER_EPOCH' : error
}
