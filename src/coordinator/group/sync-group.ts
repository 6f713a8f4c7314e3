import { ErrorCode } from '../../protocol/index.ts'
import type { ClassicGroup, ReplyTo } from './classic-group.ts'
import { NO_BYTES } from './classic-group.ts'
import type { AfterStore, Decision, DecisionContext, StoreOutcome } from './decision.ts'
import { GroupDraft, syncError } from './group-draft.ts'
import { validateMemberOfGeneration } from './member-validation.ts'
import { maybePrepareRebalance, propagateAssignment, resetAssignments } from './rebalance.ts'

/** A SyncGroup request as the state machine takes it. */
export interface SyncRequest {
  readonly replyTo: ReplyTo
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly generationId: number
  /** KIP-559, from v5; null before. */
  readonly protocolType: string | null
  readonly protocolName: string | null
  /** The leader's work; empty from others. */
  readonly assignments: readonly { readonly memberId: string; readonly assignment: Uint8Array }[]
}

/**
 * SyncGroup. Errors: `UNKNOWN_MEMBER_ID`, `FENCED_INSTANCE_ID`, `ILLEGAL_GENERATION`, `INCONSISTENT_GROUP_PROTOCOL`,
 * `REBALANCE_IN_PROGRESS`, `COORDINATOR_NOT_AVAILABLE` for a dying group, and what the log's refusal becomes.
 */
export function decideSync(group: ClassicGroup, request: SyncRequest, context: DecisionContext): Decision {
  const draft = new GroupDraft(group, context)
  const error = validateSync(draft, request)
  const member = draft.members.get(request.memberId)
  if (error !== ErrorCode.NONE || member === undefined) {
    draft.reply(request.replyTo, syncError(error))
    return draft.finish()
  }
  if (draft.state === 'Stable') {
    draft.removePendingSync(member.memberId)
    draft.reply(request.replyTo, draft.syncedResult(member))
    draft.resetSession(member)
    return draft.finish()
  }
  draft.parkSync(member.memberId, request.replyTo)
  draft.removePendingSync(member.memberId)
  if (draft.leaderId === member.memberId) storeAssignment(draft, request)
  return draft.finish()
}

function validateSync(draft: GroupDraft, request: SyncRequest): number {
  if (draft.state === 'Dead') return ErrorCode.COORDINATOR_NOT_AVAILABLE
  const error = validateMemberOfGeneration(draft, request, request.generationId)
  if (error !== ErrorCode.NONE) return error
  if (request.protocolType !== null && request.protocolType !== draft.protocolType) {
    return ErrorCode.INCONSISTENT_GROUP_PROTOCOL
  }
  if (request.protocolName !== null && request.protocolName !== draft.protocolName) {
    return ErrorCode.INCONSISTENT_GROUP_PROTOCOL
  }
  if (draft.state === 'Empty') return ErrorCode.UNKNOWN_MEMBER_ID
  return draft.state === 'PreparingRebalance' ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE
}

/** Writes the leader's assignment, with nothing for members it left out and without those it invented. */
function storeAssignment(draft: GroupDraft, request: SyncRequest): void {
  const given = new Map(request.assignments.map(({ memberId, assignment }) => [memberId, assignment]))
  const missing = [...draft.members.keys()].filter(memberId => !given.has(memberId))
  draft.note(
    'info',
    `Assignment received from leader ${request.memberId} for group ${draft.groupId} for generation ` +
      `${draft.generationId}. The group has ${draft.members.size} members, ${draft.staticMembers.size} of which are static.`,
  )
  if (missing.length > 0) {
    draft.note(
      'warn',
      `Setting empty assignments for members ${missing.join(', ')} of ${draft.groupId} for generation ${draft.generationId}`,
    )
  }
  for (const memberId of missing) given.set(memberId, NO_BYTES)
  draft.store(given, { kind: 'assignment', generationId: draft.generationId, memberId: request.memberId })
}

/**
 * The log has answered to the leader's assignment. Replaying the record made the group stable and gave the members
 * their assignments; here those who wait are told. A refusal sends all back to join. Nothing happens if the group has
 * moved on meanwhile.
 */
export function assignmentStored(
  group: ClassicGroup,
  after: Extract<AfterStore, { kind: 'assignment' }>,
  context: DecisionContext & StoreOutcome,
): Decision {
  const draft = new GroupDraft(group, context)
  if (draft.generationId !== after.generationId) return draft.finish()
  if (context.error === undefined) {
    if (draft.state === 'Stable') propagateAssignment(draft, ErrorCode.NONE)
  } else if (draft.state === 'CompletingRebalance') {
    resetAssignments(draft)
    propagateAssignment(draft, ErrorCode[context.error])
    maybePrepareRebalance(
      draft,
      `Error ${context.error} when storing group assignment during SyncGroup (member: ${after.memberId})`,
    )
  }
  return draft.finish()
}
