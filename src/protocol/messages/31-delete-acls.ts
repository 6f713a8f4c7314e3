import { array, int8, int16, int32, type MessageOf, request, response, string } from '../schema.ts'

/** Removes the ACLs that match filters. */
export const DeleteAclsRequest = request(
  'DeleteAcls',
  31,
  { versions: '0-3', flexible: '2+' },
  {
    filters: array({
      resourceTypeFilter: int8(),
      resourceNameFilter: string().nullable(),
      patternTypeFilter: int8().from(1).default(3),
      principalFilter: string().nullable(),
      hostFilter: string().nullable(),
      operation: int8(),
      permissionType: int8(),
    }),
  },
)
export type DeleteAclsRequest = MessageOf<typeof DeleteAclsRequest>

/** What each filter removed. */
export const DeleteAclsResponse = response(
  'DeleteAcls',
  31,
  { versions: '0-3', flexible: '2+' },
  {
    throttleTimeMs: int32(),
    filterResults: array({
      errorCode: int16(),
      errorMessage: string().nullable(),
      matchingAcls: array({
        errorCode: int16(),
        errorMessage: string().nullable(),
        resourceType: int8(),
        resourceName: string(),
        patternType: int8().from(1).default(3),
        principal: string(),
        host: string(),
        operation: int8(),
        permissionType: int8(),
      }),
    }),
  },
)
export type DeleteAclsResponse = MessageOf<typeof DeleteAclsResponse>
