import { array, int16, int32, type MessageOf, request, response, string } from '../schema.ts'

/** Deletes groups that have no members. */
export const DeleteGroupsRequest = request(
  'DeleteGroups',
  42,
  { versions: '0-2', flexible: '2+' },
  {
    groupsNames: array(string()),
  },
)
export type DeleteGroupsRequest = MessageOf<typeof DeleteGroupsRequest>

/** Which groups were deleted. */
export const DeleteGroupsResponse = response(
  'DeleteGroups',
  42,
  { versions: '0-2', flexible: '2+' },
  {
    throttleTimeMs: int32(),
    results: array({
      groupId: string(),
      errorCode: int16(),
    }),
  },
)
export type DeleteGroupsResponse = MessageOf<typeof DeleteGroupsResponse>
