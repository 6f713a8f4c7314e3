import { AlterClientQuotasRequest, AlterClientQuotasResponse } from '../../protocol/messages/49-alter-client-quotas.ts'
import { handler } from '../handler.ts'

/** AlterClientQuotas, key 49: sets and removes quotas of addresses (KIP-546, KIP-612). */
export const alterClientQuotas = handler(AlterClientQuotasRequest, AlterClientQuotasResponse, {
  handle: async (request, { services }) => ({ entries: await services.controller.alterClientQuotas(request) }),
  failed: ({ errorCode, message }, { entries }) => ({
    entries: entries.map(({ entity }) => ({ errorCode, errorMessage: message, entity })),
  }),
})
