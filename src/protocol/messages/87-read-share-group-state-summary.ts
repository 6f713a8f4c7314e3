import { array, int16, int32, int64, type MessageOf, request, response, string, uuid } from '../schema.ts'

/** Reads start offset and epoch of share partitions. */
export const ReadShareGroupStateSummaryRequest = request(
  'ReadShareGroupStateSummary',
  87,
  { versions: '0-1', flexible: '0+' },
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
export type ReadShareGroupStateSummaryRequest = MessageOf<typeof ReadShareGroupStateSummaryRequest>

/** The summaries. */
export const ReadShareGroupStateSummaryResponse = response(
  'ReadShareGroupStateSummary',
  87,
  { versions: '0-1', flexible: '0+' },
  {
    results: array({
      topicId: uuid(),
      partitions: array({
        partition: int32(),
        errorCode: int16(),
        errorMessage: string().nullable().default(null),
        stateEpoch: int32(),
        leaderEpoch: int32(),
        startOffset: int64(),
        deliveryCompleteCount: int32().from(1).default(-1).ignorable(),
      }),
    }),
  },
)
export type ReadShareGroupStateSummaryResponse = MessageOf<typeof ReadShareGroupStateSummaryResponse>
