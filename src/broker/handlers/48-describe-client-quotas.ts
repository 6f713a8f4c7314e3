import {
  DescribeClientQuotasRequest,
  DescribeClientQuotasResponse,
} from '../../protocol/messages/48-describe-client-quotas.ts'
import { handler } from '../handler.ts'

/** DescribeClientQuotas, key 48: quotas of the entities that match a filter (KIP-546). */
export const describeClientQuotas = handler(DescribeClientQuotasRequest, DescribeClientQuotasResponse, {
  handle: (request, { services }) => ({
    errorMessage: null,
    entries: services.controller.describeClientQuotas(request).map(({ entity, values }) => ({
      entity: [...entity],
      values: [...values],
    })),
  }),
  failed: ({ errorCode, message }) => ({ errorCode, errorMessage: message, entries: null }),
})
