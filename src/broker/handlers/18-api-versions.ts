import { type FinalizedFeatures, SUPPORTED_FEATURES, TRANSACTION_VERSION } from '../../metadata/index.ts'
import { ErrorCode, type MessageInput } from '../../protocol/index.ts'
import { ApiVersionsRequest, ApiVersionsResponse } from '../../protocol/messages/18-api-versions.ts'
import { type Handler, handler } from '../handler.ts'

/** What clients may call themselves (KIP-511). */
const CLIENT_NAME = /^[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?$/

/**
 * ApiVersions, key 18: which APIs in which versions. Derived from the list of handlers, so nothing is advertised that is
 * not served. A version that is not known itself never gets here: see `RequestDispatcher`.
 */
export const apiVersions = handler(ApiVersionsRequest, ApiVersionsResponse, {
  handle: (request, { apiVersion, services, connection }) => {
    const { clientSoftwareName, clientSoftwareVersion } = request
    if (apiVersion >= 3) {
      if (!CLIENT_NAME.test(clientSoftwareName) || !CLIENT_NAME.test(clientSoftwareVersion)) {
        return { errorCode: ErrorCode.INVALID_REQUEST }
      }
      connection.session = { clientSoftwareName, clientSoftwareVersion }
    }
    return answer(services.handlers, services.metadata.image().features, apiVersion)
  },
  failed: error => ({ errorCode: error.errorCode }),
})

/** The first version that may name a lowest level of 0: before it, Java clients take none but positive ones (KAFKA-17011). */
const FIRST_WITH_LEVEL_0 = 4

function answer(
  handlers: readonly Handler[],
  { epoch, levels }: FinalizedFeatures,
  apiVersion: number,
): MessageInput<typeof ApiVersionsResponse> {
  const lowest = apiVersion >= FIRST_WITH_LEVEL_0 ? 0 : 1
  return {
    apiKeys: handlers.map(api => versionsOf(api, levels.get(TRANSACTION_VERSION) ?? 0)),
    supportedFeatures: Array.from(SUPPORTED_FEATURES, ([name, { min, max }]) => ({
      name,
      minVersion: Math.max(min, lowest),
      maxVersion: max,
    })),
    finalizedFeaturesEpoch: epoch,
    finalizedFeatures: Array.from(levels, ([name, level]) => ({
      name,
      maxVersionLevel: level,
      minVersionLevel: level,
    })),
  }
}

/** An API as it is told of: versions that mean another protocol of transactions only where the cluster has agreed on it. */
function versionsOf({ apiKey, minVersion, maxVersion, sinceTransactionVersion }: Handler, transactionVersion: number) {
  const { version, level } = sinceTransactionVersion ?? { version: maxVersion + 1, level: 0 }
  const isAgreed = transactionVersion >= level
  return { apiKey, minVersion, maxVersion: isAgreed ? maxVersion : Math.min(maxVersion, version - 1) }
}

/** The answer to a version of ApiVersions that is not served: in version 0, with the one range the client needs. */
export const unsupportedApiVersions = {
  schema: ApiVersionsResponse,
  answer: (handlers: readonly Handler[]): MessageInput<typeof ApiVersionsResponse> => ({
    errorCode: ErrorCode.UNSUPPORTED_VERSION,
    apiKeys: handlers
      .filter(({ apiKey }) => apiKey === ApiVersionsRequest.apiKey)
      .map(({ apiKey, minVersion, maxVersion }) => ({ apiKey, minVersion, maxVersion })),
  }),
}
