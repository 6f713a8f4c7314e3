import { array, int16, int32, int64, type MessageOf, request, response, string } from '../schema.ts'

/** Asks for the state of transactions (KIP-664). */
export const DescribeTransactionsRequest = request(
  'DescribeTransactions',
  65,
  { versions: '0', flexible: '0+' },
  {
    transactionalIds: array(string()),
  },
)
export type DescribeTransactionsRequest = MessageOf<typeof DescribeTransactionsRequest>

/** State, timeout and partitions of each. */
export const DescribeTransactionsResponse = response(
  'DescribeTransactions',
  65,
  { versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32(),
    transactionStates: array({
      errorCode: int16(),
      transactionalId: string(),
      transactionState: string(),
      transactionTimeoutMs: int32(),
      transactionStartTimeMs: int64(),
      producerId: int64(),
      producerEpoch: int16(),
      topics: array({
        topic: string(),
        partitions: array(int32()),
      }),
    }),
  },
)
export type DescribeTransactionsResponse = MessageOf<typeof DescribeTransactionsResponse>
