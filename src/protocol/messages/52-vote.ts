import { array, bool, int16, int32, int64, type MessageOf, request, response, string, uint16, uuid } from '../schema.ts'

/** KRaft: a candidate asks for a vote. */
export const VoteRequest = request(
  'Vote',
  52,
  { versions: '0-2', flexible: '0+' },
  {
    clusterId: string().nullable().default(null),
    voterId: int32().from(1).default(-1).ignorable(),
    topics: array({
      topicName: string(),
      partitions: array({
        partitionIndex: int32(),
        replicaEpoch: int32(),
        replicaId: int32(),
        replicaDirectoryId: uuid().from(1).ignorable(),
        voterDirectoryId: uuid().from(1).ignorable(),
        lastOffsetEpoch: int32(),
        lastOffset: int64(),
        preVote: bool().from(2),
      }),
    }),
  },
)
export type VoteRequest = MessageOf<typeof VoteRequest>

/** The vote. */
export const VoteResponse = response(
  'Vote',
  52,
  { versions: '0-2', flexible: '0+' },
  {
    errorCode: int16(),
    topics: array({
      topicName: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        leaderId: int32(),
        leaderEpoch: int32(),
        voteGranted: bool(),
      }),
    }),
    nodeEndpoints: array({
      nodeId: int32().from(1),
      host: string().from(1),
      port: uint16().from(1),
    })
      .from(1)
      .tagged(0),
  },
)
export type VoteResponse = MessageOf<typeof VoteResponse>
