/** Records of share groups (KIP-932) in `__consumer_offsets`. The version of a key is its record type. */
import { array, data, int32, type MessageOf, string, uuid } from '../../schema.ts'

/** Key of the topics that a share group is subscribed to. */
export const ShareGroupPartitionMetadataKey = data(
  'ShareGroupPartitionMetadataKey',
  { versions: '9', flexible: 'none' },
  {
    groupId: string(),
  },
)
export type ShareGroupPartitionMetadataKey = MessageOf<typeof ShareGroupPartitionMetadataKey>

const topicPartitionsInfo = {
  topicId: uuid(),
  topicName: string(),
  partitions: array(int32()),
}

const topicInfo = {
  topicId: uuid(),
  topicName: string(),
}

/** The topics that a share group is subscribed to, as last seen. */
export const ShareGroupPartitionMetadataValue = data(
  'ShareGroupPartitionMetadataValue',
  { versions: '0', flexible: '0+' },
  {
    initializedTopics: array(topicPartitionsInfo),
    deletingTopics: array(topicInfo),
  },
)
export type ShareGroupPartitionMetadataValue = MessageOf<typeof ShareGroupPartitionMetadataValue>

/** Key of a member of a share group. */
export const ShareGroupMemberMetadataKey = data(
  'ShareGroupMemberMetadataKey',
  { versions: '10', flexible: 'none' },
  {
    groupId: string(),
    memberId: string(),
  },
)
export type ShareGroupMemberMetadataKey = MessageOf<typeof ShareGroupMemberMetadataKey>

/** A member of a share group and its subscription. */
export const ShareGroupMemberMetadataValue = data(
  'ShareGroupMemberMetadataValue',
  { versions: '0', flexible: '0+' },
  {
    rackId: string().nullable(),
    clientId: string(),
    clientHost: string(),
    subscribedTopicNames: array(string()),
  },
)
export type ShareGroupMemberMetadataValue = MessageOf<typeof ShareGroupMemberMetadataValue>

/** Key of the epoch of a share group. */
export const ShareGroupMetadataKey = data(
  'ShareGroupMetadataKey',
  { versions: '11', flexible: 'none' },
  {
    groupId: string(),
  },
)
export type ShareGroupMetadataKey = MessageOf<typeof ShareGroupMetadataKey>

/** The epoch of a share group. */
export const ShareGroupMetadataValue = data(
  'ShareGroupMetadataValue',
  { versions: '0', flexible: '0+' },
  {
    epoch: int32(),
  },
)
export type ShareGroupMetadataValue = MessageOf<typeof ShareGroupMetadataValue>
