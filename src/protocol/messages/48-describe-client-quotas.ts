import { array, bool, float64, int8, int16, int32, type MessageOf, request, response, string } from '../schema.ts'

/** Asks for the quotas that match a filter of entities. */
export const DescribeClientQuotasRequest = request(
  'DescribeClientQuotas',
  48,
  { versions: '0-1', flexible: '1+' },
  {
    components: array({
      entityType: string(),
      matchType: int8(),
      match: string().nullable(),
    }),
    strict: bool(),
  },
)
export type DescribeClientQuotasRequest = MessageOf<typeof DescribeClientQuotasRequest>

/** The quotas of each entity. */
export const DescribeClientQuotasResponse = response(
  'DescribeClientQuotas',
  48,
  { versions: '0-1', flexible: '1+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string().nullable(),
    entries: array({
      entity: array({
        entityType: string(),
        entityName: string().nullable(),
      }),
      values: array({
        key: string(),
        value: float64(),
      }),
    }).nullable(),
  },
)
export type DescribeClientQuotasResponse = MessageOf<typeof DescribeClientQuotasResponse>
