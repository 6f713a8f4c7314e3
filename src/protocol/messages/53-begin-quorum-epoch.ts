import { array, int16, int32, type MessageOf, request, response, string, uint16, uuid } from '../schema.ts'

/** KRaft: a new leader announces itself. */
export const BeginQuorumEpochRequest = request(
  'BeginQuorumEpoch',
  53,
  { versions: '0-1', flexible: '1+' },
  {
    clusterId: string().nullable().default(null),
    voterId: int32().from(1).default(-1).ignorable(),
    topics: array({
      topicName: string(),
      partitions: array({
        partitionIndex: int32(),
        voterDirectoryId: uuid().from(1).ignorable(),
        leaderId: int32(),
        leaderEpoch: int32(),
      }),
    }),
    leaderEndpoints: array({
      name: string().from(1),
      host: string().from(1),
      port: uint16().from(1),
    })
      .from(1)
      .ignorable(),
  },
)
export type BeginQuorumEpochRequest = MessageOf<typeof BeginQuorumEpochRequest>

/** The epoch and leader that the voter knows. */
export const BeginQuorumEpochResponse = response(
  'BeginQuorumEpoch',
  53,
  { versions: '0-1', flexible: '1+' },
  {
    errorCode: int16(),
    topics: array({
      topicName: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        leaderId: int32(),
        leaderEpoch: int32(),
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
export type BeginQuorumEpochResponse = MessageOf<typeof BeginQuorumEpochResponse>
