import { array, bool, int8, int16, int32, type MessageOf, request, response, string } from '../schema.ts'

/** Replaces all dynamic configs of resources. */
export const AlterConfigsRequest = request(
  'AlterConfigs',
  33,
  { versions: '0-2', flexible: '2+' },
  {
    resources: array({
      resourceType: int8(),
      resourceName: string(),
      configs: array({
        name: string(),
        value: string().nullable(),
      }),
    }),
    validateOnly: bool(),
  },
)
export type AlterConfigsRequest = MessageOf<typeof AlterConfigsRequest>

/** Which resources were changed. */
export const AlterConfigsResponse = response(
  'AlterConfigs',
  33,
  { versions: '0-2', flexible: '2+' },
  {
    throttleTimeMs: int32(),
    responses: array({
      errorCode: int16(),
      errorMessage: string().nullable(),
      resourceType: int8(),
      resourceName: string(),
    }),
  },
)
export type AlterConfigsResponse = MessageOf<typeof AlterConfigsResponse>
