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
  uint16,
  uuid,
} from '../schema.ts'

/** KRaft: reads a part of a metadata snapshot. */
export const FetchSnapshotRequest = request(
  'FetchSnapshot',
  59,
  { versions: '0-1', flexible: '0+' },
  {
    clusterId: string().nullable().default(null).tagged(0),
    replicaId: int32().default(-1),
    maxBytes: int32().default(0x7fff_ffff),
    topics: array({
      name: string(),
      partitions: array({
        partition: int32(),
        currentLeaderEpoch: int32(),
        snapshotId: struct({
          endOffset: int64(),
          epoch: int32(),
        }),
        position: int64(),
        replicaDirectoryId: uuid().from(1).ignorable().tagged(0),
      }),
    }),
  },
)
export type FetchSnapshotRequest = MessageOf<typeof FetchSnapshotRequest>

/** A piece of the snapshot. */
export const FetchSnapshotResponse = response(
  'FetchSnapshot',
  59,
  { versions: '0-1', flexible: '0+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    topics: array({
      name: string(),
      partitions: array({
        index: int32(),
        errorCode: int16(),
        snapshotId: struct({
          endOffset: int64(),
          epoch: int32(),
        }),
        currentLeader: struct({
          leaderId: int32(),
          leaderEpoch: int32(),
        }).tagged(0),
        size: int64(),
        position: int64(),
        unalignedRecords: records(),
      }),
    }),
    nodeEndpoints: array({
      nodeId: int32().from(1),
      host: string().from(1),
      port: uint16().from(1),
    })
      .from(1)
      .tagged(0),
  },
)
export type FetchSnapshotResponse = MessageOf<typeof FetchSnapshotResponse>
