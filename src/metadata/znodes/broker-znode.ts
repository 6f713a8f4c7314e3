import type { SecurityProtocol } from '../../config/broker.ts'
import type { BrokerRegistration, RegisteredEndpoint } from '../broker-registration.ts'
import { encodeJson, ZnodeFormatError, ZnodeObject } from './znode-json.ts'
import { ZnodePath } from './znode-paths.ts'

/** `/brokers/ids/N`, in the format of Kafka 2.7 and later (version 5). */
export function encodeBroker(broker: Omit<BrokerRegistration, 'epoch'>): Uint8Array {
  const { endpoints } = broker
  const plaintext = endpoints.find(({ securityProtocol }) => securityProtocol === 'PLAINTEXT')
  return encodeJson({
    features: broker.features,
    listener_security_protocol_map: Object.fromEntries(
      endpoints.map(({ listener, securityProtocol }) => [listener, securityProtocol]),
    ),
    endpoints: endpoints.map(({ listener, host, port }) => {
      return `${listener}://${host.includes(':') ? `[${host}]` : host}:${port}`
    }),
    ...(broker.rack === null ? {} : { rack: broker.rack }),
    jmx_port: broker.jmxPort,
    port: plaintext?.port ?? -1,
    host: plaintext?.host ?? null,
    version: 5,
    timestamp: String(broker.timestampMs),
  })
}

/** Reads `/brokers/ids/N` of any version since Kafka 0.8; `epoch` is the znode's czxid. */
export function decodeBroker(
  brokerId: number,
  data: Uint8Array | null,
  { epoch }: { readonly epoch: number },
): BrokerRegistration {
  const json = ZnodeObject.parse(ZnodePath.broker(brokerId), data)
  const version = json.int('version')
  return {
    brokerId,
    epoch,
    endpoints: version === 1 ? [firstEndpoint(json)] : json.strings('endpoints').map(text => endpointOf(json, text)),
    rack: json.stringOrNull('rack'),
    jmxPort: json.int('jmx_port', -1),
    features: json.has('features') ? featuresOf(json.object('features')) : {},
    timestampMs: json.int('timestamp', -1),
  }
}

function firstEndpoint(json: ZnodeObject): RegisteredEndpoint {
  return { listener: 'PLAINTEXT', securityProtocol: 'PLAINTEXT', host: json.string('host'), port: json.int('port') }
}

function endpointOf(json: ZnodeObject, text: string): RegisteredEndpoint {
  const [, listener = '', host = '', port = ''] = /^(.+?):\/\/\[?(.*?)\]?:(-?\d+)$/.exec(text) ?? []
  if (listener === '') throw new ZnodeFormatError(json.path, `'${text}' is no endpoint`)
  const map = json.has('listener_security_protocol_map') ? json.object('listener_security_protocol_map') : undefined
  const securityProtocol = (map?.has(listener) ? map.string(listener) : listener) as SecurityProtocol
  return { listener, securityProtocol, host, port: Number(port) }
}

function featuresOf(json: ZnodeObject): BrokerRegistration['features'] {
  return Object.fromEntries(
    json.names().map(name => {
      const range = json.object(name)
      return [name, { min_version: range.int('min_version'), max_version: range.int('max_version') }]
    }),
  )
}
