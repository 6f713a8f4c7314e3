import {
  DescribeTransactionsRequest,
  DescribeTransactionsResponse,
} from '../../protocol/messages/65-describe-transactions.ts'
import { handler } from '../handler.ts'

/** DescribeTransactions, key 65: state, producer and partitions of transactional ids (KIP-664). */
export const describeTransactions = handler(DescribeTransactionsRequest, DescribeTransactionsResponse, {
  handle: (request, { services }) => services.transactions.describeTransactions(request),
  failed: ({ errorCode }, { transactionalIds }) => ({
    transactionStates: transactionalIds.map(transactionalId => ({ transactionalId, errorCode })),
  }),
})
