import { bool, int16, int32, int64, type MessageOf, request, response, string } from '../schema.ts'

/** Commits or aborts a transaction. */
export const EndTxnRequest = request(
  'EndTxn',
  26,
  { versions: '0-5', flexible: '3+' },
  {
    transactionalId: string(),
    producerId: int64(),
    producerEpoch: int16(),
    committed: bool(),
  },
)
export type EndTxnRequest = MessageOf<typeof EndTxnRequest>

/** Whether the end has begun; from v5 the producer's next epoch (KIP-890). */
export const EndTxnResponse = response(
  'EndTxn',
  26,
  { versions: '0-5', flexible: '3+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    producerId: int64().from(5).default(-1).ignorable(),
    producerEpoch: int16().from(5).default(-1).ignorable(),
  },
)
export type EndTxnResponse = MessageOf<typeof EndTxnResponse>
