import type { DescribedResource } from '../../controller/index.ts'
import { DescribeConfigsRequest, DescribeConfigsResponse } from '../../protocol/messages/32-describe-configs.ts'
import { handler } from '../handler.ts'

/**
 * DescribeConfigs, key 32: settings of topics and of this broker. v0: only whether a value is the default. v1: where it
 * comes from, and what it hides. v3: types and documentation.
 */
export const describeConfigs = handler(DescribeConfigsRequest, DescribeConfigsResponse, {
  handle: (request, { services, apiVersion }) => {
    const results = services.controller.describeConfigs(request)
    return { results: apiVersion === 0 ? results : results.map(withoutIsDefault) }
  },
  failed: (error, { resources }) => ({
    results: resources.map(({ resourceType, resourceName }) => ({
      resourceType,
      resourceName,
      errorCode: error.errorCode,
      errorMessage: error.message,
    })),
  }),
})

/** Later versions tell the source instead, and refuse to leave out what they have no place for. */
function withoutIsDefault(resource: DescribedResource): DescribedResource {
  return { ...resource, configs: resource.configs.map(config => ({ ...config, isDefault: false })) }
}
