import { array, int16, int32, type MessageOf, request, response, string } from '../schema.ts'

/** Asks for the groups that the broker coordinates. */
export const ListGroupsRequest = request(
  'ListGroups',
  16,
  { versions: '0-5', flexible: '3+' },
  {
    statesFilter: array(string()).from(4),
    typesFilter: array(string()).from(5),
  },
)
export type ListGroupsRequest = MessageOf<typeof ListGroupsRequest>

/** The groups, filtered as wanted. */
export const ListGroupsResponse = response(
  'ListGroups',
  16,
  { versions: '0-5', flexible: '3+' },
  {
    throttleTimeMs: int32().from(1).ignorable(),
    errorCode: int16(),
    groups: array({
      groupId: string(),
      protocolType: string(),
      groupState: string().from(4).ignorable(),
      groupType: string().from(5).ignorable(),
    }),
  },
)
export type ListGroupsResponse = MessageOf<typeof ListGroupsResponse>
