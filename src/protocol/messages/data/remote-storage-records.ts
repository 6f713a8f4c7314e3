/** Records of tiered storage in `__remote_log_metadata`. */
import { array, bytes, data, int8, int32, int64, type MessageOf, string, struct, uuid } from '../../schema.ts'

/** A segment in tiered storage. */
export const RemoteLogSegmentMetadataRecord = data(
  'RemoteLogSegmentMetadataRecord',
  { versions: '0', flexible: '0+' },
  {
    remoteLogSegmentId: struct({
      topicIdPartition: struct({
        name: string(),
        id: uuid(),
        partition: int32(),
      }),
      id: uuid(),
    }),
    startOffset: int64(),
    endOffset: int64(),
    brokerId: int32(),
    maxTimestampMs: int64(),
    eventTimestampMs: int64(),
    segmentLeaderEpochs: array({
      leaderEpoch: int32(),
      offset: int64(),
    }),
    segmentSizeInBytes: int32(),
    customMetadata: bytes().nullable().default(null),
    remoteLogSegmentState: int8(),
  },
)
export type RemoteLogSegmentMetadataRecord = MessageOf<typeof RemoteLogSegmentMetadataRecord>

/** A segment in tiered storage, in a snapshot of the metadata. */
export const RemoteLogSegmentMetadataSnapshotRecord = data(
  'RemoteLogSegmentMetadataSnapshotRecord',
  { versions: '0', flexible: '0+' },
  {
    segmentId: uuid(),
    startOffset: int64(),
    endOffset: int64(),
    brokerId: int32(),
    maxTimestampMs: int64(),
    eventTimestampMs: int64(),
    segmentLeaderEpochs: array({
      leaderEpoch: int32(),
      offset: int64(),
    }),
    segmentSizeInBytes: int32(),
    customMetadata: bytes().nullable().default(null),
    remoteLogSegmentState: int8(),
  },
)
export type RemoteLogSegmentMetadataSnapshotRecord = MessageOf<typeof RemoteLogSegmentMetadataSnapshotRecord>

/** A change of state of a segment in tiered storage. */
export const RemoteLogSegmentMetadataUpdateRecord = data(
  'RemoteLogSegmentMetadataUpdateRecord',
  { versions: '0', flexible: '0+' },
  {
    remoteLogSegmentId: struct({
      topicIdPartition: struct({
        name: string(),
        id: uuid(),
        partition: int32(),
      }),
      id: uuid(),
    }),
    brokerId: int32(),
    eventTimestampMs: int64(),
    customMetadata: bytes().nullable().default(null),
    remoteLogSegmentState: int8(),
  },
)
export type RemoteLogSegmentMetadataUpdateRecord = MessageOf<typeof RemoteLogSegmentMetadataUpdateRecord>

/** The deletion of a partition from tiered storage. */
export const RemotePartitionDeleteMetadataRecord = data(
  'RemotePartitionDeleteMetadataRecord',
  { versions: '0', flexible: '0+' },
  {
    topicIdPartition: struct({
      name: string(),
      id: uuid(),
      partition: int32(),
    }),
    brokerId: int32(),
    eventTimestampMs: int64(),
    remotePartitionDeleteState: int8(),
  },
)
export type RemotePartitionDeleteMetadataRecord = MessageOf<typeof RemotePartitionDeleteMetadataRecord>
