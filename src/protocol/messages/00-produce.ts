import {
  array,
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

/** Appends record batches to partitions. */
export const ProduceRequest = request(
  'Produce',
  0,
  { versions: '0-13', flexible: '9+' },
  {
    transactionalId: string().nullable().from(3).default(null),
    /** -1 for all in-sync replicas, 1 for the leader, 0 for no response at all. */
    acks: int16(),
    timeoutMs: int32(),
    topicData: array({
      name: string().until(12).ignorable(),
      topicId: uuid().from(13).ignorable(),
      partitionData: array({
        index: int32(),
        records: records().nullable(),
      }),
    }),
  },
)
export type ProduceRequest = MessageOf<typeof ProduceRequest>

/** Where the batches went, or why not; left out on the wire when acks is 0. */
export const ProduceResponse = response(
  'Produce',
  0,
  { versions: '0-13', flexible: '9+' },
  {
    responses: array({
      name: string().until(12).ignorable(),
      topicId: uuid().from(13).ignorable(),
      partitionResponses: array({
        index: int32(),
        errorCode: int16(),
        baseOffset: int64(),
        /** -1 unless the topic stamps records with the broker's time. */
        logAppendTimeMs: int64().from(2).default(-1).ignorable(),
        logStartOffset: int64().from(5).default(-1).ignorable(),
        /** Which records made the broker refuse the batch (KIP-467). */
        recordErrors: array({
          batchIndex: int32().from(8),
          batchIndexErrorMessage: string().nullable().from(8).default(null),
        })
          .from(8)
          .ignorable(),
        errorMessage: string().nullable().from(8).default(null).ignorable(),
        /** Where to go on NOT_LEADER_OR_FOLLOWER (KIP-951). */
        currentLeader: struct({
          leaderId: int32().from(10).default(-1),
          leaderEpoch: int32().from(10).default(-1),
        })
          .from(10)
          .tagged(0),
      }),
    }),
    throttleTimeMs: int32().from(1).ignorable(),
    nodeEndpoints: array({
      nodeId: int32().from(10),
      host: string().from(10),
      port: int32().from(10),
      rack: string().nullable().from(10).default(null),
    })
      .from(10)
      .tagged(0),
  },
)
export type ProduceResponse = MessageOf<typeof ProduceResponse>
