import { array, bytes, int16, int32, type MessageOf, request, response, string } from '../schema.ts'

/** Brings the leader's assignment, and asks for the member's own part. */
export const SyncGroupRequest = request(
  'SyncGroup',
  14,
  { versions: '0-5', flexible: '4+' },
  {
    groupId: string(),
    generationId: int32(),
    memberId: string(),
    groupInstanceId: string().nullable().from(3).default(null),
    protocolType: string().nullable().from(5).default(null).ignorable(),
    protocolName: string().nullable().from(5).default(null).ignorable(),
    assignments: array({
      memberId: string(),
      assignment: bytes(),
    }),
  },
)
export type SyncGroupRequest = MessageOf<typeof SyncGroupRequest>

/** The member's assignment. */
export const SyncGroupResponse = response(
  'SyncGroup',
  14,
  { versions: '0-5', flexible: '4+' },
  {
    throttleTimeMs: int32().from(1).ignorable(),
    errorCode: int16(),
    protocolType: string().nullable().from(5).default(null).ignorable(),
    protocolName: string().nullable().from(5).default(null).ignorable(),
    assignment: bytes(),
  },
)
export type SyncGroupResponse = MessageOf<typeof SyncGroupResponse>
