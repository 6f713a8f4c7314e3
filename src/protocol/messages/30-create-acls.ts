import { array, int8, int16, int32, type MessageOf, request, response, string } from '../schema.ts'

/** Adds ACLs. */
export const CreateAclsRequest = request(
  'CreateAcls',
  30,
  { versions: '0-3', flexible: '2+' },
  {
    creations: array({
      resourceType: int8(),
      resourceName: string(),
      resourcePatternType: int8().from(1).default(3),
      principal: string(),
      host: string(),
      operation: int8(),
      permissionType: int8(),
    }),
  },
)
export type CreateAclsRequest = MessageOf<typeof CreateAclsRequest>

/** Which were added. */
export const CreateAclsResponse = response(
  'CreateAcls',
  30,
  { versions: '0-3', flexible: '2+' },
  {
    throttleTimeMs: int32(),
    results: array({
      errorCode: int16(),
      errorMessage: string().nullable(),
    }),
  },
)
export type CreateAclsResponse = MessageOf<typeof CreateAclsResponse>
