import { array, int16, int32, int64, type MessageOf, request, response, string } from '../schema.ts'

/** Stores a group's offsets as part of a transaction. */
export const TxnOffsetCommitRequest = request(
  'TxnOffsetCommit',
  28,
  { versions: '0-5', flexible: '3+' },
  {
    transactionalId: string(),
    groupId: string(),
    producerId: int64(),
    producerEpoch: int16(),
    generationId: int32().from(3).default(-1),
    memberId: string().from(3),
    groupInstanceId: string().nullable().from(3).default(null),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        committedOffset: int64(),
        committedLeaderEpoch: int32().from(2).default(-1).ignorable(),
        committedMetadata: string().nullable(),
      }),
    }),
  },
)
export type TxnOffsetCommitRequest = MessageOf<typeof TxnOffsetCommitRequest>

/** What was stored of it. */
export const TxnOffsetCommitResponse = response(
  'TxnOffsetCommit',
  28,
  { versions: '0-5', flexible: '3+' },
  {
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
export type TxnOffsetCommitResponse = MessageOf<typeof TxnOffsetCommitResponse>
