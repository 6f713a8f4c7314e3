import { ErrorCode } from '../../protocol/index.ts'
import { DescribeGroupsRequest, DescribeGroupsResponse } from '../../protocol/messages/15-describe-groups.ts'
import { AuthorizedOperations } from '../authorized-operations.ts'
import { groupContext } from '../group-context.ts'
import { handler } from '../handler.ts'

/**
 * DescribeGroups, key 15: state and members. v3+: what the client may do to the group. v4+: static members. v6+: a group
 * that does not exist is an error, before it is one in state Dead.
 */
export const describeGroups = handler(DescribeGroupsRequest, DescribeGroupsResponse, {
  handle: (request, context) => {
    const response = context.services.groups.describeGroups(request, groupContext(context))
    if (!request.includeAuthorizedOperations) return response
    const groups = (response.groups ?? []).map(group =>
      group.errorCode === ErrorCode.NONE ? { ...group, authorizedOperations: AuthorizedOperations.GROUP } : group,
    )
    return { ...response, groups }
  },
  failed: ({ errorCode }, request) => ({ groups: request.groups.map(groupId => ({ groupId, errorCode })) }),
})
