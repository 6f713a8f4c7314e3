import { array, int16, int32, int64, type MessageOf, request, response, string } from '../schema.ts'

/** Asks for the transactions that the broker coordinates. */
export const ListTransactionsRequest = request(
  'ListTransactions',
  66,
  { versions: '0-2', flexible: '0+' },
  {
    stateFilters: array(string()),
    producerIdFilters: array(int64()),
    durationFilter: int64().from(1).default(-1),
    transactionalIdPattern: string().nullable().from(2).default(null),
  },
)
export type ListTransactionsRequest = MessageOf<typeof ListTransactionsRequest>

/** The transactions, filtered as wanted. */
export const ListTransactionsResponse = response(
  'ListTransactions',
  66,
  { versions: '0-2', flexible: '0+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    unknownStateFilters: array(string()),
    transactionStates: array({
      transactionalId: string(),
      producerId: int64(),
      transactionState: string(),
    }),
  },
)
export type ListTransactionsResponse = MessageOf<typeof ListTransactionsResponse>
