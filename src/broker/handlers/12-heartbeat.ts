import { HeartbeatRequest, HeartbeatResponse } from '../../protocol/messages/12-heartbeat.ts'
import { handler } from '../handler.ts'

/** Heartbeat, key 12: keeps a member in its group and tells it to join again. v3+: static members. */
export const heartbeat = handler(HeartbeatRequest, HeartbeatResponse, {
  handle: (request, context) => context.services.groups.heartbeat(request),
  failed: ({ errorCode }) => ({ errorCode }),
})
