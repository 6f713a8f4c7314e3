import { array, bool, int8, int16, int32, int64, type MessageOf, request, response, string } from '../schema.ts'

/** The transaction coordinator has commit or abort markers written by the partitions' leaders. */
export const WriteTxnMarkersRequest = request(
  'WriteTxnMarkers',
  27,
  { versions: '0-2', flexible: '1+' },
  {
    markers: array({
      producerId: int64(),
      producerEpoch: int16(),
      transactionResult: bool(),
      topics: array({
        name: string(),
        partitionIndexes: array(int32()),
      }),
      coordinatorEpoch: int32(),
      transactionVersion: int8().from(2).ignorable(),
    }),
  },
)
export type WriteTxnMarkersRequest = MessageOf<typeof WriteTxnMarkersRequest>

/** Which markers were written. */
export const WriteTxnMarkersResponse = response(
  'WriteTxnMarkers',
  27,
  { versions: '0-2', flexible: '1+' },
  {
    markers: array({
      producerId: int64(),
      topics: array({
        name: string(),
        partitions: array({
          partitionIndex: int32(),
          errorCode: int16(),
        }),
      }),
    }),
  },
)
export type WriteTxnMarkersResponse = MessageOf<typeof WriteTxnMarkersResponse>
