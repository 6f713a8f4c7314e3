import type { ClientConnection } from '../network/index.ts'
import { ErrorCode, KafkaError, type Schema } from '../protocol/index.ts'
import { ApiVersionsRequest, ApiVersionsResponse } from '../protocol/messages/18-api-versions.ts'

const API_VERSIONS = { request: ApiVersionsRequest, response: ApiVersionsResponse }

/** How a client names itself to a broker (KIP-511). */
export const CLIENT_SOFTWARE = { clientSoftwareName: 'monedula', clientSoftwareVersion: '0.1.0' }

/** Versions of the APIs that a broker serves, by API key. */
export type ServedApis = ReadonlyMap<number, { readonly min: number; readonly max: number }>

/** What a cluster has agreed on, as one of its brokers knows (KIP-584). */
export interface Features {
  /** Grows with each change; -1 where nothing is agreed on. */
  readonly epoch: number
  /** 2 for the second protocol of transactions (KIP-890). */
  readonly transactionVersion: number
}

export const NO_FEATURES: Features = { epoch: -1, transactionVersion: 0 }

/** What the broker serves (KIP-35), and what it knows to be agreed on. One that does not know our version of the question is asked in its own (KIP-511). */
export async function askServedApis(connection: ClientConnection, timeoutMs: number) {
  let answer = await connection.send(API_VERSIONS, CLIENT_SOFTWARE, { version: 3, timeoutMs })
  if (answer.errorCode === ErrorCode.UNSUPPORTED_VERSION) {
    answer = await connection.send(API_VERSIONS, {}, { version: 0, timeoutMs })
  }
  if (answer.errorCode !== ErrorCode.NONE) throw KafkaError.fromCode(answer.errorCode)
  const served: ServedApis = new Map(
    answer.apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, { min: minVersion, max: maxVersion }]),
  )
  const level = answer.finalizedFeatures.find(({ name }) => name === 'transaction.version')?.maxVersionLevel ?? 0
  const features: Features = { epoch: answer.finalizedFeaturesEpoch, transactionVersion: level }
  return { served, features }
}

/** The highest version that both sides know. @throws KafkaError UNSUPPORTED_VERSION when there is none */
export function commonVersion(schema: Schema, served: ServedApis, maxVersion = schema.versions.max): number {
  const theirs = served.get(schema.apiKey)
  const ours = schema.versions
  const highest = Math.min(maxVersion, ours.max, theirs?.max ?? -1)
  if (theirs === undefined || highest < Math.max(ours.min, theirs.min)) {
    throw new KafkaError(
      'UNSUPPORTED_VERSION',
      theirs === undefined
        ? `the broker does not serve ${schema.name}`
        : `the broker serves ${schema.name} in versions ${theirs.min} to ${theirs.max}, this client ${ours.min} to ${ours.max}`,
    )
  }
  return highest
}
