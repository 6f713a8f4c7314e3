import { array, int16, int32, type MessageOf, request, response, string, uuid } from '../schema.ts'

/** Deletes the persistent state of share partitions. */
export const DeleteShareGroupStateRequest = request(
  'DeleteShareGroupState',
  86,
  { versions: '0', flexible: '0+' },
  {
    groupId: string(),
    topics: array({
      topicId: uuid(),
      partitions: array({
        partition: int32(),
      }),
    }),
  },
)
export type DeleteShareGroupStateRequest = MessageOf<typeof DeleteShareGroupStateRequest>

/** Which were deleted. */
export const DeleteShareGroupStateResponse = response(
  'DeleteShareGroupState',
  86,
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
export type DeleteShareGroupStateResponse = MessageOf<typeof DeleteShareGroupStateResponse>
