import {
  array,
  bool,
  int8,
  int16,
  int32,
  int64,
  type MessageOf,
  records,
  request,
  response,
  string,
  struct,
  uuid,
} from '../schema.ts'

/** Acquires records for a member of a share group, and acknowledges earlier ones. */
export const ShareFetchRequest = request(
  'ShareFetch',
  78,
  { versions: '1-2', flexible: '0+' },
  {
    groupId: string().nullable().default(null),
    memberId: string().nullable(),
    shareSessionEpoch: int32(),
    maxWaitMs: int32(),
    minBytes: int32(),
    maxBytes: int32().default(0x7fff_ffff),
    maxRecords: int32(),
    batchSize: int32(),
    shareAcquireMode: int8().from(2).ignorable(),
    isRenewAck: bool().from(2),
    topics: array({
      topicId: uuid(),
      partitions: array({
        partitionIndex: int32(),
        partitionMaxBytes: int32().until(0),
        acknowledgementBatches: array({
          firstOffset: int64(),
          lastOffset: int64(),
          acknowledgeTypes: array(int8()),
        }),
      }),
    }),
    forgottenTopicsData: array({
      topicId: uuid(),
      partitions: array(int32()),
    }),
  },
)
export type ShareFetchRequest = MessageOf<typeof ShareFetchRequest>

/** Records, and which of them were acquired. */
export const ShareFetchResponse = response(
  'ShareFetch',
  78,
  { versions: '1-2', flexible: '0+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string().nullable().default(null),
    acquisitionLockTimeoutMs: int32(),
    responses: array({
      topicId: uuid(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        errorMessage: string().nullable().default(null),
        acknowledgeErrorCode: int16(),
        acknowledgeErrorMessage: string().nullable().default(null),
        currentLeader: struct({
          leaderId: int32(),
          leaderEpoch: int32(),
        }),
        records: records().nullableUntil(0),
        acquiredRecords: array({
          firstOffset: int64(),
          lastOffset: int64(),
          deliveryCount: int16(),
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
export type ShareFetchResponse = MessageOf<typeof ShareFetchResponse>
