import { ErrorCode, KafkaError } from '../../protocol/index.ts'
import { InitProducerIdRequest, InitProducerIdResponse } from '../../protocol/messages/22-init-producer-id.ts'
import { WriteTxnMarkersRequest, WriteTxnMarkersResponse } from '../../protocol/messages/27-write-txn-markers.ts'
import { DescribeProducersRequest, DescribeProducersResponse } from '../../protocol/messages/61-describe-producers.ts'
import {
  DescribeTransactionsRequest,
  DescribeTransactionsResponse,
} from '../../protocol/messages/65-describe-transactions.ts'
import { ListTransactionsRequest, ListTransactionsResponse } from '../../protocol/messages/66-list-transactions.ts'
import { checkItem, PARTITION_FIELDS } from '../checked-items.ts'
import { byTopic, type TopicPartition } from '../topic-partition.ts'
import {
  type AdminCall,
  type Answer,
  atCoordinators,
  brokerTimeoutMs,
  type CallOptions,
  knowing,
  settle,
} from './admin-call.ts'
import { atLeaders, nameOf, outcomesOf } from './partitions.ts'

const INIT_PRODUCER_ID = { request: InitProducerIdRequest, response: InitProducerIdResponse }
const WRITE_MARKERS = { request: WriteTxnMarkersRequest, response: WriteTxnMarkersResponse }
const DESCRIBE_PRODUCERS = { request: DescribeProducersRequest, response: DescribeProducersResponse }
const DESCRIBE_TRANSACTIONS = { request: DescribeTransactionsRequest, response: DescribeTransactionsResponse }
const LIST_TRANSACTIONS = { request: ListTransactionsRequest, response: ListTransactionsResponse }

export interface ListTransactionsOptions extends CallOptions {
  /** Only those in one of these states: `Ongoing`, `PrepareCommit`, `CompleteAbort`, ... */
  readonly states?: readonly string[]
  readonly producerIds?: readonly number[]
  /** Only those that have been open for longer (KIP-994, Kafka 3.8). */
  readonly minDurationMs?: number
}

export interface DescribeProducersOptions extends CallOptions {
  /** Id of the broker whose replicas are meant; the leaders when left out. */
  readonly broker?: number
}

/** The epoch that was taken away from whoever has been the producer of an id; its next one gets the epoch after that. */
export interface FencedProducer {
  readonly transactionalId: string
  readonly producerId: number
  readonly producerEpoch: number
}

/** A transaction that is open in a partition and that no coordinator will end, as `describeProducers` shows it (KIP-664). */
export interface HangingTransaction extends TopicPartition {
  readonly producerId: number
  readonly producerEpoch: number
  /** 0 when left out, or -1, which stands for a producer that has not ended a transaction yet. */
  readonly coordinatorEpoch?: number
}

export interface TransactionListing {
  readonly transactionalId: string
  readonly producerId: number
  readonly state: string
}

export interface TransactionDescription extends TransactionListing {
  /** Id of the broker that coordinates it. */
  readonly coordinator: number
  readonly producerEpoch: number
  readonly timeoutMs: number
  /** Milliseconds since 1970; undefined while none is open. */
  readonly startedAt: number | undefined
  /** What it has written to. */
  readonly partitions: readonly TopicPartition[]
}

/** A producer as a partition's leader knows it. */
export interface ProducerState {
  readonly producerId: number
  readonly producerEpoch: number
  /** -1 where it has none. */
  readonly lastSequence: number
  /** Milliseconds since 1970; -1 where there is none. */
  readonly lastTimestamp: number
  readonly coordinatorEpoch: number
  /** First offset of the transaction that is open; undefined where none is. */
  readonly transactionStartOffset: number | undefined
}

export interface PartitionProducers extends TopicPartition {
  readonly producers: readonly ProducerState[]
}

/** Every broker knows the transactions that it coordinates. */
export function listTransactions(
  { cluster, patience }: AdminCall,
  { states = [], producerIds = [], minDurationMs = -1 }: ListTransactionsOptions,
): Promise<TransactionListing[]> {
  return cluster.retrying('listing transactions', patience, async () => {
    const { brokers } = await cluster.refresh()
    const body = { stateFilters: states, producerIdFilters: producerIds, durationFilter: minDurationMs }
    const answers = await Promise.all(
      Array.from(brokers.keys(), broker => cluster.request({ broker }, LIST_TRANSACTIONS, body)),
    )
    for (const { errorCode } of answers) if (errorCode !== ErrorCode.NONE) throw KafkaError.fromCode(errorCode)
    return answers
      .flatMap(({ transactionStates }) => transactionStates)
      .map(({ transactionalId, producerId, transactionState }) => ({
        transactionalId,
        producerId,
        state: transactionState,
      }))
      .sort((one, other) => (one.transactionalId < other.transactionalId ? -1 : 1))
  })
}

