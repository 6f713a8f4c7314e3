import { array, int16, int32, int64, type MessageOf, request, response, string, uuid } from '../schema.ts'

/** Asks for the start offsets of share groups. */
export const DescribeShareGroupOffsetsRequest = request(
  'DescribeShareGroupOffsets',
  90,
  { versions: '0-1', flexible: '0+' },
  {
    groups: array({
      groupId: string(),
      topics: array({
        topicName: string(),
        partitions: array(int32()),
      }).nullable(),
    }),
  },
)
export type DescribeShareGroupOffsetsRequest = MessageOf<typeof DescribeShareGroupOffsetsRequest>

/** The start offsets. */
export const DescribeShareGroupOffsetsResponse = response(
  'DescribeShareGroupOffsets',
  90,
  { versions: '0-1', flexible: '0+' },
  {
    throttleTimeMs: int32(),
    groups: array({
      groupId: string(),
      topics: array({
        topicName: string(),
        topicId: uuid(),
        partitions: array({
          partitionIndex: int32(),
          startOffset: int64(),
          leaderEpoch: int32(),
          lag: int64().from(1).default(-1).ignorable(),
          errorCode: int16(),
          errorMessage: string().nullable().default(null),
        }),
      }),
      errorCode: int16(),
      errorMessage: string().nullable().default(null),
    }),
  },
)
export type DescribeShareGroupOffsetsResponse = MessageOf<typeof DescribeShareGroupOffsetsResponse>
