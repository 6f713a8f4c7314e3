import { array, int8, int16, int32, type MessageOf, request, response, string } from '../schema.ts'

/** Lists resources that have configs. v0, ListClientMetricsResources in Kafka 3.9, lists client metrics resources alone. */
export const ListConfigResourcesRequest = request(
  'ListConfigResources',
  74,
  { versions: '0-1', flexible: '0+' },
  {
    resourceTypes: array(int8()).from(1),
  },
)
export type ListConfigResourcesRequest = MessageOf<typeof ListConfigResourcesRequest>

/** Names and types of the resources. */
export const ListConfigResourcesResponse = response(
  'ListConfigResources',
  74,
  { versions: '0-1', flexible: '0+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    configResources: array({
      resourceName: string(),
      resourceType: int8().from(1).default(16).ignorable(),
    }),
  },
)
export type ListConfigResourcesResponse = MessageOf<typeof ListConfigResourcesResponse>
