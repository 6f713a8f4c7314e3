import { array, bool, int8, int16, int32, type MessageOf, request, response, string, struct, uuid } from '../schema.ts'

/** Asks for consumer groups of the new protocol. */
export const ConsumerGroupDescribeRequest = request(
  'ConsumerGroupDescribe',
  69,
  { versions: '0-1', flexible: '0+' },
  {
    groupIds: array(string()),
    includeAuthorizedOperations: bool(),
  },
)
export type ConsumerGroupDescribeRequest = MessageOf<typeof ConsumerGroupDescribeRequest>

const topicPartitions = {
  topicId: uuid(),
  topicName: string(),
  partitions: array(int32()),
}

const assignment = {
  topicPartitions: array(topicPartitions),
}

/** State, members and assignments of each group. */
export const ConsumerGroupDescribeResponse = response(
  'ConsumerGroupDescribe',
  69,
  { versions: '0-1', flexible: '0+' },
  {
    throttleTimeMs: int32(),
    groups: array({
      errorCode: int16(),
      errorMessage: string().nullable().default(null),
      groupId: string(),
      groupState: string(),
      groupEpoch: int32(),
      assignmentEpoch: int32(),
      assignorName: string(),
      members: array({
        memberId: string(),
        instanceId: string().nullable().default(null),
        rackId: string().nullable().default(null),
        memberEpoch: int32(),
        clientId: string(),
        clientHost: string(),
        subscribedTopicNames: array(string()),
        subscribedTopicRegex: string().nullable().default(null),
        assignment: struct(assignment),
        targetAssignment: struct(assignment),
        memberType: int8().from(1).default(-1).ignorable(),
      }),
      authorizedOperations: int32().default(-0x8000_0000),
    }),
  },
)
export type ConsumerGroupDescribeResponse = MessageOf<typeof ConsumerGroupDescribeResponse>
