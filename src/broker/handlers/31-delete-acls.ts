import { KafkaError } from '../../protocol/index.ts'
import { DeleteAclsRequest, DeleteAclsResponse } from '../../protocol/messages/31-delete-acls.ts'
import { handler } from '../handler.ts'

/** DeleteAcls, key 31: there is no authorizer, and the answer says so for each filter. */
export const deleteAcls = handler(DeleteAclsRequest, DeleteAclsResponse, {
  handle: () => {
    throw new KafkaError('SECURITY_DISABLED', 'No Authorizer is configured.')
  },
  failed: (error, { filters }) => ({
    filterResults: filters.map(() => ({ errorCode: error.errorCode, errorMessage: error.message })),
  }),
})
