import { ErrorCode } from '../../protocol/index.ts'
import type { ClassicGroup } from './classic-group.ts'

/** How a request names its member. */
export interface MemberIdentity {
  readonly memberId: string
  readonly groupInstanceId: string | null
}

/**
 * Whether the request comes from a member: `NONE`, `FENCED_INSTANCE_ID` when another member id has taken the instance
 * id over (KIP-345), else `UNKNOWN_MEMBER_ID`.
 */
export function validateMember(group: ClassicGroup, identity: MemberIdentity): number {
  if (identity.groupInstanceId !== null) {
    const current = group.staticMembers.get(identity.groupInstanceId)
    if (current === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
    if (current !== identity.memberId) return ErrorCode.FENCED_INSTANCE_ID
  }
  return group.members.has(identity.memberId) ? ErrorCode.NONE : ErrorCode.UNKNOWN_MEMBER_ID
}

/** {@link validateMember}, and that the request is of the current generation: else `ILLEGAL_GENERATION`. */
export function validateMemberOfGeneration(
  group: ClassicGroup,
  identity: MemberIdentity,
  generationId: number,
): number {
  const error = validateMember(group, identity)
  if (error !== ErrorCode.NONE) return error
  return generationId === group.generationId ? ErrorCode.NONE : ErrorCode.ILLEGAL_GENERATION
}
