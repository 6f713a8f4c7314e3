import { array, int16, int32, type MessageOf, request, response, string, struct, uuid } from '../schema.ts'

/** Joins, keeps up and leaves a consumer group of the new protocol (KIP-848). */
export const ConsumerGroupHeartbeatRequest = request(
  'ConsumerGroupHeartbeat',
  68,
  { versions: '0-1', flexible: '0+' },
  {
    groupId: string(),
    memberId: string(),
    /** 0 joins, -1 leaves, -2 leaves as a static member for a while. */
    memberEpoch: int32(),
    instanceId: string().nullable().default(null),
    rackId: string().nullable().default(null),
    rebalanceTimeoutMs: int32().default(-1),
    subscribedTopicNames: array(string()).nullable().default(null),
    subscribedTopicRegex: string().nullable().from(1).default(null),
    serverAssignor: string().nullable().default(null),
    topicPartitions: array({
      topicId: uuid(),
      partitions: array(int32()),
    })
      .nullable()
      .default(null),
  },
)
export type ConsumerGroupHeartbeatRequest = MessageOf<typeof ConsumerGroupHeartbeatRequest>

const topicPartitions = {
  topicId: uuid(),
  partitions: array(int32()),
}

/** Member epoch, heartbeat interval and, when it changed, the assignment. */
export const ConsumerGroupHeartbeatResponse = response(
  'ConsumerGroupHeartbeat',
  68,
  { versions: '0-1', flexible: '0+' },
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
export type ConsumerGroupHeartbeatResponse = MessageOf<typeof ConsumerGroupHeartbeatResponse>
