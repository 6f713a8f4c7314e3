import { array, int16, int32, int64, type MessageOf, request, response, string, uuid } from '../schema.ts'

/** Creates the persistent state of share partitions. */
export const InitializeShareGroupStateRequest = request(
  'InitializeShareGroupState',
  83,
  { versions: '0', flexible: '0+' },
  {
    groupId: string(),
    topics: array({
      topicId: uuid(),
      partitions: array({
        partition: int32(),
        stateEpoch: int32(),
        startOffset: int64(),
      }),
    }),
  },
)
export type InitializeShareGroupStateRequest = MessageOf<typeof InitializeShareGroupStateRequest>

/** Which were created. */
export const InitializeShareGroupStateResponse = response(
  'InitializeShareGroupState',
  83,
  { versions: '0', flexible: '0+' },
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
export type InitializeShareGroupStateResponse = MessageOf<typeof InitializeShareGroupStateResponse>
