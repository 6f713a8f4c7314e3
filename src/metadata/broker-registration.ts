import type { SecurityProtocol } from '../config/broker.ts'

/** Where a broker can be reached, as it has told the cluster. */
export interface RegisteredEndpoint {
  /** Name of the listener, upper case. */
  readonly listener: string
  readonly securityProtocol: SecurityProtocol
  /** As advertised; an IPv6 address without brackets. */
  readonly host: string
  readonly port: number
}

/** A live broker. */
export interface BrokerRegistration {
  readonly brokerId: number
  /** Tells this life of the broker from earlier ones (KIP-380): the transaction that registered it. */
  readonly epoch: number
  readonly endpoints: readonly RegisteredEndpoint[]
  readonly rack: string | null
  /** -1 when there is none. */
  readonly jmxPort: number
  /** Version ranges by feature, as the znode names them (KIP-584). */
  readonly features: Readonly<Record<string, { readonly min_version: number; readonly max_version: number }>>
  /** When it registered, wall-clock milliseconds; -1 when not told. */
  readonly timestampMs: number
}
