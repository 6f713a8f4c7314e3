import { array, int16, int32, int64, type MessageOf, request, response, string } from '../schema.ts'

/** Asks where a leader epoch ended (KIP-101, KIP-320). */
export const OffsetForLeaderEpochRequest = request(
  'OffsetForLeaderEpoch',
  23,
  { versions: '0-4', flexible: '4+' },
  {
    replicaId: int32().from(3).default(-2).ignorable(),
    topics: array({
      topic: string(),
      partitions: array({
        partition: int32(),
        currentLeaderEpoch: int32().from(2).default(-1).ignorable(),
        leaderEpoch: int32(),
      }),
    }),
  },
)
export type OffsetForLeaderEpochRequest = MessageOf<typeof OffsetForLeaderEpochRequest>

/** The largest epoch up to the one asked for, and its end offset. */
export const OffsetForLeaderEpochResponse = response(
  'OffsetForLeaderEpoch',
  23,
  { versions: '0-4', flexible: '4+' },
  {
    throttleTimeMs: int32().from(2).ignorable(),
    topics: array({
      topic: string(),
      partitions: array({
        errorCode: int16(),
        partition: int32(),
        leaderEpoch: int32().from(1).default(-1).ignorable(),
        endOffset: int64().default(-1),
      }),
    }),
  },
)
export type OffsetForLeaderEpochResponse = MessageOf<typeof OffsetForLeaderEpochResponse>
