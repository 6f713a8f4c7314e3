import { SyncGroupRequest, SyncGroupResponse } from '../../protocol/messages/14-sync-group.ts'
import { groupContext } from '../group-context.ts'
import { handler } from '../handler.ts'

/**
 * SyncGroup, key 14: brings the leader's assignment and gives each member its part. v3+: static members. v5+: the
 * protocol's type and name are told both ways (KIP-559).
 */
export const syncGroup = handler(SyncGroupRequest, SyncGroupResponse, {
  handle: (request, context) => context.services.groups.syncGroup(request, groupContext(context)),
  failed: ({ errorCode }) => ({ errorCode }),
})
