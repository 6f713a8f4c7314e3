import type { DescribedResource } from '../../controller/index.ts'
import type { MessageOf } from '../../protocol/index.ts'
import { DescribeConfigsRequest, DescribeConfigsResponse } from '../../protocol/messages/32-describe-configs.ts'
import { answerEach, answeredOnce } from '../answer-each.ts'
import { handler } from '../handler.ts'

type Resource = MessageOf<typeof DescribeConfigsRequest>['resources'][number]

/**
 * DescribeConfigs, key 32: settings of topics and of this broker. v0: only whether a value is the default. v1: where it
 * comes from, and what it hides. v3: types and documentation.
 */
export const describeConfigs = handler(DescribeConfigsRequest, DescribeConfigsResponse, {
  answersInTurns: true,
  handle: async (request, { connection, services, apiVersion }) => {
    const describe = (resource: Resource): DescribedResource => {
      const [described] = services.controller.describeConfigs({ ...request, resources: [resource] })
      return apiVersion === 0 ? described! : withoutIsDefault(described!)
    }
    return { results: await connection.inPieces(answerEach(request.resources, answeredOnce(describe))) }
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
