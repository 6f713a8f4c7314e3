import { array, int8, int16, int32, type MessageOf, request, response, string } from '../schema.ts'

/** Asks for the ACLs that match a filter. */
export const DescribeAclsRequest = request(
  'DescribeAcls',
  29,
  { versions: '0-3', flexible: '2+' },
  {
    resourceTypeFilter: int8(),
    resourceNameFilter: string().nullable(),
    patternTypeFilter: int8().from(1).default(3),
    principalFilter: string().nullable(),
    hostFilter: string().nullable(),
    operation: int8(),
    permissionType: int8(),
  },
)
export type DescribeAclsRequest = MessageOf<typeof DescribeAclsRequest>

/** The ACLs by resource. */
export const DescribeAclsResponse = response(
  'DescribeAcls',
  29,
  { versions: '0-3', flexible: '2+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string().nullable(),
    resources: array({
      resourceType: int8(),
      resourceName: string(),
      patternType: int8().from(1).default(3),
      acls: array({
        principal: string(),
        host: string(),
        operation: int8(),
        permissionType: int8(),
      }),
    }),
  },
)
export type DescribeAclsResponse = MessageOf<typeof DescribeAclsResponse>
