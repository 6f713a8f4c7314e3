import { array, bool, bytes, int16, int32, type MessageOf, request, response, string } from '../schema.ts'

/** Asks for state and members of classic groups. */
export const DescribeGroupsRequest = request(
  'DescribeGroups',
  15,
  { versions: '0-6', flexible: '5+' },
  {
    groups: array(string()),
    includeAuthorizedOperations: bool().from(3),
  },
)
export type DescribeGroupsRequest = MessageOf<typeof DescribeGroupsRequest>

/** State and members of each group. */
export const DescribeGroupsResponse = response(
  'DescribeGroups',
  15,
  { versions: '0-6', flexible: '5+' },
  {
    throttleTimeMs: int32().from(1).ignorable(),
    groups: array({
      errorCode: int16(),
      errorMessage: string().nullable().from(6).default(null),
      groupId: string(),
      groupState: string(),
      protocolType: string(),
      protocolData: string(),
      members: array({
        memberId: string(),
        groupInstanceId: string().nullable().from(4).default(null).ignorable(),
        clientId: string(),
        clientHost: string(),
        memberMetadata: bytes(),
        memberAssignment: bytes(),
      }),
      authorizedOperations: int32().from(3).default(-0x8000_0000),
    }),
  },
)
export type DescribeGroupsResponse = MessageOf<typeof DescribeGroupsResponse>
