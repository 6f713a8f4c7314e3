import { array, bool, int8, int16, int32, int64, type MessageOf, request, response, string, uuid } from '../schema.ts'

const updateMetadataPartitionState = {
  topicName: string().until(4).ignorable(),
  partitionIndex: int32(),
  controllerEpoch: int32(),
  leader: int32(),
  leaderEpoch: int32(),
  isr: array(int32()),
  zkVersion: int32(),
  replicas: array(int32()),
  offlineReplicas: array(int32()).from(4).ignorable(),
}

/** The controller tells a broker what to answer to Metadata requests. */
export const UpdateMetadataRequest = request(
  'UpdateMetadata',
  6,
  { versions: '0-8', flexible: '6+' },
  {
    controllerId: int32(),
    isKRaftController: bool().from(8),
    type: int8().from(8).tagged(0),
    controllerEpoch: int32(),
    brokerEpoch: int64().from(5).default(-1).ignorable(),
    ungroupedPartitionStates: array(updateMetadataPartitionState).until(4),
    topicStates: array({
      topicName: string().from(5),
      topicId: uuid().from(7).ignorable(),
      partitionStates: array(updateMetadataPartitionState).from(5),
    }).from(5),
    liveBrokers: array({
      id: int32(),
      v0Host: string().until(0).ignorable(),
      v0Port: int32().until(0).ignorable(),
      endpoints: array({
        port: int32().from(1),
        host: string().from(1),
        listener: string().from(3).ignorable(),
        securityProtocol: int16().from(1),
      })
        .from(1)
        .ignorable(),
      rack: string().nullable().from(2).ignorable(),
    }),
  },
)
export type UpdateMetadataRequest = MessageOf<typeof UpdateMetadataRequest>

/** Whether the broker has taken it in. */
export const UpdateMetadataResponse = response(
  'UpdateMetadata',
  6,
  { versions: '0-8', flexible: '6+' },
  {
    errorCode: int16(),
  },
)
export type UpdateMetadataResponse = MessageOf<typeof UpdateMetadataResponse>
