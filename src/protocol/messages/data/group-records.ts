/** Records of classic groups and offsets in `__consumer_offsets`. The version of a key is its record type. */
import { array, bytes, data, int32, int64, type MessageOf, string } from '../../schema.ts'

/** Key of an offset in `__consumer_offsets`; its version is the record's type. */
export const OffsetCommitKey = data(
  'OffsetCommitKey',
  { versions: '0-1', flexible: 'none' },
  {
    group: string(),
    topic: string(),
    partition: int32(),
  },
)
export type OffsetCommitKey = MessageOf<typeof OffsetCommitKey>

/** An offset in `__consumer_offsets`. */
export const OffsetCommitValue = data(
  'OffsetCommitValue',
  { versions: '0-4', flexible: '4+' },
  {
    offset: int64(),
    leaderEpoch: int32().from(3).default(-1).ignorable(),
    metadata: string(),
    commitTimestamp: int64(),
    expireTimestamp: int64().from(1).until(1).default(-1).ignorable(),
  },
)
export type OffsetCommitValue = MessageOf<typeof OffsetCommitValue>

/** Key of a classic group in `__consumer_offsets`. */
export const GroupMetadataKey = data(
  'GroupMetadataKey',
  { versions: '2', flexible: 'none' },
  {
    group: string(),
  },
)
export type GroupMetadataKey = MessageOf<typeof GroupMetadataKey>

const memberMetadata = {
  memberId: string(),
  groupInstanceId: string().nullable().from(3).default(null).ignorable(),
  clientId: string(),
  clientHost: string(),
  rebalanceTimeout: int32().from(1).default(-1).ignorable(),
  sessionTimeout: int32(),
  subscription: bytes(),
  assignment: bytes(),
}

/** A classic group in `__consumer_offsets`. */
export const GroupMetadataValue = data(
  'GroupMetadataValue',
  { versions: '0-4', flexible: '4+' },
  {
    protocolType: string(),
    generation: int32(),
    protocol: string().nullable(),
    leader: string().nullable(),
    currentStateTimestamp: int64().from(2).default(-1).ignorable(),
    members: array(memberMetadata),
  },
)
export type GroupMetadataValue = MessageOf<typeof GroupMetadataValue>
