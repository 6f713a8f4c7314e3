import { array, int16, int32, type MessageOf, request, response, string, uuid } from '../schema.ts'

/** Deletes a share group's offsets of topics. */
export const DeleteShareGroupOffsetsRequest = request(
  'DeleteShareGroupOffsets',
  92,
  { versions: '0', flexible: '0+' },
  {
    groupId: string(),
    topics: array({
      topicName: string(),
    }),
  },
)
export type DeleteShareGroupOffsetsRequest = MessageOf<typeof DeleteShareGroupOffsetsRequest>

/** Which were deleted. */
export const DeleteShareGroupOffsetsResponse = response(
  'DeleteShareGroupOffsets',
  92,
  { versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string().nullable().default(null),
    responses: array({
      topicName: string(),
      topicId: uuid(),
      errorCode: int16(),
      errorMessage: string().nullable().default(null),
    }),
  },
)
export type DeleteShareGroupOffsetsResponse = MessageOf<typeof DeleteShareGroupOffsetsResponse>
