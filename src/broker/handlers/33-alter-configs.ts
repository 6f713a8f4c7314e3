import { AlterConfigsRequest, AlterConfigsResponse } from '../../protocol/messages/33-alter-configs.ts'
import { handler } from '../handler.ts'

/** AlterConfigs, key 33: replaces all settings of a topic or of this broker. */
export const alterConfigs = handler(AlterConfigsRequest, AlterConfigsResponse, {
  handle: async (request, { services }) => ({ responses: await services.controller.alterConfigs(request) }),
  failed: (error, { resources }) => ({
    responses: resources.map(({ resourceType, resourceName }) => ({
      resourceType,
      resourceName,
      errorCode: error.errorCode,
      errorMessage: error.message,
    })),
  }),
})
