import { array, int8, int16, int32, int64, type MessageOf, request, response, string, uuid } from '../schema.ts'

/** Writes the persistent state of share partitions. */
export const WriteShareGroupStateRequest = request(
  'WriteShareGroupState',
  85,
  { versions: '0-1', flexible: '0+' },
  {
    groupId: string(),
    topics: array({
      topicId: uuid(),
      partitions: array({
        partition: int32(),
        stateEpoch: int32(),
        leaderEpoch: int32(),
        startOffset: int64(),
        deliveryCompleteCount: int32().from(1).default(-1).ignorable(),
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
export type WriteShareGroupStateRequest = MessageOf<typeof WriteShareGroupStateRequest>

/** Which were written. */
export const WriteShareGroupStateResponse = response(
  'WriteShareGroupState',
  85,
  { versions: '0-1', flexible: '0+' },
  {
    results: array({
      topicId: uuid(),
      partitions: array({
        partition: int32(),
        errorCode: int16(),
        errorMessage: string().nullable().default(null),
      }),
    }),
  },
)
export type WriteShareGroupStateResponse = MessageOf<typeof WriteShareGroupStateResponse>
