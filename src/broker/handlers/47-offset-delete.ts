import { OffsetDeleteRequest, OffsetDeleteResponse } from '../../protocol/messages/47-offset-delete.ts'
import { handler } from '../handler.ts'

/** OffsetDelete, key 47: deletes offsets of topics that the group does not read (KIP-496). */
export const offsetDelete = handler(OffsetDeleteRequest, OffsetDeleteResponse, {
  handle: (request, context) => context.services.groups.offsetDelete(request),
  failed: ({ errorCode }) => ({ errorCode }),
})
