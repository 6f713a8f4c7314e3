import { array, bool, int16, int32, int64, type MessageOf, request, response, string } from '../schema.ts'

/** The controller tells a broker to stop, and maybe delete, replicas. */
export const StopReplicaRequest = request(
  'StopReplica',
  5,
  { versions: '0-4', flexible: '2+' },
  {
    controllerId: int32(),
    isKRaftController: bool().from(4),
    controllerEpoch: int32(),
    brokerEpoch: int64().from(1).default(-1).ignorable(),
    deletePartitions: bool().until(2),
    ungroupedPartitions: array({
      topicName: string().until(0),
      partitionIndex: int32().until(0),
    }).until(0),
    topics: array({
      name: string().from(1).until(2),
      partitionIndexes: array(int32()).from(1).until(2),
    })
      .from(1)
      .until(2),
    topicStates: array({
      topicName: string().from(3),
      partitionStates: array({
        partitionIndex: int32().from(3),
        leaderEpoch: int32().from(3).default(-1),
        deletePartition: bool().from(3),
      }).from(3),
    }).from(3),
  },
)
export type StopReplicaRequest = MessageOf<typeof StopReplicaRequest>

/** Which replicas could not be stopped. */
export const StopReplicaResponse = response(
  'StopReplica',
  5,
  { versions: '0-4', flexible: '2+' },
  {
    errorCode: int16(),
    partitionErrors: array({
      topicName: string(),
      partitionIndex: int32(),
      errorCode: int16(),
    }),
  },
)
export type StopReplicaResponse = MessageOf<typeof StopReplicaResponse>
