import { array, int16, int32, int64, type MessageOf, request, response, string } from '../schema.ts'

/** A broker asks the controller to move its leaderships away before it stops. */
export const ControlledShutdownRequest = request(
  'ControlledShutdown',
  7,
  { versions: '0-3', flexible: '3+' },
  {
    brokerId: int32(),
    brokerEpoch: int64().from(2).default(-1).ignorable(),
  },
)
export type ControlledShutdownRequest = MessageOf<typeof ControlledShutdownRequest>

/** The partitions that the broker still leads. */
export const ControlledShutdownResponse = response(
  'ControlledShutdown',
  7,
  { versions: '0-3', flexible: '3+' },
  {
    errorCode: int16(),
    remainingPartitions: array({
      topicName: string(),
      partitionIndex: int32(),
    }),
  },
)
export type ControlledShutdownResponse = MessageOf<typeof ControlledShutdownResponse>
