import { int16, int32, int64, type MessageOf, request, response } from '../schema.ts'

/** A broker asks the controller for a block of producer ids. */
export const AllocateProducerIdsRequest = request(
  'AllocateProducerIds',
  67,
  { versions: '0', flexible: '0+' },
  {
    brokerId: int32(),
    brokerEpoch: int64().default(-1),
  },
)
export type AllocateProducerIdsRequest = MessageOf<typeof AllocateProducerIdsRequest>

/** The block. */
export const AllocateProducerIdsResponse = response(
  'AllocateProducerIds',
  67,
  { versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    producerIdStart: int64(),
    producerIdLen: int32(),
  },
)
export type AllocateProducerIdsResponse = MessageOf<typeof AllocateProducerIdsResponse>