export function describeTransactions(call: AdminCall, ids: readonly string[]): Promise<TransactionDescription[]> {
  return atCoordinators(call, 'transaction', 'describing transactions', ids, async (id, coordinator) => {
    const answer = await call.cluster.request({ broker: coordinator }, DESCRIBE_TRANSACTIONS, {
      transactionalIds: [id],
    })
    const state = answer.transactionStates[0]
    if (state === undefined) throw new KafkaError('UNKNOWN_SERVER_ERROR', `the broker said nothing of ${id}`)
    const result = {
      transactionalId: id,
      producerId: state.producerId,
      state: state.transactionState,
      coordinator,
      producerEpoch: state.producerEpoch,
      timeoutMs: state.transactionTimeoutMs,
      startedAt: state.transactionStartTimeMs < 0 ? undefined : state.transactionStartTimeMs,
      partitions: state.topics.flatMap(({ topic, partitions }) => partitions.map(partition => ({ topic, partition }))),
    }
    return { errorCode: state.errorCode, result }
  })
}

/** Takes the next epoch of each id, as its next producer would: what the one before left open is aborted. */
export function fenceProducers(call: AdminCall, ids: readonly string[]): Promise<FencedProducer[]> {
  return atCoordinators(call, 'transaction', 'fencing producers', ids, async (id, broker) => {
    const body = { transactionalId: id, transactionTimeoutMs: brokerTimeoutMs(call) }
    const answer = await call.cluster.request({ broker }, INIT_PRODUCER_ID, body)
    const { errorCode, producerId, producerEpoch } = answer
    return { errorCode, result: { transactionalId: id, producerId, producerEpoch } }
  })
}

const HANGING_FIELDS = { ...PARTITION_FIELDS, producerId: 'integer', producerEpoch: 'integer' } as const

/** Has the partition's leader write the marker that the coordinator does not. */
export async function abortTransaction(call: AdminCall, transaction: HangingTransaction): Promise<void> {
  checkItem('aborting a transaction', transaction, HANGING_FIELDS)
  const { topic, partition, producerId, producerEpoch, coordinatorEpoch = 0 } = transaction
  const marker = {
    producerId,
    producerEpoch,
    coordinatorEpoch: Math.max(0, coordinatorEpoch),
    transactionResult: false,
  }
  await atLeaders(call, 'aborting a transaction', [{ topic, partition }], async broker => {
    const answer = await call.cluster.request({ broker }, WRITE_MARKERS, {
      markers: [{ ...marker, topics: [{ name: topic, partitionIndexes: [partition] }] }],
    })
    return answer.markers.flatMap(({ topics }) => outcomesOf(topics))
  })
}

/** Asks the leaders; or one broker, for what it has as a follower. */
export function describeProducers(
  call: AdminCall,
  of: readonly TopicPartition[],
  { broker: wanted }: DescribeProducersOptions,
): Promise<PartitionProducers[]> {
  const what = 'describing producers'
  if (wanted === undefined) return atLeaders(call, what, of, (broker, left) => producersAt(call, broker, left))
  return settle(call, { what, items: of, keyOf: nameOf }, async left => {
    await knowing(call, [wanted])
    // He who names the broker means that one: that it has no such replica does not pass.
    return (await producersAt(call, wanted, left)).map(answer => ({ ...answer, isFinal: true }))
  })
}

async function producersAt(
  { cluster }: AdminCall,
  broker: number,
  of: readonly TopicPartition[],
): Promise<Answer<PartitionProducers>[]> {
  const topics = byTopic(of, ({ partition }) => partition).map(({ name, partitions }) => ({
    name,
    partitionIndexes: partitions,
  }))
  const answer = await cluster.request({ broker }, DESCRIBE_PRODUCERS, { topics })
  return answer.topics.flatMap(({ name, partitions: answers }) =>
    answers.map(({ partitionIndex, errorCode, errorMessage, activeProducers }) => {
      const place = { topic: name, partition: partitionIndex }
      const producers = activeProducers.map(({ currentTxnStartOffset, ...producer }) => ({
        ...producer,
        transactionStartOffset: currentTxnStartOffset < 0 ? undefined : currentTxnStartOffset,
      }))
      return { key: nameOf(place), errorCode, errorMessage, result: { ...place, producers } }
    }),
  )
}
