import { DeleteGroupsRequest, DeleteGroupsResponse } from '../../protocol/messages/42-delete-groups.ts'
import { handler } from '../handler.ts'

/** DeleteGroups, key 42: deletes groups without members, and their offsets. */
export const deleteGroups = handler(DeleteGroupsRequest, DeleteGroupsResponse, {
  handle: (request, context) => context.services.groups.deleteGroups(request),
  failed: ({ errorCode }, request) => ({ results: request.groupsNames.map(groupId => ({ groupId, errorCode })) }),
})
