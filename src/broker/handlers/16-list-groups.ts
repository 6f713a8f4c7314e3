import { ListGroupsRequest, ListGroupsResponse } from '../../protocol/messages/16-list-groups.ts'
import { handler } from '../handler.ts'

/** ListGroups, key 16: the groups that this broker coordinates. v4+: by state (KIP-518). v5+: by type (KIP-848). */
export const listGroups = handler(ListGroupsRequest, ListGroupsResponse, {
  handle: (request, context) => context.services.groups.listGroups(request),
  failed: ({ errorCode }) => ({ errorCode }),
})
