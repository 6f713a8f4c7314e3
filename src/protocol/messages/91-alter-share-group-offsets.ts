import { array, int16, int32, int64, type MessageOf, request, response, string, uuid } from '../schema.ts'

/** Sets start offsets of a share group. */
export const AlterShareGroupOffsetsRequest = request(
  'AlterShareGroupOffsets',
  91,
  { versions: '0', flexible: '0+' },
  {
    groupId: string(),
    topics: array({
      topicName: string(),
      partitions: array({
        partitionIndex: int32(),
        startOffset: int64(),
      }),
    }),
  },
)
export type AlterShareGroupOffsetsRequest = MessageOf<typeof AlterShareGroupOffsetsRequest>

/** Which were set. */
export const AlterShareGroupOffsetsResponse = response(
  'AlterShareGroupOffsets',
  91,
  { versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string().nullable().default(null),
    responses: array({
      topicName: string(),
      topicId: uuid(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        errorMessage: string().nullable().default(null),
      }),
    }),
  },
)
export type AlterShareGroupOffsetsResponse = MessageOf<typeof AlterShareGroupOffsetsResponse>
