import { array, bool, int16, int32, type MessageOf, request, response, string } from '../schema.ts'

/** Adds partitions to topics. */
export const CreatePartitionsRequest = request(
  'CreatePartitions',
  37,
  { versions: '0-3', flexible: '2+' },
  {
    topics: array({
      name: string(),
      count: int32(),
      assignments: array({
        brokerIds: array(int32()),
      }).nullable(),
    }),
    timeoutMs: int32(),
    validateOnly: bool(),
  },
)
export type CreatePartitionsRequest = MessageOf<typeof CreatePartitionsRequest>

/** Which topics have grown. */
export const CreatePartitionsResponse = response(
  'CreatePartitions',
  37,
  { versions: '0-3', flexible: '2+' },
  {
    throttleTimeMs: int32(),
    results: array({
      name: string(),
      errorCode: int16(),
      errorMessage: string().nullable().default(null),
    }),
  },
)
export type CreatePartitionsResponse = MessageOf<typeof CreatePartitionsResponse>
