/** Which header stands before which version of a message. */
import type { Schema } from './schema.ts'

const CONTROLLED_SHUTDOWN = 7
const API_VERSIONS = 18

/** The version of the request header before a version of a request. */
export function requestHeaderVersion(schema: Schema, version: number): number {
  // The very first inter-broker request had no client id (Kafka 0.8).
  if (schema.apiKey === CONTROLLED_SHUTDOWN && version === 0) return 0
  return version >= schema.flexibleFrom ? 2 : 1
}

/**
 * The version of the response header before a version of a response. ApiVersions stays at 0: a client that asked with a version which
 * the broker does not know must be able to read the refusal (KIP-511).
 */
export function responseHeaderVersion(schema: Schema, version: number): number {
  return schema.apiKey !== API_VERSIONS && version >= schema.flexibleFrom ? 1 : 0
}
