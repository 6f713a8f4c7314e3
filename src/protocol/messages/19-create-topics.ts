import { array, bool, int8, int16, int32, type MessageOf, request, response, string, uuid } from '../schema.ts'

/** Creates topics. */
export const CreateTopicsRequest = request(
  'CreateTopics',
  19,
  { versions: '0-7', flexible: '5+' },
  {
    topics: array({
      name: string(),
      /** -1 for the broker's default, or with assignments. */
      numPartitions: int32(),
      /** -1 for the broker's default, or with assignments. */
      replicationFactor: int16(),
      assignments: array({
        partitionIndex: int32(),
        brokerIds: array(int32()),
      }),
      configs: array({
        name: string(),
        value: string().nullable(),
      }),
    }),
    timeoutMs: int32().default(60_000),
    validateOnly: bool().from(1),
  },
)
export type CreateTopicsRequest = MessageOf<typeof CreateTopicsRequest>

/** Which topics were created, and with what. */
export const CreateTopicsResponse = response(
  'CreateTopics',
  19,
  { versions: '0-7', flexible: '5+' },
  {
    throttleTimeMs: int32().from(2).ignorable(),
    topics: array({
      name: string(),
      topicId: uuid().from(7).ignorable(),
      errorCode: int16(),
      errorMessage: string().nullable().from(1).ignorable(),
      topicConfigErrorCode: int16().from(5).ignorable().tagged(0),
      numPartitions: int32().from(5).default(-1).ignorable(),
      replicationFactor: int16().from(5).default(-1).ignorable(),
      configs: array({
        name: string().from(5),
        value: string().nullable().from(5),
        readOnly: bool().from(5),
        configSource: int8().from(5).default(-1).ignorable(),
        isSensitive: bool().from(5),
      })
        .nullable()
        .from(5)
        .ignorable(),
    }),
  },
)
export type CreateTopicsResponse = MessageOf<typeof CreateTopicsResponse>
