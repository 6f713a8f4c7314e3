import { array, bool, int8, int16, int32, int64, type MessageOf, request, response, string, uuid } from '../schema.ts'

const leaderAndIsrPartitionState = {
  topicName: string().until(1).ignorable(),
  partitionIndex: int32(),
  controllerEpoch: int32(),
  leader: int32(),
  leaderEpoch: int32(),
  isr: array(int32()),
  partitionEpoch: int32(),
  replicas: array(int32()),
  addingReplicas: array(int32()).from(3).ignorable(),
  removingReplicas: array(int32()).from(3).ignorable(),
  isNew: bool().from(1).ignorable(),
  leaderRecoveryState: int8().from(6),
}

/** The controller tells a broker which replicas it leads or follows. */
export const LeaderAndIsrRequest = request(
  'LeaderAndIsr',
  4,
  { versions: '0-7', flexible: '4+' },
  {
    controllerId: int32(),
    isKRaftController: bool().from(7),
    controllerEpoch: int32(),
    brokerEpoch: int64().from(2).default(-1).ignorable(),
    type: int8().from(5),
    ungroupedPartitionStates: array(leaderAndIsrPartitionState).until(1),
    topicStates: array({
      topicName: string().from(2),
      topicId: uuid().from(5).ignorable(),
      partitionStates: array(leaderAndIsrPartitionState).from(2),
    }).from(2),
    liveLeaders: array({
      brokerId: int32(),
      hostName: string(),
      port: int32(),
    }),
  },
)
export type LeaderAndIsrRequest = MessageOf<typeof LeaderAndIsrRequest>

const leaderAndIsrPartitionError = {
  topicName: string().until(4).ignorable(),
  partitionIndex: int32(),
  errorCode: int16(),
}

/** Which of the partitions the broker could not take on. */
export const LeaderAndIsrResponse = response(
  'LeaderAndIsr',
  4,
  { versions: '0-7', flexible: '4+' },
  {
    errorCode: int16(),
    partitionErrors: array(leaderAndIsrPartitionError).until(4),
    topics: array({
      topicId: uuid().from(5),
      partitionErrors: array(leaderAndIsrPartitionError).from(5),
    }).from(5),
  },
)
export type LeaderAndIsrResponse = MessageOf<typeof LeaderAndIsrResponse>
