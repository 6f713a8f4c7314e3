import { array, int16, int32, type MessageOf, request, response, string, uint16, uuid } from '../schema.ts'

/** KRaft: a leader resigns. */
export const EndQuorumEpochRequest = request(
  'EndQuorumEpoch',
  54,
  { versions: '0-1', flexible: '1+' },
  {
    clusterId: string().nullable().default(null),
    topics: array({
      topicName: string(),
      partitions: array({
        partitionIndex: int32(),
        leaderId: int32(),
        leaderEpoch: int32(),
        preferredSuccessors: array(int32()).until(0).ignorable(),
        preferredCandidates: array({
          candidateId: int32().from(1),
          candidateDirectoryId: uuid().from(1),
        })
          .from(1)
          .ignorable(),
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
export type EndQuorumEpochRequest = MessageOf<typeof EndQuorumEpochRequest>

/** The epoch and leader that the voter knows. */
export const EndQuorumEpochResponse = response(
  'EndQuorumEpoch',
  54,
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
export type EndQuorumEpochResponse = MessageOf<typeof EndQuorumEpochResponse>
