import { ListTransactionsRequest, ListTransactionsResponse } from '../../protocol/messages/66-list-transactions.ts'
import { handler } from '../handler.ts'

/**
 * ListTransactions, key 66: transactional ids that this broker coordinates (KIP-664). v1+: by duration (KIP-994). v2, by
 * pattern, is newer than Kafka 3.9.
 */
export const listTransactions = handler(ListTransactionsRequest, ListTransactionsResponse, {
  versions: { min: 0, max: 1 },
  handle: (request, { services }) => services.transactions.listTransactions(request),
  failed: ({ errorCode }) => ({ errorCode }),
})
