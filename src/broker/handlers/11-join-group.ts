import { JoinGroupRequest, JoinGroupResponse } from '../../protocol/messages/11-join-group.ts'
import { groupContext } from '../group-context.ts'
import { handler } from '../handler.ts'

/**
 * JoinGroup, key 11: enters a group, answered when the group has a new generation. v1+: a rebalance timeout. v4+: a new
 * member gets an id first and joins with it (KIP-394). v5+: static members (KIP-345). v7+: the protocol's type and name
 * (KIP-559). v8+: why it joins. v9+: a leader may be told not to assign (KIP-814).
 */
export const joinGroup = handler(JoinGroupRequest, JoinGroupResponse, {
  handle: (request, context) => context.services.groups.joinGroup(request, groupContext(context)),
  failed: ({ errorCode }, { memberId }, { apiVersion }) => ({
    errorCode,
    memberId,
    protocolName: apiVersion >= 7 ? null : '',
  }),
})
