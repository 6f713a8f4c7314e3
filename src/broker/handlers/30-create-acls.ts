import { KafkaError } from '../../protocol/index.ts'
import { CreateAclsRequest, CreateAclsResponse } from '../../protocol/messages/30-create-acls.ts'
import { handler } from '../handler.ts'

/** CreateAcls, key 30: there is no authorizer, and the answer says so for each entry. */
export const createAcls = handler(CreateAclsRequest, CreateAclsResponse, {
  handle: () => {
    throw new KafkaError('SECURITY_DISABLED', 'No Authorizer is configured.')
  },
  failed: (error, { creations }) => ({
    results: creations.map(() => ({ errorCode: error.errorCode, errorMessage: error.message })),
  }),
})
