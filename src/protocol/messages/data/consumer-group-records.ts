/** Records of consumer groups (KIP-848) in `__consumer_offsets`. The version of a key is its record type. */
import { array, bytes, data, int8, int32, type MessageOf, string, struct, uuid } from '../../schema.ts'

/** Key of the epoch of a consumer group. */
export const ConsumerGroupMetadataKey = data(
  'ConsumerGroupMetadataKey',
  { versions: '3', flexible: 'none' },
  {
    groupId: string(),
  },
)
export type ConsumerGroupMetadataKey = MessageOf<typeof ConsumerGroupMetadataKey>

/** The epoch of a consumer group. */
export const ConsumerGroupMetadataValue = data(
  'ConsumerGroupMetadataValue',
  { versions: '0', flexible: '0+' },
  {
    epoch: int32(),
  },
)
export type ConsumerGroupMetadataValue = MessageOf<typeof ConsumerGroupMetadataValue>

/** Key of the topics that a consumer group is subscribed to. */
export const ConsumerGroupPartitionMetadataKey = data(
  'ConsumerGroupPartitionMetadataKey',
  { versions: '4', flexible: 'none' },
  {
    groupId: string(),
  },
)
export type ConsumerGroupPartitionMetadataKey = MessageOf<typeof ConsumerGroupPartitionMetadataKey>

/** The topics that a consumer group is subscribed to, as last seen. */
export const ConsumerGroupPartitionMetadataValue = data(
  'ConsumerGroupPartitionMetadataValue',
  { versions: '0', flexible: '0+' },
  {
    topics: array({
      topicId: uuid(),
      topicName: string(),
      numPartitions: int32(),
      partitionMetadata: array({
        partition: int32(),
        racks: array(string()),
      }),
    }),
  },
)
export type ConsumerGroupPartitionMetadataValue = MessageOf<typeof ConsumerGroupPartitionMetadataValue>

/** Key of a member of a consumer group. */
export const ConsumerGroupMemberMetadataKey = data(
  'ConsumerGroupMemberMetadataKey',
  { versions: '5', flexible: 'none' },
  {
    groupId: string(),
    memberId: string(),
  },
)
export type ConsumerGroupMemberMetadataKey = MessageOf<typeof ConsumerGroupMemberMetadataKey>

/** A member of a consumer group and its subscription. */
export const ConsumerGroupMemberMetadataValue = data(
  'ConsumerGroupMemberMetadataValue',
  { versions: '0', flexible: '0+' },
  {
    instanceId: string().nullable(),
    rackId: string().nullable(),
    clientId: string(),
    clientHost: string(),
    subscribedTopicNames: array(string()),
    subscribedTopicRegex: string().nullable(),
    rebalanceTimeoutMs: int32().default(-1),
    serverAssignor: string().nullable(),
    classicMemberMetadata: struct({
      sessionTimeoutMs: int32(),
      supportedProtocols: array({
        name: string(),
        metadata: bytes(),
      }),
    })
      .nullable()
      .default(null)
      .tagged(0),
  },
)
export type ConsumerGroupMemberMetadataValue = MessageOf<typeof ConsumerGroupMemberMetadataValue>

/** Key of the epoch of the target assignment. */
export const ConsumerGroupTargetAssignmentMetadataKey = data(
  'ConsumerGroupTargetAssignmentMetadataKey',
  { versions: '6', flexible: 'none' },
  {
    groupId: string(),
  },
)
export type ConsumerGroupTargetAssignmentMetadataKey = MessageOf<typeof ConsumerGroupTargetAssignmentMetadataKey>

/** The epoch of the target assignment. */
export const ConsumerGroupTargetAssignmentMetadataValue = data(
  'ConsumerGroupTargetAssignmentMetadataValue',
  { versions: '0', flexible: '0+' },
  {
    assignmentEpoch: int32(),
  },
)
export type ConsumerGroupTargetAssignmentMetadataValue = MessageOf<typeof ConsumerGroupTargetAssignmentMetadataValue>

/** Key of a member's target assignment. */
export const ConsumerGroupTargetAssignmentMemberKey = data(
  'ConsumerGroupTargetAssignmentMemberKey',
  { versions: '7', flexible: 'none' },
  {
    groupId: string(),
    memberId: string(),
  },
)
export type ConsumerGroupTargetAssignmentMemberKey = MessageOf<typeof ConsumerGroupTargetAssignmentMemberKey>

/** What a member is to own. */
export const ConsumerGroupTargetAssignmentMemberValue = data(
  'ConsumerGroupTargetAssignmentMemberValue',
  { versions: '0', flexible: '0+' },
  {
    topicPartitions: array({
      topicId: uuid(),
      partitions: array(int32()),
    }),
  },
)
export type ConsumerGroupTargetAssignmentMemberValue = MessageOf<typeof ConsumerGroupTargetAssignmentMemberValue>

/** Key of a member's current assignment. */
export const ConsumerGroupCurrentMemberAssignmentKey = data(
  'ConsumerGroupCurrentMemberAssignmentKey',
  { versions: '8', flexible: 'none' },
  {
    groupId: string(),
    memberId: string(),
  },
)
export type ConsumerGroupCurrentMemberAssignmentKey = MessageOf<typeof ConsumerGroupCurrentMemberAssignmentKey>

const topicPartitions = {
  topicId: uuid(),
  partitions: array(int32()),
}

/** What a member owns, and what it has yet to give up. */
export const ConsumerGroupCurrentMemberAssignmentValue = data(
  'ConsumerGroupCurrentMemberAssignmentValue',
  { versions: '0', flexible: '0+' },
  {
    memberEpoch: int32(),
    previousMemberEpoch: int32(),
    state: int8(),
    assignedPartitions: array(topicPartitions),
    partitionsPendingRevocation: array(topicPartitions),
  },
)
export type ConsumerGroupCurrentMemberAssignmentValue = MessageOf<typeof ConsumerGroupCurrentMemberAssignmentValue>
