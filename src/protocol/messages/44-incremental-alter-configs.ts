import { array, bool, int8, int16, int32, type MessageOf, request, response, string } from '../schema.ts'

/** Sets, deletes, appends to or subtracts from single configs (KIP-339). */
export const IncrementalAlterConfigsRequest = request(
  'IncrementalAlterConfigs',
  44,
  { versions: '0-1', flexible: '1+' },
  {
    resources: array({
      resourceType: int8(),
      resourceName: string(),
      configs: array({
        name: string(),
        /** 0 set, 1 delete, 2 append, 3 subtract. */
        configOperation: int8(),
        value: string().nullable(),
      }),
    }),
    validateOnly: bool(),
  },
)
export type IncrementalAlterConfigsRequest = MessageOf<typeof IncrementalAlterConfigsRequest>

/** Which resources were changed. */
export const IncrementalAlterConfigsResponse = response(
  'IncrementalAlterConfigs',
  44,
  { versions: '0-1', flexible: '1+' },
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
export type IncrementalAlterConfigsResponse = MessageOf<typeof IncrementalAlterConfigsResponse>
