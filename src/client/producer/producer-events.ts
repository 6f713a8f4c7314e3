import { channel } from 'node:diagnostics_channel'

/** A Produce request that was answered, or was not. */
export interface ProduceEvent {
  readonly clientId: string
  readonly broker: number
  readonly batches: number
  readonly records: number
  /** Bytes of the batches as they were sent. */
  readonly bytes: number
  readonly durationMs: number
  /** Why the request as a whole failed; what the broker said of a single batch is not an error of the request. */
  readonly error: Error | undefined
}

/** `node:diagnostics_channel` on which every producer tells of its requests, a {@link ProduceEvent} each. */
export const produceChannel = channel('monedula:producer:request')
