import { ErrorCode } from '../../protocol/index.ts'
import {
  type ClassicGroup,
  type GroupMember,
  type GroupProtocol,
  NO_BYTES,
  type ReplyTo,
  sameProtocols,
  selectProtocol,
  supportsProtocols,
} from './classic-group.ts'
import type { Decision, DecisionContext, StaticMemberReplaced, StoreOutcome } from './decision.ts'
import { GroupDraft, joinError } from './group-draft.ts'
import { validateMember } from './member-validation.ts'
import { maybePrepareRebalance, NEW_MEMBER_JOIN_TIMEOUT_MS, prepareRebalance, tryCompleteJoin } from './rebalance.ts'

/** A JoinGroup request as the state machine takes it. */
export interface JoinRequest {
  readonly replyTo: ReplyTo
  /** Empty: the client has no id yet. */
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly rebalanceTimeoutMs: number
  readonly sessionTimeoutMs: number
  readonly protocolType: string
  /** Names unique. */
  readonly protocols: readonly GroupProtocol[]
  /** KIP-394: a dynamic member must come back with the id it is given (JoinGroup v4). */
  readonly requireKnownMemberId: boolean
  /** KIP-814: the client knows `skipAssignment` (JoinGroup v9). */
  readonly supportsSkippingAssignment: boolean
  /** KIP-800: why the client joins, in its own words. */
  readonly reason: string | null
}

/**
 * JoinGroup. Errors: `GROUP_MAX_SIZE_REACHED`, `INCONSISTENT_GROUP_PROTOCOL`, `MEMBER_ID_REQUIRED`,
 * `UNKNOWN_MEMBER_ID`, `FENCED_INSTANCE_ID`, `COORDINATOR_NOT_AVAILABLE` for a dying group.
 */
export function decideJoin(group: ClassicGroup, request: JoinRequest, context: DecisionContext): Decision {
  const draft = new GroupDraft(group, context)
  if (!acceptsMember(draft, request.memberId)) {
    draft.remove(request.memberId)
    draft.reply(request.replyTo, joinError(ErrorCode.GROUP_MAX_SIZE_REACHED, ''))
  } else if (draft.state === 'Dead') {
    draft.reply(request.replyTo, joinError(ErrorCode.COORDINATOR_NOT_AVAILABLE, request.memberId))
  } else if (!supportsProtocols(draft, request.protocolType, request.protocols)) {
    draft.reply(request.replyTo, joinError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL, request.memberId))
  } else if (request.memberId === '') {
    joinWithoutId(draft, request)
  } else if (draft.pendingMembers.has(request.memberId)) {
    joinWithGivenId(draft, request)
  } else {
    joinAgain(draft, request)
  }
  tryCompleteJoin(draft)
  return draft.finish()
}

/** `group.max.size`: while joining, those who already wait have their place; else those who are members. */
function acceptsMember(draft: GroupDraft, memberId: string): boolean {
  const { maxSize } = draft.context.limits
  if (draft.state === 'Empty' || draft.state === 'Dead') return true
  if (draft.state === 'PreparingRebalance') {
    return draft.members.get(memberId)?.awaitingJoin !== undefined || draft.awaitingJoinCount < maxSize
  }
  return draft.members.has(memberId) || draft.members.size < maxSize
}

function joinWithoutId(draft: GroupDraft, request: JoinRequest): void {
  const instanceId = request.groupInstanceId
  const newMemberId = draft.context.newMemberId(instanceId ?? request.clientId)
  if (instanceId !== null) {
    const oldMemberId = draft.staticMembers.get(instanceId)
    draft.note(
      'info',
      `Static member with groupInstanceId=${instanceId} and unknown member id joins group ${draft.groupId} in ` +
        `${draft.state} state. ` +
        (oldMemberId === undefined
          ? `Created a new member id ${newMemberId} for this member and add to the group.`
          : `Replacing previously mapped member ${oldMemberId} with this groupInstanceId.`),
    )
    if (oldMemberId === undefined) addMember(draft, newMemberId, request)
    else rejoinStaticMember(draft, oldMemberId, newMemberId, request)
    return
  }
  if (!request.requireKnownMemberId) {
    addMember(draft, newMemberId, request)
    return
  }
  if (draft.pendingMembers.size >= draft.context.limits.maxPendingMembers) {
    draft.reply(request.replyTo, joinError(ErrorCode.GROUP_MAX_SIZE_REACHED, ''))
    return
  }
  draft.note(
    'info',
    `Dynamic member with unknown member id joins group ${draft.groupId} in ${draft.state} state. Created a new ` +
      `member id ${newMemberId} and request the member to rejoin with this id.`,
  )
  draft.addPendingMember(newMemberId)
  draft.setTimer(`member:${newMemberId}`, request.sessionTimeoutMs)
  draft.reply(request.replyTo, joinError(ErrorCode.MEMBER_ID_REQUIRED, newMemberId))
}

