import {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '../../protocol/messages/44-incremental-alter-configs.ts'
import { handler } from '../handler.ts'

/** IncrementalAlterConfigs, key 44 (KIP-339): sets, deletes, appends to or subtracts from single settings. */
export const incrementalAlterConfigs = handler(IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse, {
  handle: async (request, { services }) => ({ responses: await services.controller.incrementalAlterConfigs(request) }),
  failed: (error, { resources }) => ({
    responses: resources.map(({ resourceType, resourceName }) => ({
      resourceType,
      resourceName,
      errorCode: error.errorCode,
      errorMessage: error.message,
    })),
  }),
})
