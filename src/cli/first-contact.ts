import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { type ClientConnectionEvent, type ClientParts, KafkaError } from '../client/index.ts'
import { type Network, nodeNetwork, systemClock, systemRandom, type Timer } from '../platform/index.ts'
import { oneLine } from './failures.ts'

const CHANNEL = 'monedula:client:connection'
/** Who types has begun to wonder by then. */
const SILENCE_MS = 2_000

/**
 * What the clients of a command live in. Says on standard error that the cluster is not reached yet: when the first connection comes to
 * nothing and others will be tried, and when nothing is heard of it for a while.
 */
export function tellingOfFirstContact(): Pick<ClientParts, 'platform'> {
  let silence: Timer | undefined
  let isHeard = false
  const listen = (message: unknown): void => {
    unsubscribe(CHANNEL, listen)
    isHeard = true
    silence?.cancel()
    const { error } = message as ClientConnectionEvent
    if (!(error instanceof KafkaError && error.retriable)) return
    warn(`${oneLine(error.message)}; trying again`)
  }
  subscribe(CHANNEL, listen)
  const connect: Network['connect'] = (host, port, timeoutMs, tls) => {
    if (!isHeard)
      silence ??= systemClock.schedule(SILENCE_MS, () => warn(`no answer from ${host}:${port} yet; still trying`))
    return nodeNetwork.connect(host, port, timeoutMs, tls)
  }
  return { platform: { network: { ...nodeNetwork, connect }, clock: systemClock, random: systemRandom } }
}

const warn = (what: string): void => console.error(`monedula: warning: ${what}`)
