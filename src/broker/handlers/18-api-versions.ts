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
    return answer(services.handlers)
  },
  failed: error => ({ errorCode: error.errorCode }),
})

/** A broker in ZooKeeper mode finalizes no features. */
function answer(handlers: readonly Handler[]): MessageInput<typeof ApiVersionsResponse> {
  return {
    apiKeys: handlers.map(({ apiKey, minVersion, maxVersion }) => ({ apiKey, minVersion, maxVersion })),
    finalizedFeaturesEpoch: 0,
  }
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
