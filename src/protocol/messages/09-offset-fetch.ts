import { array, bool, int16, int32, int64, type MessageOf, request, response, string, uuid } from '../schema.ts'

/** Asks how far consumer groups have come; several groups from v8. */
export const OffsetFetchRequest = request(
  'OffsetFetch',
  9,
  { versions: '0-10', flexible: '6+' },
  {
    groupId: string().until(7),
    /** Null for every partition that the group has committed; up to v7. Later versions ask by `groups`. */
    topics: array({
      name: string().until(7),
      partitionIndexes: array(int32()).until(7),
    })
      .nullable(2)
      .until(7),
    groups: array({
      groupId: string().from(8),
      memberId: string().nullable().from(9).default(null).ignorable(),
      memberEpoch: int32().from(9).default(-1).ignorable(),
      topics: array({
        name: string().from(8).until(9).ignorable(),
        topicId: uuid().from(10).ignorable(),
        partitionIndexes: array(int32()).from(8),
      })
        .nullable()
        .from(8),
    }).from(8),
    /** Answers UNSTABLE_OFFSET_COMMIT while a transaction holds offsets of the group (KIP-447). */
    requireStable: bool().from(7),
  },
)
export type OffsetFetchRequest = MessageOf<typeof OffsetFetchRequest>

/** Committed offsets; -1 where there is none. */
export const OffsetFetchResponse = response(
  'OffsetFetch',
  9,
  { versions: '0-10', flexible: '6+' },
  {
    throttleTimeMs: int32().from(3).ignorable(),
    topics: array({
      name: string().until(7),
      partitions: array({
        partitionIndex: int32().until(7),
        committedOffset: int64().until(7),
        committedLeaderEpoch: int32().from(5).until(7).default(-1).ignorable(),
        metadata: string().nullable().until(7),
        errorCode: int16().until(7),
      }).until(7),
    }).until(7),
    errorCode: int16().from(2).until(7).ignorable(),
    groups: array({
      groupId: string().from(8),
      topics: array({
        name: string().from(8).until(9).ignorable(),
        topicId: uuid().from(10).ignorable(),
        partitions: array({
          partitionIndex: int32().from(8),
          committedOffset: int64().from(8),
          committedLeaderEpoch: int32().from(8).default(-1).ignorable(),
          metadata: string().nullable().from(8),
          errorCode: int16().from(8),
        }).from(8),
      }).from(8),
      errorCode: int16().from(8),
    }).from(8),
  },
)
export type OffsetFetchResponse = MessageOf<typeof OffsetFetchResponse>
