import { array, bool, bytes, int16, int32, type MessageOf, request, response, string } from '../schema.ts'

/** Enters a classic group, or a new generation of it. */
export const JoinGroupRequest = request(
  'JoinGroup',
  11,
  { versions: '0-9', flexible: '6+' },
  {
    groupId: string(),
    sessionTimeoutMs: int32(),
    /** In v0 the session timeout does for both. */
    rebalanceTimeoutMs: int32().from(1).default(-1).ignorable(),
    /** Empty on the first join. */
    memberId: string(),
    /** Makes the member static (KIP-345). */
    groupInstanceId: string().nullable().from(5).default(null),
    protocolType: string(),
    protocols: array({
      name: string(),
      metadata: bytes(),
    }),
    reason: string().nullable().from(8).default(null).ignorable(),
  },
)
export type JoinGroupRequest = MessageOf<typeof JoinGroupRequest>

/** The member's id; for the leader, all members and what they subscribed to. */
export const JoinGroupResponse = response(
  'JoinGroup',
  11,
  { versions: '0-9', flexible: '6+' },
  {
    throttleTimeMs: int32().from(2).ignorable(),
    errorCode: int16(),
    generationId: int32().default(-1),
    protocolType: string().nullable().from(7).default(null).ignorable(),
    protocolName: string().nullable(7),
    leader: string(),
    /** The leader keeps the assignment that stands (KIP-814). */
    skipAssignment: bool().from(9),
    memberId: string(),
    /** For the leader alone. */
    members: array({
      memberId: string(),
      groupInstanceId: string().nullable().from(5).default(null).ignorable(),
      metadata: bytes(),
    }),
  },
)
export type JoinGroupResponse = MessageOf<typeof JoinGroupResponse>
