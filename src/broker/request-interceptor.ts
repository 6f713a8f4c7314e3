import type { Handler, RequestContext } from './handler.ts'

/**
 * Stands between the dispatcher and the handlers: it answers a request itself or passes it on with {@link handled}. What it
 * throws counts as thrown by the handler. For tests; a broker in service has none.
 */
export type RequestInterceptor = (
  handler: Handler,
  request: never,
  context: RequestContext,
) => object | undefined | Promise<object | undefined>

/** What happens to a request that nobody intercepts. */
export const handled: RequestInterceptor = (handler, request, context) => handler.handle(request, context)
