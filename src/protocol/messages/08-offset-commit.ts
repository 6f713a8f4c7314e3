import { array, int16, int32, int64, type MessageOf, request, response, string, uuid } from '../schema.ts'

/** Stores how far a consumer group has come. */
export const OffsetCommitRequest = request(
  'OffsetCommit',
  8,
  { versions: '0-10', flexible: '8+' },
  {
    groupId: string(),
    /** -1 for a commit from outside of the group, as admin tools make. */
    generationIdOrMemberEpoch: int32().from(1).default(-1).ignorable(),
    memberId: string().from(1).ignorable(),
    groupInstanceId: string().nullable().from(7).default(null),
    /** -1 for what the broker keeps. */
    retentionTimeMs: int64().from(2).until(4).default(-1).ignorable(),
    topics: array({
      name: string().until(9).ignorable(),
      topicId: uuid().from(10).ignorable(),
      partitions: array({
        partitionIndex: int32(),
        committedOffset: int64(),
        committedLeaderEpoch: int32().from(6).default(-1).ignorable(),
        commitTimestamp: int64().from(1).until(1).default(-1),
        committedMetadata: string().nullable(),
      }),
    }),
  },
)
export type OffsetCommitRequest = MessageOf<typeof OffsetCommitRequest>

/** What was stored of it. */
export const OffsetCommitResponse = response(
  'OffsetCommit',
  8,
  { versions: '0-10', flexible: '8+' },
  {
    throttleTimeMs: int32().from(3).ignorable(),
    topics: array({
      name: string().until(9).ignorable(),
      topicId: uuid().from(10).ignorable(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
      }),
    }),
  },
)
export type OffsetCommitResponse = MessageOf<typeof OffsetCommitResponse>