function joinWithGivenId(draft: GroupDraft, request: JoinRequest): void {
  if (request.groupInstanceId !== null) {
    // Ids are only given out to dynamic members, so this client mixes two identities up.
    draft.reply(request.replyTo, joinError(ErrorCode.UNKNOWN_SERVER_ERROR, request.memberId))
    return
  }
  addMember(draft, request.memberId, request)
}

function addMember(draft: GroupDraft, memberId: string, request: JoinRequest): void {
  if (draft.state === 'PreparingRebalance' && draft.generationId === 0) draft.newMemberAdded = true
  if (draft.members.size === 0) draft.protocolType = request.protocolType
  const member: GroupMember = {
    memberId,
    groupInstanceId: request.groupInstanceId,
    clientId: request.clientId,
    clientHost: request.clientHost,
    rebalanceTimeoutMs: request.rebalanceTimeoutMs,
    sessionTimeoutMs: request.sessionTimeoutMs,
    protocolType: request.protocolType,
    protocols: request.protocols,
    assignment: NO_BYTES,
    isNew: true,
    awaitingJoin: undefined,
    awaitingSync: undefined,
  }
  draft.parkJoin(member, request.replyTo)
  draft.leaderId ??= memberId
  // A new member knows no id and cannot send heartbeats. If its client has gone, only time tells.
  draft.setTimer(`member:${memberId}`, NEW_MEMBER_JOIN_TIMEOUT_MS)
  const instance = request.groupInstanceId ?? 'None'
  maybePrepareRebalance(
    draft,
    `Adding new member ${memberId} with group instance id ${instance}; client reason: ${reasonOf(request)}`,
  )
}

function joinAgain(draft: GroupDraft, request: JoinRequest): void {
  const error = validateMember(draft, request)
  const member = draft.members.get(request.memberId)
  if (error !== ErrorCode.NONE || member === undefined) {
    draft.reply(request.replyTo, joinError(error, request.memberId))
    return
  }
  const changed = !sameProtocols(member.protocols, request.protocols)
  const leads = draft.leaderId === member.memberId
  if (draft.state === 'PreparingRebalance') {
    updateMemberAndRebalance(draft, member, request, 'joining group')
  } else if (draft.state === 'CompletingRebalance' && !changed) {
    // It may not have got the answer to its last JoinGroup; the generation is the same.
    draft.reply(request.replyTo, draft.joinedResult(member.memberId))
  } else if (draft.state === 'Stable' && !changed && !leads) {
    // A follower gets what it needs to send SyncGroup. A leader's JoinGroup always rebalances: it may have seen
    // changes that are not in its own metadata, such as new partitions.
    draft.reply(request.replyTo, { ...draft.joinedResult(member.memberId), members: [] })
  } else if (draft.state === 'Stable' || draft.state === 'CompletingRebalance') {
    updateMemberAndRebalance(draft, member, request, changed ? 'updating metadata' : 're-joining as leader')
  } else {
    draft.reply(request.replyTo, joinError(ErrorCode.UNKNOWN_MEMBER_ID, request.memberId))
  }
}

function updateMemberAndRebalance(draft: GroupDraft, member: GroupMember, request: JoinRequest, what: string): void {
  draft.parkJoin({ ...member, ...updatable(request) }, request.replyTo)
  maybePrepareRebalance(
    draft,
    `Member ${member.memberId} ${what} during ${draft.state}; client reason: ${reasonOf(request)}`,
  )
}

