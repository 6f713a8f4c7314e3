import { array, int16, int32, int64, type MessageOf, request, response, string } from '../schema.ts'

/** Asks for the producers that a partition remembers (KIP-664). */
export const DescribeProducersRequest = request(
  'DescribeProducers',
  61,
  { versions: '0', flexible: '0+' },
  {
    topics: array({
      name: string(),
      partitionIndexes: array(int32()),
    }),
  },
)
export type DescribeProducersRequest = MessageOf<typeof DescribeProducersRequest>

/** Producer ids with epoch, sequence and open transaction. */
export const DescribeProducersResponse = response(
  'DescribeProducers',
  61,
  { versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32(),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        errorMessage: string().nullable().default(null),
        activeProducers: array({
          producerId: int64(),
          producerEpoch: int32(),
          lastSequence: int32().default(-1),
          lastTimestamp: int64().default(-1),
          coordinatorEpoch: int32(),
          currentTxnStartOffset: int64().default(-1),
        }),
      }),
    }),
  },
)
export type DescribeProducersResponse = MessageOf<typeof DescribeProducersResponse>
