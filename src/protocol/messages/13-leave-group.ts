import { array, int16, int32, type MessageOf, request, response, string } from '../schema.ts'

/** Takes members out of their classic group at once. */
export const LeaveGroupRequest = request(
  'LeaveGroup',
  13,
  { versions: '0-5', flexible: '4+' },
  {
    groupId: string(),
    memberId: string().until(2),
    members: array({
      memberId: string().from(3),
      groupInstanceId: string().nullable().from(3).default(null),
      reason: string().nullable().from(5).default(null).ignorable(),
    }).from(3),
  },
)
export type LeaveGroupRequest = MessageOf<typeof LeaveGroupRequest>

/** Which members have left. */
export const LeaveGroupResponse = response(
  'LeaveGroup',
  13,
  { versions: '0-5', flexible: '4+' },
  {
    throttleTimeMs: int32().from(1).ignorable(),
    errorCode: int16(),
    members: array({
      memberId: string().from(3),
      groupInstanceId: string().nullable().from(3),
      errorCode: int16().from(3),
    }).from(3),
  },
)
export type LeaveGroupResponse = MessageOf<typeof LeaveGroupResponse>
