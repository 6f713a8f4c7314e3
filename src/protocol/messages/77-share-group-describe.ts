import { array, bool, int16, int32, type MessageOf, request, response, string, struct, uuid } from '../schema.ts'

/** Asks for share groups. */
export const ShareGroupDescribeRequest = request(
  'ShareGroupDescribe',
  77,
  { versions: '1', flexible: '0+' },
  {
    groupIds: array(string()),
    includeAuthorizedOperations: bool(),
  },
)
export type ShareGroupDescribeRequest = MessageOf<typeof ShareGroupDescribeRequest>

const topicPartitions = {
  topicId: uuid(),
  topicName: string(),
  partitions: array(int32()),
}

const assignment = {
  topicPartitions: array(topicPartitions),
}

/** State, members and assignments of each group. */
export const ShareGroupDescribeResponse = response(
  'ShareGroupDescribe',
  77,
  { versions: '1', flexible: '0+' },
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
        rackId: string().nullable().default(null),
        memberEpoch: int32(),
        clientId: string(),
        clientHost: string(),
        subscribedTopicNames: array(string()),
        assignment: struct(assignment),
      }),
      authorizedOperations: int32().default(-0x8000_0000),
    }),
  },
)
export type ShareGroupDescribeResponse = MessageOf<typeof ShareGroupDescribeResponse>
