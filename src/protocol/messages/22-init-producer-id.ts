import { bool, int16, int32, int64, type MessageOf, request, response, string } from '../schema.ts'

/** Asks for a producer id and epoch; with a transactional id, ends what its predecessor left open. */
export const InitProducerIdRequest = request(
  'InitProducerId',
  22,
  { versions: '0-6', flexible: '2+' },
  {
    transactionalId: string().nullable(),
    transactionTimeoutMs: int32(),
    /** Given by a producer that goes on with its id after an error (KIP-360), otherwise -1. */
    producerId: int64().from(3).default(-1),
    producerEpoch: int16().from(3).default(-1),
    enable2Pc: bool().from(6),
    keepPreparedTxn: bool().from(6),
  },
)
export type InitProducerIdRequest = MessageOf<typeof InitProducerIdRequest>

/** The producer's id and epoch. */
export const InitProducerIdResponse = response(
  'InitProducerId',
  22,
  { versions: '0-6', flexible: '2+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    producerId: int64().default(-1),
    producerEpoch: int16(),
    ongoingTxnProducerId: int64().from(6).default(-1),
    ongoingTxnProducerEpoch: int16().from(6).default(-1),
  },
)
export type InitProducerIdResponse = MessageOf<typeof InitProducerIdResponse>
