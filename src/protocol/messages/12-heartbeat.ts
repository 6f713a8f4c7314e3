import { int16, int32, type MessageOf, request, response, string } from '../schema.ts'

/** Keeps a member in its classic group. */
export const HeartbeatRequest = request(
  'Heartbeat',
  12,
  { versions: '0-4', flexible: '4+' },
  {
    groupId: string(),
    generationId: int32(),
    memberId: string(),
    groupInstanceId: string().nullable().from(3).default(null),
  },
)
export type HeartbeatRequest = MessageOf<typeof HeartbeatRequest>

/** Whether the member is to join again. */
export const HeartbeatResponse = response(
  'Heartbeat',
  12,
  { versions: '0-4', flexible: '4+' },
  {
    throttleTimeMs: int32().from(1).ignorable(),
    errorCode: int16(),
  },
)
export type HeartbeatResponse = MessageOf<typeof HeartbeatResponse>
