import { inTurns } from '../../platform/index.ts'
import { ErrorCode, type MessageInput, type MessageOf } from '../../protocol/index.ts'
import { DescribeGroupsRequest, DescribeGroupsResponse } from '../../protocol/messages/15-describe-groups.ts'
import { AuthorizedOperations } from '../authorized-operations.ts'
import { groupContext } from '../group-context.ts'
import { handler, type RequestContext } from '../handler.ts'

type Request = MessageOf<typeof DescribeGroupsRequest>
type Response = MessageInput<typeof DescribeGroupsResponse>

/** So many groups are described before the event loop gets its turn: about a millisecond. */
const GROUPS_IN_A_TURN = 100

/**
 * DescribeGroups, key 15: state and members. v3+: what the client may do to the group. v4+: static members. v6+: a group
 * that does not exist is an error, before it is one in state Dead.
 */
export const describeGroups = handler(DescribeGroupsRequest, DescribeGroupsResponse, {
  answersInTurns: true,
  handle: (request, context) =>
    request.groups.length <= GROUPS_IN_A_TURN ? describe(request, context) : describeInTurns(request, context),
  failed: ({ errorCode }, request) => ({ groups: request.groups.map(groupId => ({ groupId, errorCode })) }),
})

async function describeInTurns(request: Request, context: RequestContext): Promise<Response> {
  const turn = inTurns(context.services.clock, 1)
  const groups: NonNullable<Response['groups']>[number][] = []
  for (let start = 0; start < request.groups.length; start += GROUPS_IN_A_TURN) {
    await turn()
    const some = describe({ ...request, groups: request.groups.slice(start, start + GROUPS_IN_A_TURN) }, context)
    for (const group of some.groups ?? []) groups.push(group)
  }
  return { groups }
}

function describe(request: Request, context: RequestContext): Response {
  const response = context.services.groups.describeGroups(request, groupContext(context))
  if (!request.includeAuthorizedOperations) return response
  const groups = (response.groups ?? []).map(group =>
    group.errorCode === ErrorCode.NONE ? { ...group, authorizedOperations: AuthorizedOperations.GROUP } : group,
  )
  return { ...response, groups }
}
