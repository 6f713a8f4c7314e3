/** Records of `__transaction_state`. */
import { array, data, int8, int16, int32, int64, type MessageOf, string } from '../../schema.ts'

/** Key of a transactional id in `__transaction_state`. */
export const TransactionLogKey = data(
  'TransactionLogKey',
  { versions: '0', flexible: 'none' },
  {
    transactionalId: string(),
  },
)
export type TransactionLogKey = MessageOf<typeof TransactionLogKey>

/** The state of a transactional id. */
export const TransactionLogValue = data(
  'TransactionLogValue',
  { versions: '0-1', flexible: '1+' },
  {
    producerId: int64(),
    previousProducerId: int64().from(1).default(-1).tagged(0),
    nextProducerId: int64().from(1).default(-1).tagged(1),
    producerEpoch: int16(),
    transactionTimeoutMs: int32(),
    transactionStatus: int8(),
    transactionPartitions: array({
      topic: string(),
      partitionIds: array(int32()),
    }).nullable(),
    transactionLastUpdateTimestampMs: int64(),
    transactionStartTimestampMs: int64(),
    clientTransactionVersion: int16().from(1).tagged(2),
  },
)
export type TransactionLogValue = MessageOf<typeof TransactionLogValue>
