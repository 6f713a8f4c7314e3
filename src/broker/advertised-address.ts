import type { BrokerRegistration } from '../metadata/index.ts'
import type { RequestContext } from './handler.ts'

/** Where a client is told to find a broker. */
export interface NodeAddress {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

/**
 * The address of a broker for the peer of this request: that of the listener through which the peer came. A listener on
 * every interface without an advertised address gives back the address by which the client reached it, which is one it
 * can reach again. Undefined for a broker that is not alive or has no such listener.
 */
export function addressOf(brokerId: number, context: RequestContext): NodeAddress | undefined {
  const { services, connection } = context
  const broker = services.metadata.image().brokers.get(brokerId)
  const endpoint = broker?.endpoints.find(({ listener }) => listener === connection.listenerName)
  if (!broker || !endpoint) return undefined
  const isOwn = brokerId === services.brokerId
  const host = isOwn && services.answersOnEveryInterface(endpoint.listener) ? connection.localAddress : endpoint.host
  return { nodeId: brokerId, host, port: endpoint.port, rack: broker.rack }
}

/** Addresses of all live brokers that have the listener of this request. */
export function liveAddresses(context: RequestContext): NodeAddress[] {
  const brokers: Iterable<BrokerRegistration> = context.services.metadata.image().brokers.values()
  return [...brokers].flatMap(({ brokerId }) => addressOf(brokerId, context) ?? [])
}

const NONE: NodeAddress[] = []

/** Addresses of leaders that a client is sent to (KIP-951); ids of -1 are skipped. */
export function leaderEndpoints(leaderIds: readonly number[], context: RequestContext): NodeAddress[] {
  if (leaderIds.every(leaderId => leaderId < 0)) return NONE
  return [...new Set(leaderIds)].flatMap(leaderId => (leaderId < 0 ? NONE : (addressOf(leaderId, context) ?? NONE)))
}
