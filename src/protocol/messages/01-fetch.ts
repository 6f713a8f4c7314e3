import {
  array,
  INT64_MAX,
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

/** Asks for record batches from given offsets on; followers replicate with it too. From v7 in incremental sessions (KIP-227). */
export const FetchRequest = request(
  'Fetch',
  1,
  { versions: '0-18', flexible: '12+' },
  {
    clusterId: string().nullable().from(12).default(null).ignorable().tagged(0),
    /** -1 for a consumer. Followers use `replicaState` from v15 (KIP-903). */
    replicaId: int32().until(14).default(-1),
    replicaState: struct({
      replicaId: int32().from(15).default(-1),
      replicaEpoch: int64().from(15).default(-1),
    })
      .from(15)
      .tagged(1),
    maxWaitMs: int32(),
    minBytes: int32(),
    maxBytes: int32().from(3).default(0x7fff_ffff).ignorable(),
    /** 0 reads up to the high watermark, 1 up to the last stable offset. */
    isolationLevel: int8().from(4).ignorable(),
    /** 0 asks for a new session. */
    sessionId: int32().from(7).ignorable(),
    /** -1 goes without a session, 0 begins one. */
    sessionEpoch: int32().from(7).default(-1).ignorable(),
    topics: array({
      topic: string().until(12).ignorable(),
      topicId: uuid().from(13).ignorable(),
      partitions: array({
        partition: int32(),
        currentLeaderEpoch: int32().from(9).default(-1).ignorable(),
        fetchOffset: int64().orLongMax(),
        /** Epoch of the last record that a follower has, so that the leader can tell it where to cut (KIP-595). */
        lastFetchedEpoch: int32().from(12).default(-1),
        logStartOffset: int64().from(5).default(-1).ignorable(),
        partitionMaxBytes: int32(),
        replicaDirectoryId: uuid().from(17).ignorable().tagged(0),
        /** What the follower knows (KIP-1166); the largest int64 when it says nothing. */
        highWatermark: int64().from(18).default(INT64_MAX).orLongMax().ignorable().tagged(1),
      }),
    }),
    /** What an incremental request takes out of the session. */
    forgottenTopicsData: array({
      topic: string().from(7).until(12).ignorable(),
      topicId: uuid().from(13).ignorable(),
      partitions: array(int32()).from(7),
    }).from(7),
    rackId: string().from(11).ignorable(),
  },
)
export type FetchRequest = MessageOf<typeof FetchRequest>

/** Record batches of the partitions that have news, with their high watermark and last stable offset. */
export const FetchResponse = response(
  'Fetch',
  1,
  { versions: '0-18', flexible: '12+' },
  {
    throttleTimeMs: int32().from(1).ignorable(),
    errorCode: int16().from(7).ignorable(),
    sessionId: int32().from(7),
    responses: array({
      topic: string().until(12).ignorable(),
      topicId: uuid().from(13).ignorable(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        highWatermark: int64(),
        lastStableOffset: int64().from(4).default(-1).ignorable(),
        logStartOffset: int64().from(5).default(-1).ignorable(),
        /** Where a follower's log left the leader's. */
        divergingEpoch: struct({
          epoch: int32().from(12).default(-1),
          endOffset: int64().from(12).default(-1),
        })
          .from(12)
          .tagged(0),
        currentLeader: struct({
          leaderId: int32().from(12).default(-1),
          leaderEpoch: int32().from(12).default(-1),
        })
          .from(12)
          .tagged(1),
        snapshotId: struct({
          endOffset: int64().default(-1),
          epoch: int32().default(-1),
        })
          .from(12)
          .tagged(2),
        /** For readers of committed records: whose records to skip, and from where. */
        abortedTransactions: array({
          producerId: int64().from(4),
          firstOffset: int64().from(4),
        })
          .nullable()
          .from(4)
          .ignorable(),
        /** A closer replica to read from (KIP-392), or -1. */
        preferredReadReplica: int32().from(11).default(-1),
        records: records().nullable(),
      }),
    }),
    nodeEndpoints: array({
      nodeId: int32().from(16),
      host: string().from(16),
      port: int32().from(16),
      rack: string().nullable().from(16).default(null),
    })
      .from(16)
      .tagged(0),
  },
)
export type FetchResponse = MessageOf<typeof FetchResponse>
