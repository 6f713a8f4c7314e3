import { ErrorCode, KafkaError } from '../../protocol/index.ts'
import { DescribeProducersRequest, DescribeProducersResponse } from '../../protocol/messages/61-describe-producers.ts'
import {
  DescribeTransactionsRequest,
  DescribeTransactionsResponse,
} from '../../protocol/messages/65-describe-transactions.ts'
import { ListTransactionsRequest, ListTransactionsResponse } from '../../protocol/messages/66-list-transactions.ts'
import { byTopic, type TopicPartition } from '../topic-partition.ts'
import { type AdminCall, type CallOptions, settle } from './admin-call.ts'
import { atLeaders, nameOf } from './partitions.ts'

const DESCRIBE_PRODUCERS = { request: DescribeProducersRequest, response: DescribeProducersResponse }
const DESCRIBE_TRANSACTIONS = { request: DescribeTransactionsRequest, response: DescribeTransactionsResponse }
const LIST_TRANSACTIONS = { request: ListTransactionsRequest, response: ListTransactionsResponse }

export interface ListTransactionsOptions extends CallOptions {
  /** Only those in one of these states: `Ongoing`, `PrepareCommit`, `CompleteAbort`, ... */
  readonly states?: readonly string[]
  readonly producerIds?: readonly number[]
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
  { states = [], producerIds = [] }: ListTransactionsOptions,
): Promise<TransactionListing[]> {
  return cluster.retrying('listing transactions', patience, async () => {
    const { brokers } = await cluster.refresh()
    const body = { stateFilters: states, producerIdFilters: producerIds }
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
  const { cluster, patience } = call
  return settle(call, { what: 'describing transactions', items: ids, keyOf: id => id }, left =>
    Promise.all(
      left.map(async id => {
        const what = `describing the transaction of ${id}`
        const { state, coordinator } = await cluster.withCoordinator(
          'transaction',
          id,
          { what, patience },
          async broker => {
            const answer = await cluster.request({ broker }, DESCRIBE_TRANSACTIONS, { transactionalIds: [id] })
            return { state: answer.transactionStates[0], coordinator: broker }
          },
        )
        if (state === undefined) throw new KafkaError('UNKNOWN_SERVER_ERROR', `the broker said nothing of ${id}`)
        if (state.errorCode !== ErrorCode.NONE) cluster.coordinatorMoved('transaction', id)
        const result = {
          transactionalId: id,
          producerId: state.producerId,
          state: state.transactionState,
          coordinator,
          producerEpoch: state.producerEpoch,
          timeoutMs: state.transactionTimeoutMs,
          startedAt: state.transactionStartTimeMs < 0 ? undefined : state.transactionStartTimeMs,
          partitions: state.topics.flatMap(({ topic, partitions }) =>
            partitions.map(partition => ({ topic, partition })),
          ),
        }
        return { key: id, errorCode: state.errorCode, result }
      }),
    ),
  )
}

export function describeProducers(call: AdminCall, of: readonly TopicPartition[]): Promise<PartitionProducers[]> {
  return atLeaders(call, 'describing producers', of, async (broker, partitions) => {
    const topics = byTopic(partitions, ({ partition }) => partition).map(({ name, partitions: indexes }) => ({
      name,
      partitionIndexes: indexes,
    }))
    const answer = await call.cluster.request({ broker }, DESCRIBE_PRODUCERS, { topics })
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
  })
}
