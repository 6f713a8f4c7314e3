import { ErrorCode, type MessageInput, type MessageOf } from '../../protocol/index.ts'
import { DescribeGroupsRequest, DescribeGroupsResponse } from '../../protocol/messages/15-describe-groups.ts'
import { answerEach, answeredOnce } from '../answer-each.ts'
import { AuthorizedOperations } from '../authorized-operations.ts'
import { groupContext } from '../group-context.ts'
import { handler, type RequestContext } from '../handler.ts'

type Request = MessageOf<typeof DescribeGroupsRequest>
type Group = NonNullable<MessageInput<typeof DescribeGroupsResponse>['groups']>[number]

/**
 * DescribeGroups, key 15: state and members. v3+: what the client may do to the group. v4+: static members. v6+: a group
 * that does not exist is an error, before it is one in state Dead.
 */
export const describeGroups = handler(DescribeGroupsRequest, DescribeGroupsResponse, {
  answersInTurns: true,
  handle: async (request, context) => {
    const describeOne = (groupId: string) => describe({ ...request, groups: [groupId] }, context)
    return { groups: await context.connection.inPieces(answerEach(request.groups, answeredOnce(describeOne))) }
  },
  failed: ({ errorCode }, request) => ({ groups: request.groups.map(groupId => ({ groupId, errorCode })) }),
})

function describe(request: Request, context: RequestContext): Group {
  const group = context.services.groups.describeGroups(request, groupContext(context)).groups![0]!
  if (!request.includeAuthorizedOperations || group.errorCode !== ErrorCode.NONE) return group
  return { ...group, authorizedOperations: AuthorizedOperations.GROUP }
}
