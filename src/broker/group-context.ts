import type { GroupRequestContext } from '../coordinator/index.ts'
import type { RequestContext } from './handler.ts'

/** What the group coordinator wants to know of a request. The host is in Java's form, as group tools show it. */
export function groupContext({ apiVersion, clientId, connection }: RequestContext): GroupRequestContext {
  return { apiVersion, clientId, clientHost: `/${connection.remoteAddress}` }
}
