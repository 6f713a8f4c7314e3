import { array, int16, int32, type MessageOf, request, response, string } from '../schema.ts'

/** Deletes committed offsets of a group. */
export const OffsetDeleteRequest = request(
  'OffsetDelete',
  47,
  { versions: '0', flexible: 'none' },
  {
    groupId: string(),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
      }),
    }),
  },
)
export type OffsetDeleteRequest = MessageOf<typeof OffsetDeleteRequest>

/** Which were deleted. */
export const OffsetDeleteResponse = response(
  'OffsetDelete',
  47,
  { versions: '0', flexible: 'none' },
  {
    errorCode: int16(),
    throttleTimeMs: int32(),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
      }),
    }),
  },
)
export type OffsetDeleteResponse = MessageOf<typeof OffsetDeleteResponse>
