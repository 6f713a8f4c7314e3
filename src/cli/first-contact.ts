import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { type ClientConnectionEvent, KafkaError } from '../client/index.ts'
import { oneLine } from './failures.ts'

const CHANNEL = 'monedula:client:connection'

/** Says on standard error that the cluster is not reached yet, when the first connection of a command comes to nothing and others will be tried. */
export function tellOfFirstContact(): void {
  const listen = (message: unknown): void => {
    unsubscribe(CHANNEL, listen)
    const { error } = message as ClientConnectionEvent
    if (!(error instanceof KafkaError && error.retriable)) return
    console.error(`monedula: warning: ${oneLine(error.message)}; trying again`)
  }
  subscribe(CHANNEL, listen)
}
