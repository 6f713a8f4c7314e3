/** Reading of `listeners`, `advertised.listeners` and `listener.security.protocol.map`. */
import { ConfigError } from './config-error.ts'

/** How a listener protects its connections. */
export type SecurityProtocol = 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL'

/** An address of a broker. */
export interface BrokerEndpoint {
  /** Name of the listener, in upper case. */
  readonly listener: string
  readonly securityProtocol: SecurityProtocol
  /** Host or address, without brackets; empty for every interface. */
  readonly host: string
  /** 0 to 65535; 0 takes a free port. */
  readonly port: number
}

const PROTOCOLS: readonly string[] = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'] satisfies SecurityProtocol[]
const ENDPOINT = /^([^:/]+):\/\/\[?([0-9a-zA-Z\-%._:]*)\]?:(-?\d{1,9})$/

/** Items of a comma-separated text, trimmed, empty ones dropped. */
export function commaList(text: string): readonly string[] {
  return text
    .split(',')
    .map(item => item.trim())
    .filter(item => item !== '')
}

/** `NAME:PROTOCOL,...` as a map from listener names in upper case. */
export function parseProtocolMap(text: string): ReadonlyMap<string, SecurityProtocol> {
  const key = 'listener.security.protocol.map'
  return new Map(
    commaList(text).map(item => {
      const colon = item.lastIndexOf(':')
      const name = item.slice(0, colon).trim().toUpperCase()
      const protocol = item.slice(colon + 1).trim()
      if (colon <= 0) throw new ConfigError(`'${item}' is not NAME:PROTOCOL`, { key, value: text })
      return [name, securityProtocol(protocol, key)]
    }),
  )
}

/** A security protocol by name. */
export function securityProtocol(name: string, key: string): SecurityProtocol {
  if (!PROTOCOLS.includes(name)) {
    throw new ConfigError(`Invalid security protocol \`${name}\`; it is one of ${PROTOCOLS.join(', ')}`, {
      key,
      value: name,
    })
  }
  // PROTOCOLS holds exactly the members of the union.
  return name as SecurityProtocol
}

/**
 * `NAME://host:port,...` as endpoints. Names must differ; with `distinctPorts` ports too, port 0 aside, except that
 * one IPv4 and one IPv6 address may share one.
 */
export function parseEndpoints(
  key: string,
  text: string,
  options: { readonly protocols: ReadonlyMap<string, SecurityProtocol>; readonly distinctPorts: boolean },
): readonly BrokerEndpoint[] {
  const fail = (reason: string): never => {
    throw new ConfigError(reason, { key, value: text })
  }
  const endpoints = commaList(text).map((item): BrokerEndpoint => {
    const [, name = '', host = '', port = ''] = ENDPOINT.exec(item) ?? []
    if (name === '') return fail(`'${item}' is not NAME://host:port, such as PLAINTEXT://localhost:9092`)
    const listener = name.toUpperCase()
    const protocol = options.protocols.get(listener)
    if (!protocol) {
      return fail(`No security protocol is defined for listener ${listener}: add it to listener.security.protocol.map`)
    }
    if (Number(port) < 0 || Number(port) > 65535) return fail(`Port ${port} is not between 0 and 65535`)
    return { listener, securityProtocol: protocol, host, port: Number(port) }
  })
  if (endpoints.length === 0) fail('At least one listener is needed')
  if (new Set(endpoints.map(({ listener }) => listener)).size < endpoints.length) {
    fail('Each listener must have a different name')
  }
  if (
    options.distinctPorts &&
    endpoints.some((one, index) => endpoints.slice(index + 1).some(two => clash(one, two)))
  ) {
    fail('Each listener must have a different port, unless one has an IPv4 and the other an IPv6 address')
  }
  return endpoints
}

function clash(one: BrokerEndpoint, two: BrokerEndpoint): boolean {
  if (one.port === 0 || one.port !== two.port) return false
  const families = [one, two].map(({ host }) => (host.includes(':') ? 6 : /^[\d.]+$/.test(host) ? 4 : 0))
  return families.includes(0) || families[0] === families[1]
}

/** Whether `host` means every interface, so that no client could connect to it by that name. */
export function isEveryInterface(host: string): boolean {
  return host === '' || host === '0.0.0.0' || host === '::'
}
