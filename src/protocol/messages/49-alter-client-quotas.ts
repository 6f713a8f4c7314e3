import { array, bool, float64, int16, int32, type MessageOf, request, response, string } from '../schema.ts'

/** Sets and removes quotas of entities. */
export const AlterClientQuotasRequest = request(
  'AlterClientQuotas',
  49,
  { versions: '0-1', flexible: '1+' },
  {
    entries: array({
      entity: array({
        entityType: string(),
        entityName: string().nullable(),
      }),
      ops: array({
        key: string(),
        value: float64(),
        remove: bool(),
      }),
    }),
    validateOnly: bool(),
  },
)
export type AlterClientQuotasRequest = MessageOf<typeof AlterClientQuotasRequest>

/** Which entities were changed. */
export const AlterClientQuotasResponse = response(
  'AlterClientQuotas',
  49,
  { versions: '0-1', flexible: '1+' },
  {
    throttleTimeMs: int32(),
    entries: array({
      errorCode: int16(),
      errorMessage: string().nullable(),
      entity: array({
        entityType: string(),
        entityName: string().nullable(),
      }),
    }),
  },
)
export type AlterClientQuotasResponse = MessageOf<typeof AlterClientQuotasResponse>
