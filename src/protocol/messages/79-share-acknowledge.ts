import {
  array,
  bool,
  int8,
  int16,
  int32,
  int64,
  type MessageOf,
  request,
  response,
  string,
  struct,
  uuid,
} from '../schema.ts'

/** Acknowledges records of a share group. */
export const ShareAcknowledgeRequest = request(
  'ShareAcknowledge',
  79,
  { versions: '1-2', flexible: '0+' },
  {
    groupId: string().nullable().default(null),
    memberId: string().nullable(),
    shareSessionEpoch: int32(),
    isRenewAck: bool().from(2),
    topics: array({
      topicId: uuid(),
      partitions: array({
        partitionIndex: int32(),
        acknowledgementBatches: array({
          firstOffset: int64(),
          lastOffset: int64(),
          acknowledgeTypes: array(int8()),
        }),
      }),
    }),
  },
)
export type ShareAcknowledgeRequest = MessageOf<typeof ShareAcknowledgeRequest>

/** What came of it in each partition. */
export const ShareAcknowledgeResponse = response(
  'ShareAcknowledge',
  79,
  { versions: '1-2', flexible: '0+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string().nullable().default(null),
    acquisitionLockTimeoutMs: int32().from(2).ignorable(),
    responses: array({
      topicId: uuid(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        errorMessage: string().nullable().default(null),
        currentLeader: struct({
          leaderId: int32(),
          leaderEpoch: int32(),
        }),
      }),
    }),
    nodeEndpoints: array({
      nodeId: int32(),
      host: string(),
      port: int32(),
      rack: string().nullable().default(null),
    }),
  },
)
export type ShareAcknowledgeResponse = MessageOf<typeof ShareAcknowledgeResponse>
