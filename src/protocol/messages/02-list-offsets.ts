import { array, int8, int16, int32, int64, type MessageOf, request, response, string } from '../schema.ts'

/** Looks up offsets by timestamp, or the earliest, latest and other special ones. */
export const ListOffsetsRequest = request(
  'ListOffsets',
  2,
  { versions: '0-11', flexible: '6+' },
  {
    /** -1 for a consumer, -2 for a debugging client. */
    replicaId: int32(),
    isolationLevel: int8().from(2),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        currentLeaderEpoch: int32().from(4).default(-1).ignorable(),
        /** -1 latest, -2 earliest, -3 the largest timestamp, -4 earliest on local disk, -5 latest in tiered storage. */
        timestamp: int64().orLongMax(),
        /** v0 answers with the base offsets of this many segments. */
        maxNumOffsets: int32().until(0).default(1),
      }),
    }),
    timeoutMs: int32().from(10).ignorable(),
  },
)
export type ListOffsetsRequest = MessageOf<typeof ListOffsetsRequest>

/** The offset found in each partition. */
export const ListOffsetsResponse = response(
  'ListOffsets',
  2,
  { versions: '0-11', flexible: '6+' },
  {
    throttleTimeMs: int32().from(2).ignorable(),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        oldStyleOffsets: array(int64()).until(0),
        timestamp: int64().from(1).default(-1),
        offset: int64().from(1).default(-1),
        leaderEpoch: int32().from(4).default(-1),
      }),
    }),
  },
)
export type ListOffsetsResponse = MessageOf<typeof ListOffsetsResponse>
