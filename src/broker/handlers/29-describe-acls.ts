import { ErrorCode } from '../../protocol/index.ts'
import { DescribeAclsRequest, DescribeAclsResponse } from '../../protocol/messages/29-describe-acls.ts'
import { handler } from '../handler.ts'

/** DescribeAcls, key 29: there is no authorizer, and the answer says so. */
export const describeAcls = handler(DescribeAclsRequest, DescribeAclsResponse, {
  handle: () => ({
    errorCode: ErrorCode.SECURITY_DISABLED,
    errorMessage: 'No Authorizer is configured on the broker',
  }),
  failed: error => ({ errorCode: error.errorCode, errorMessage: error.message }),
})
