import { array, int16, int32, type MessageOf, request, response, string, uuid } from '../schema.ts'

/** Deletes topics, by name or from v6 by id. */
export const DeleteTopicsRequest = request(
  'DeleteTopics',
  20,
  { versions: '0-6', flexible: '4+' },
  {
    topics: array({
      name: string().nullable().from(6).default(null),
      topicId: uuid().from(6),
    }).from(6),
    topicNames: array(string()).until(5).ignorable(),
    timeoutMs: int32(),
  },
)
export type DeleteTopicsRequest = MessageOf<typeof DeleteTopicsRequest>

/** Which topics were deleted. */
export const DeleteTopicsResponse = response(
  'DeleteTopics',
  20,
  { versions: '0-6', flexible: '4+' },
  {
    throttleTimeMs: int32().from(1).ignorable(),
    responses: array({
      name: string().nullable(6),
      topicId: uuid().from(6).ignorable(),
      errorCode: int16(),
      errorMessage: string().nullable().from(5).default(null).ignorable(),
    }),
  },
)
export type DeleteTopicsResponse = MessageOf<typeof DeleteTopicsResponse>
