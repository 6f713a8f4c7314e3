import { LeaveGroupRequest, LeaveGroupResponse } from '../../protocol/messages/13-leave-group.ts'
import { groupContext } from '../group-context.ts'
import { handler } from '../handler.ts'

/** LeaveGroup, key 13: takes members out of a group. v3+: several at once, static ones by their instance id. */
export const leaveGroup = handler(LeaveGroupRequest, LeaveGroupResponse, {
  handle: (request, context) => context.services.groups.leaveGroup(request, groupContext(context)),
  failed: ({ errorCode }) => ({ errorCode }),
})
