import { array, int8, int16, int32, int64, type MessageOf, request, response, string, uuid } from '../schema.ts'

/** A leader asks the controller to change the in-sync replicas of partitions (KIP-497). */
export const AlterPartitionRequest = request(
  'AlterPartition',
  56,
  { versions: '0-3', flexible: '0+' },
  {
    brokerId: int32(),
    brokerEpoch: int64().default(-1),
    topics: array({
      topicName: string().until(1).ignorable(),
      topicId: uuid().from(2).ignorable(),
      partitions: array({
        partitionIndex: int32(),
        leaderEpoch: int32(),
        newIsr: array(int32()).until(2),
        newIsrWithEpochs: array({
          brokerId: int32().from(3),
          brokerEpoch: int64().from(3).default(-1),
        }).from(3),
        leaderRecoveryState: int8().from(1),
        partitionEpoch: int32(),
      }),
    }),
  },
)
export type AlterPartitionRequest = MessageOf<typeof AlterPartitionRequest>

/** The state that the controller has decided on. */
export const AlterPartitionResponse = response(
  'AlterPartition',
  56,
  { versions: '0-3', flexible: '0+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    topics: array({
      topicName: string().until(1).ignorable(),
      topicId: uuid().from(2).ignorable(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        leaderId: int32(),
        leaderEpoch: int32(),
        isr: array(int32()),
        leaderRecoveryState: int8().from(1).ignorable(),
        partitionEpoch: int32(),
      }),
    }),
  },
)
export type AlterPartitionResponse = MessageOf<typeof AlterPartitionResponse>
