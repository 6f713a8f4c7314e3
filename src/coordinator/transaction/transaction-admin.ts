import { ErrorCode, type MessageInput } from '../../protocol/index.ts'
import type {
  DescribeTransactionsRequest,
  DescribeTransactionsResponse,
} from '../../protocol/messages/65-describe-transactions.ts'
import type { ListTransactionsRequest, ListTransactionsResponse } from '../../protocol/messages/66-list-transactions.ts'
import { TRANSACTION_STATES, type TransactionState } from './transaction.ts'
import type { TransactionLookup } from './transaction-lookup.ts'
import type { TransactionEntry } from './transaction-shard.ts'

type DescribedTransaction = NonNullable<MessageInput<typeof DescribeTransactionsResponse>['transactionStates']>[number]

/** DescribeTransactions: each id as it is now; a transaction that is being ended with the partitions that are left. */
export function describeTransactions(
  request: DescribeTransactionsRequest,
  lookup: TransactionLookup,
): MessageInput<typeof DescribeTransactionsResponse> {
  return { transactionStates: request.transactionalIds.map(id => describeOne(id, lookup)) }
}

function describeOne(transactionalId: string, lookup: TransactionLookup): DescribedTransaction {
  const found = lookup.find(transactionalId)
  if (typeof found === 'string') return { transactionalId, errorCode: ErrorCode[found] }
  const { entry } = found
  if (entry?.transaction === undefined) return { transactionalId, errorCode: ErrorCode.TRANSACTIONAL_ID_NOT_FOUND }
  const { state, producerId, producerEpoch, timeoutMs, startTimestamp } = entry.transaction
  return {
    transactionalId,
    transactionState: state,
    producerId,
    producerEpoch,
    transactionTimeoutMs: timeoutMs,
    transactionStartTimeMs: startTimestamp,
    topics: topicsOf(entry),
  }
}

function topicsOf({ transaction, unmarked }: TransactionEntry): { topic: string; partitions: number[] }[] {
  if (unmarked === undefined) {
    return Array.from(transaction?.partitions ?? [], ([topic, indexes]) => ({ topic, partitions: [...indexes] }))
  }
  const topics = new Map<string, number[]>()
  for (const { topic, partition } of unmarked) {
    const partitions = topics.get(topic)
    if (partitions === undefined) topics.set(topic, [partition])
    else partitions.push(partition)
  }
  return Array.from(topics, ([topic, partitions]) => ({ topic, partitions }))
}

/** ListTransactions: ids by state, producer id, and for how long their transaction has been running. */
export function listTransactions(
  request: ListTransactionsRequest,
  lookup: TransactionLookup,
  now: number,
): MessageInput<typeof ListTransactionsResponse> {
  const { runtime } = lookup
  if (runtime.isClosed) return { errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE }
  if (runtime.isLoading) return { errorCode: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS }
  const states: ReadonlySet<string> = new Set(TRANSACTION_STATES)
  const wantedStates: ReadonlySet<string> = new Set(request.stateFilters)
  const wantedIds = new Set(request.producerIdFilters)
  const transactionStates: { transactionalId: string; producerId: number; transactionState: TransactionState }[] = []
  for (const shard of runtime.active()) {
    for (const { transactionalId, transaction } of shard.entries()) {
      if (transaction === undefined) continue
      const { state, producerId, startTimestamp } = transaction
      if (wantedIds.size > 0 && !wantedIds.has(producerId)) continue
      if (wantedStates.size > 0 && !wantedStates.has(state)) continue
      if (request.durationFilter >= 0 && now - startTimestamp <= request.durationFilter) continue
      transactionStates.push({ transactionalId, producerId, transactionState: state })
    }
  }
  return { unknownStateFilters: [...wantedStates].filter(name => !states.has(name)), transactionStates }
}
