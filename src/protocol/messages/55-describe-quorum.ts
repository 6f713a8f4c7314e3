import { array, int16, int32, int64, type MessageOf, request, response, string, uint16, uuid } from '../schema.ts'

/** Asks for the state of the KRaft quorum. */
export const DescribeQuorumRequest = request(
  'DescribeQuorum',
  55,
  { versions: '0-2', flexible: '0+' },
  {
    topics: array({
      topicName: string(),
      partitions: array({
        partitionIndex: int32(),
      }),
    }),
  },
)
export type DescribeQuorumRequest = MessageOf<typeof DescribeQuorumRequest>

const replicaState = {
  replicaId: int32(),
  replicaDirectoryId: uuid().from(2),
  logEndOffset: int64(),
  lastFetchTimestamp: int64().from(1).default(-1).ignorable(),
  lastCaughtUpTimestamp: int64().from(1).default(-1).ignorable(),
}

/** Leader, voters and observers with how far they have come. */
export const DescribeQuorumResponse = response(
  'DescribeQuorum',
  55,
  { versions: '0-2', flexible: '0+' },
  {
    errorCode: int16(),
    errorMessage: string().nullable().from(2).ignorable(),
    topics: array({
      topicName: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        errorMessage: string().nullable().from(2).ignorable(),
        leaderId: int32(),
        leaderEpoch: int32(),
        highWatermark: int64(),
        currentVoters: array(replicaState),
        observers: array(replicaState),
      }),
    }),
    nodes: array({
      nodeId: int32().from(2),
      listeners: array({
        name: string().from(2),
        host: string().from(2),
        port: uint16().from(2),
      }).from(2),
    }).from(2),
  },
)
export type DescribeQuorumResponse = MessageOf<typeof DescribeQuorumResponse>
