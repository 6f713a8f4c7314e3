import { array, int16, int32, type MessageOf, request, response, string, struct, uuid } from '../schema.ts'

/** Joins, keeps up and leaves a share group (KIP-932). */
export const ShareGroupHeartbeatRequest = request(
  'ShareGroupHeartbeat',
  76,
  { versions: '1', flexible: '0+' },
  {
    groupId: string(),
    memberId: string(),
    memberEpoch: int32(),
    rackId: string().nullable().default(null),
    subscribedTopicNames: array(string()).nullable().default(null),
  },
)
export type ShareGroupHeartbeatRequest = MessageOf<typeof ShareGroupHeartbeatRequest>

const topicPartitions = {
  topicId: uuid(),
  partitions: array(int32()),
}

/** Member epoch, heartbeat interval and, when it changed, the assignment. */
export const ShareGroupHeartbeatResponse = response(
  'ShareGroupHeartbeat',
  76,
  { versions: '1', flexible: '0+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string().nullable().default(null),
    memberId: string().nullable().default(null),
    memberEpoch: int32(),
    heartbeatIntervalMs: int32(),
    assignment: struct({
      topicPartitions: array(topicPartitions),
    })
      .nullable()
      .default(null),
  },
)
export type ShareGroupHeartbeatResponse = MessageOf<typeof ShareGroupHeartbeatResponse>
