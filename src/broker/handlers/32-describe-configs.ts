import { DescribeConfigsRequest, DescribeConfigsResponse } from '../../protocol/messages/32-describe-configs.ts'
import { handler } from '../handler.ts'

/**
 * DescribeConfigs, key 32: settings of topics and of this broker. v0: only whether a value is the default. v1: where it
 * comes from, and what it hides. v3: types and documentation.
 */
export const describeConfigs = handler(DescribeConfigsRequest, DescribeConfigsResponse, {
  handle: (request, { services }) => ({ results: services.controller.describeConfigs(request) }),
  failed: (error, { resources }) => ({
    results: resources.map(({ resourceType, resourceName }) => ({
      resourceType,
      resourceName,
      errorCode: error.errorCode,
      errorMessage: error.message,
    })),
  }),
})