/**
 * A static member whose process restarted. In a stable group it takes its old place without a rebalance, as long as
 * the group's protocol stays the same; the log learns its new member id first.
 */
function rejoinStaticMember(draft: GroupDraft, oldMemberId: string, newMemberId: string, request: JoinRequest): void {
  const oldLeaderId = draft.leaderId
  const old = draft.members.get(oldMemberId)
  const replaced = draft.replaceStaticMember(oldMemberId, newMemberId)
  if (old === undefined || replaced === undefined) return
  draft.resetSession({ ...replaced, ...updatable(request) })
  draft.parkJoin({ ...replaced, ...updatable(request) }, request.replyTo)
  if (draft.state === 'CompletingRebalance') {
    // The leader may have been told the old id already: its assignment would miss this member.
    prepareRebalance(
      draft,
      `Updating metadata for static member ${newMemberId} with instance id ${request.groupInstanceId}; ` +
        `client reason: ${reasonOf(request)}`,
    )
    return
  }
  if (draft.state !== 'Stable') return
  if (selectProtocol(draft) !== draft.protocolName) {
    maybePrepareRebalance(
      draft,
      `Group's selectedProtocol will change because static member ${newMemberId} with instance id ` +
        `${request.groupInstanceId} joined with change of protocol; client reason: ${reasonOf(request)}`,
    )
    return
  }
  draft.note(
    'info',
    `Static member which joins during Stable stage and doesn't affect selectProtocol will not trigger rebalance.`,
  )
  draft.store(assignments(draft), {
    kind: 'staticMember',
    generationId: draft.generationId,
    oldMemberId,
    newMemberId,
    oldLeaderId,
    old: updatable(old),
    supportsSkippingAssignment: request.supportsSkippingAssignment,
  })
}

/** The log knows the static member's new id and it is answered; or it does not, and the old one stands again. */
export function staticMemberStored(
  group: ClassicGroup,
  after: StaticMemberReplaced,
  context: DecisionContext & StoreOutcome,
): Decision {
  const draft = new GroupDraft(group, context)
  const member = draft.members.get(after.newMemberId)
  // Whatever came between has answered the member, or will: a rebalance, the next restart.
  if (member === undefined || draft.state !== 'Stable' || draft.generationId !== after.generationId) {
    return draft.finish()
  }
  if (context.error !== undefined) {
    const refused = { ...draft.joinedResult(after.newMemberId), memberId: '', members: [] }
    draft.replyJoin(member, { ...refused, leader: after.oldLeaderId ?? '', errorCode: ErrorCode[context.error] })
    const restored = draft.replaceStaticMember(after.newMemberId, after.oldMemberId)
    if (restored !== undefined) {
      draft.put({ ...restored, ...after.old })
      draft.resetSession({ ...restored, ...after.old })
    }
    return draft.finish()
  }
  // While its request waited its session was not looked at, and may have run out.
  draft.resetSession(member)
  const result = draft.joinedResult(after.newMemberId)
  if (after.supportsSkippingAssignment) {
    // KIP-814: a leader that returns shall watch the topics again, but not assign: the assignment stands.
    draft.replyJoin(member, { ...result, skipAssignment: draft.leaderId === after.newMemberId })
  } else {
    // Told the old id as leader, it takes itself for a follower and does not assign.
    draft.replyJoin(member, { ...result, leader: after.oldLeaderId ?? '', members: [] })
  }
  return draft.finish()
}

/** What each member is assigned now. */
function assignments(group: ClassicGroup): Map<string, Uint8Array> {
  return new Map(Array.from(group.members.values(), member => [member.memberId, member.assignment]))
}

/** What a JoinGroup of a known member changes about it. */
function updatable(
  from: Pick<GroupMember, 'protocols' | 'rebalanceTimeoutMs' | 'sessionTimeoutMs'>,
): Pick<GroupMember, 'protocols' | 'rebalanceTimeoutMs' | 'sessionTimeoutMs'> {
  return {
    protocols: from.protocols,
    rebalanceTimeoutMs: from.rebalanceTimeoutMs,
    sessionTimeoutMs: from.sessionTimeoutMs,
  }
}

function reasonOf(request: JoinRequest): string {
  return request.reason || 'not provided'
}
