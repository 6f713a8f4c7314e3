import { int16, int32, int64, type MessageOf, request, response, string } from '../schema.ts'

/** Registers a group's offsets with a transaction. */
export const AddOffsetsToTxnRequest = request(
  'AddOffsetsToTxn',
  25,
  { versions: '0-4', flexible: '3+' },
  {
    transactionalId: string(),
    producerId: int64(),
    producerEpoch: int16(),
    groupId: string(),
  },
)
export type AddOffsetsToTxnRequest = MessageOf<typeof AddOffsetsToTxnRequest>

/** Whether they were added. */
export const AddOffsetsToTxnResponse = response(
  'AddOffsetsToTxn',
  25,
  { versions: '0-4', flexible: '3+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
  },
)
export type AddOffsetsToTxnResponse = MessageOf<typeof AddOffsetsToTxnResponse>
