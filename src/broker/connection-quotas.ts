import { ipConfig } from '../config/broker.ts'
import { type ClusterImage, DEFAULT_ENTITY } from '../metadata/index.ts'

/** The quota of addresses (KIP-612). */
const RATE = 'connection_creation_rate'

/** New connections that an address may make a second: its own quota, else that of all addresses, else what means no limit. */
export function connectionRateOf(image: ClusterImage, ip: string): number {
  const own = image.config('ips', ip).get(RATE) ?? image.config('ips', DEFAULT_ENTITY).get(RATE)
  return Number(own ?? ipConfig.defaultText(RATE))
}
