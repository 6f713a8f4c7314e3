import { channel } from 'node:diagnostics_channel'

/** A request of a Producer, Consumer or Admin that was answered, or was not. What sets a connection up (versions, SASL) is not told of. */
export interface ClientRequestEvent {
  readonly clientId: string
  /** The broker's address. */
  readonly host: string
  readonly port: number
  /** Kafka's name of the API: `Fetch`, `OffsetCommit`. */
  readonly api: string
  readonly version: number
  /** From the send to the answer. A fetch and a join wait at the broker for as long as they were asked to. */
  readonly durationMs: number
  /** Why there was no answer. What the broker says in its answer is none. */
  readonly error: Error | undefined
}

/** A connection that a Producer, Consumer or Admin made to a broker, versions and SASL included, or could not make. */
export interface ClientConnectionEvent {
  readonly clientId: string
  /** The broker's address. */
  readonly host: string
  readonly port: number
  /** From the first packet to where requests can be sent, or to the failure. */
  readonly durationMs: number
  /** Why there is none. */
  readonly error: Error | undefined
}

/** `node:diagnostics_channel` on which every client tells of its requests, a {@link ClientRequestEvent} each. */
export const requestChannel = channel('monedula:client:request')

/** `node:diagnostics_channel` on which every client tells of its connections, a {@link ClientConnectionEvent} each. */
export const connectionChannel = channel('monedula:client:connection')
