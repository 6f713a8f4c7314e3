import { array, int8, int16, int32, int64, type MessageOf, request, response, string, uuid } from '../schema.ts'

/** Reads the persistent state of share partitions. */
export const ReadShareGroupStateRequest = request(
  'ReadShareGroupState',
  84,
  { versions: '0', flexible: '0+' },
  {
    groupId: string(),
    topics: array({
      topicId: uuid(),
      partitions: array({
        partition: int32(),
        leaderEpoch: int32(),
      }),
    }),
  },
)
export type ReadShareGroupStateRequest = MessageOf<typeof ReadShareGroupStateRequest>

/** State, epoch and batches of each. */
export const ReadShareGroupStateResponse = response(
  'ReadShareGroupState',
  84,
  { versions: '0', flexible: '0+' },
  {
    results: array({
      topicId: uuid(),
      partitions: array({
        partition: int32(),
        errorCode: int16(),
        errorMessage: string().nullable().default(null),
        stateEpoch: int32(),
        startOffset: int64(),
        stateBatches: array({
          firstOffset: int64(),
          lastOffset: int64(),
          deliveryState: int8(),
          deliveryCount: int16(),
        }),
      }),
    }),
  },
)
export type ReadShareGroupStateResponse = MessageOf<typeof ReadShareGroupStateResponse>
