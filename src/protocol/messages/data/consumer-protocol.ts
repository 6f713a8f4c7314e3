/** What consumers of classic groups embed in JoinGroup and SyncGroup (KIP-429, KIP-792). */
import { array, bytes, data, int32, type MessageOf, string } from '../../schema.ts'

/** What a consumer subscribes to: the metadata of JoinGroup for protocol type `consumer`, behind its version. */
export const ConsumerProtocolSubscription = data(
  'ConsumerProtocolSubscription',
  { versions: '0-3', flexible: 'none' },
  {
    topics: array(string()),
    userData: bytes().nullable().default(null),
    ownedPartitions: array({
      topic: string().from(1),
      partitions: array(int32()).from(1),
    })
      .from(1)
      .ignorable(),
    generationId: int32().from(2).default(-1).ignorable(),
    rackId: string().nullable().from(3).default(null).ignorable(),
  },
)
export type ConsumerProtocolSubscription = MessageOf<typeof ConsumerProtocolSubscription>

/** What a consumer is to read: the assignment of SyncGroup for protocol type `consumer`, behind its version. */
export const ConsumerProtocolAssignment = data(
  'ConsumerProtocolAssignment',
  { versions: '0-3', flexible: 'none' },
  {
    assignedPartitions: array({
      topic: string(),
      partitions: array(int32()),
    }),
    userData: bytes().nullable().default(null),
  },
)
export type ConsumerProtocolAssignment = MessageOf<typeof ConsumerProtocolAssignment>
