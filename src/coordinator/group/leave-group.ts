import { ErrorCode } from '../../protocol/index.ts'
import type { ClassicGroup } from './classic-group.ts'
import type { Decision, DecisionContext } from './decision.ts'
import { GroupDraft } from './group-draft.ts'
import { type MemberIdentity, validateMember } from './member-validation.ts'
import { removeMemberAndUpdateGroup, removePendingMemberAndUpdateGroup } from './rebalance.ts'

/** One member that shall leave: by its id, or a static one by its instance id alone (KIP-345, for administrators). */
export interface LeavingMember extends MemberIdentity {
  readonly reason: string | null
}

/** What became of one leaving member. */
export interface LeaveResult {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly errorCode: number
}

/** LeaveGroup of a group that is not Dead. Errors per member: `UNKNOWN_MEMBER_ID`, `FENCED_INSTANCE_ID`. */
export function decideLeave(
  group: ClassicGroup,
  leaving: readonly LeavingMember[],
  context: DecisionContext,
): Decision & { readonly left: readonly LeaveResult[] } {
  const draft = new GroupDraft(group, context)
  const left = leaving.map(identity => ({
    memberId: identity.memberId,
    groupInstanceId: identity.groupInstanceId,
    errorCode: leave(draft, identity),
  }))
  return { ...draft.finish(), left }
}

function leave(draft: GroupDraft, identity: LeavingMember): number {
  if (identity.memberId === '') {
    const instanceId = identity.groupInstanceId
    const memberId = instanceId === null ? undefined : draft.staticMembers.get(instanceId)
    if (memberId === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
    removeMember(draft, memberId, identity.reason)
    return ErrorCode.NONE
  }
  if (draft.pendingMembers.has(identity.memberId)) {
    removePendingMemberAndUpdateGroup(draft, identity.memberId)
    draft.note(
      'info',
      `Pending member with memberId=${identity.memberId} has left group ${draft.groupId} through explicit \`LeaveGroup\` request`,
    )
    return ErrorCode.NONE
  }
  const error = validateMember(draft, identity)
  if (error === ErrorCode.NONE) removeMember(draft, identity.memberId, identity.reason)
  return error
}

function removeMember(draft: GroupDraft, memberId: string, reason: string | null): void {
  const member = draft.members.get(memberId)
  if (member === undefined) return
  const why = reason || 'not provided'
  removeMemberAndUpdateGroup(draft, member, `Removing member ${memberId} on LeaveGroup; client reason: ${why}`)
  draft.note(
    'info',
    `Member ${memberId} has left group ${draft.groupId} through explicit \`LeaveGroup\`; client reason: ${why}`,
  )
}
