import { ErrorCode } from '../../protocol/index.ts'
import type { ClassicGroup } from './classic-group.ts'
import { type MemberIdentity, validateMemberOfGeneration } from './member-validation.ts'

/**
 * Heartbeat: `NONE`, or `REBALANCE_IN_PROGRESS` to bring the member to join again; both keep its session. Else
 * `UNKNOWN_MEMBER_ID`, `FENCED_INSTANCE_ID`, `ILLEGAL_GENERATION`, `COORDINATOR_NOT_AVAILABLE` for a dying group.
 */
export function decideHeartbeat(
  group: ClassicGroup,
  identity: MemberIdentity,
  generationId: number,
): { readonly errorCode: number; readonly resetSession: boolean } {
  if (group.state === 'Dead') return { errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE, resetSession: false }
  const error = validateMemberOfGeneration(group, identity, generationId)
  if (error !== ErrorCode.NONE) return { errorCode: error, resetSession: false }
  const errorCode = group.state === 'PreparingRebalance' ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE
  return { errorCode, resetSession: true }
}
