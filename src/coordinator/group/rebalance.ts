import { ErrorCode } from '../../protocol/index.ts'
import {
  allMembersJoined,
  canRebalance,
  type GroupMember,
  NO_BYTES,
  rebalanceTimeoutMs,
  selectProtocol,
} from './classic-group.ts'
import { type GroupDraft, syncError } from './group-draft.ts'
import { subscribedTopics } from './subscribed-topics.ts'

/**
 * The course of a rebalance, as `kafka.coordinator.group.GroupCoordinator` runs it: joining (`PreparingRebalance`) ends
 * with a new generation (`CompletingRebalance`), which ends with the leader's assignment (`Stable`).
 */

/** KIP-394 and before: how long a new member that cannot send heartbeats yet may wait for its JoinGroup answer. */
export const NEW_MEMBER_JOIN_TIMEOUT_MS = 5 * 60 * 1000

/** Starts a rebalance if the group is in a state to. */
export function maybePrepareRebalance(draft: GroupDraft, reason: string): void {
  if (canRebalance(draft)) prepareRebalance(draft, reason)
}

/** Starts a rebalance: waiting SyncGroups go back to join, then the group waits for its members. */
export function prepareRebalance(draft: GroupDraft, reason: string): void {
  if (draft.state === 'CompletingRebalance') {
    resetAssignments(draft)
    propagateAssignment(draft, ErrorCode.REBALANCE_IN_PROGRESS)
  }
  draft.clearPendingSync()
  const wasEmpty = draft.state === 'Empty'
  draft.transitionTo('PreparingRebalance')
  draft.note(
    'info',
    `Preparing to rebalance group ${draft.groupId} in state PreparingRebalance with old generation ` +
      `${draft.generationId} (reason: ${reason})`,
  )
  const timeoutMs = rebalanceTimeoutMs(draft)
  if (wasEmpty) {
    const delayMs = draft.context.limits.initialRebalanceDelayMs
    draft.rebalance = { kind: 'initial', delayMs, remainingMs: Math.max(timeoutMs - delayMs, 0) }
    draft.setTimer('join', delayMs)
    return
  }
  draft.rebalance = { kind: 'joining' }
  draft.setTimer('join', timeoutMs)
  tryCompleteJoin(draft)
}

/** Ends the joining phase if everybody is here; the initial delay is always waited out. */
export function tryCompleteJoin(draft: GroupDraft): void {
  if (draft.state !== 'PreparingRebalance' || draft.rebalance?.kind !== 'joining') return
  if (allMembersJoined(draft)) completeJoin(draft)
}

/** The joining phase's time is over: the initial delay goes on if somebody new came, else the generation begins. */
export function joinTimerExpired(draft: GroupDraft): void {
  const rebalance = draft.rebalance
  if (draft.state !== 'PreparingRebalance' || rebalance === undefined) return
  if (rebalance.kind === 'initial' && draft.newMemberAdded && rebalance.remainingMs > 0) {
    draft.newMemberAdded = false
    const delayMs = Math.min(draft.context.limits.initialRebalanceDelayMs, rebalance.remainingMs)
    draft.rebalance = { kind: 'initial', delayMs, remainingMs: Math.max(rebalance.remainingMs - rebalance.delayMs, 0) }
    draft.setTimer('join', delayMs)
    return
  }
  completeJoin(draft)
}

function completeJoin(draft: GroupDraft): void {
  const absent = [...draft.members.values()].filter(
    member => member.awaitingJoin === undefined && member.groupInstanceId === null,
  )
  if (absent.length > 0) {
    draft.note('info', `Group ${draft.groupId} removed dynamic members who haven't joined: ${idsOf(absent)}`)
    for (const member of absent) draft.remove(member.memberId)
  }
  if (draft.members.size > 0 && !electJoinedLeader(draft)) {
    // Only static members are left and none has come: wait until one does or their sessions end.
    draft.note('error', `Group ${draft.groupId} could not complete rebalance because no members rejoined`)
    draft.rebalance = { kind: 'joining' }
    draft.setTimer('join', rebalanceTimeoutMs(draft))
    return
  }
  draft.cancelTimer('join')
  beginGeneration(draft)
}

/** Makes sure that the leader is one who joined; false if nobody did. */
function electJoinedLeader(draft: GroupDraft): boolean {
  const leader = draft.leaderId === undefined ? undefined : draft.members.get(draft.leaderId)
  if (leader?.awaitingJoin !== undefined) return true
  for (const member of draft.members.values()) {
    if (member.awaitingJoin === undefined) continue
    draft.leaderId = member.memberId
    return true
  }
  return false
}

function beginGeneration(draft: GroupDraft): void {
  draft.generationId += 1
  draft.newMemberAdded = false
  draft.clearPendingSync()
  if (draft.members.size === 0) {
    draft.protocolName = undefined
    draft.subscribedTopics = subscribedTopics(draft)
    draft.transitionTo('Empty')
    draft.note('info', `Group ${draft.groupId} with generation ${draft.generationId} is now empty`)
    draft.store(new Map(), { kind: 'empty' })
    return
  }
  draft.protocolName = selectProtocol(draft)
  draft.subscribedTopics = subscribedTopics(draft)
  draft.transitionTo('CompletingRebalance')
  draft.note(
    'info',
    `Stabilized group ${draft.groupId} generation ${draft.generationId} with ${draft.members.size} members`,
  )
  for (const member of [...draft.members.values()]) {
    draft.replyJoin(member, draft.joinedResult(member.memberId))
    draft.put({ ...member, awaitingJoin: undefined, isNew: false })
    draft.resetSession(member)
    draft.addPendingSync(member.memberId)
  }
  // KAFKA-12890: whoever does not send SyncGroup in time is put out, so that it cannot hold up the others for ever.
  draft.setTimer('sync', rebalanceTimeoutMs(draft))
}

/** The wait for SyncGroup is over: members that have not sent it are put out and the rest joins again. */
export function syncTimerExpired(draft: GroupDraft): void {
  if (draft.state !== 'CompletingRebalance' && draft.state !== 'Stable') return
  if (draft.pendingSync.size === 0) return
  const late = [...draft.pendingSync]
  for (const memberId of late) draft.remove(memberId)
  prepareRebalance(draft, `Removing ${late.join(', ')} on pending sync request expiration`)
}

/** Gives every waiting SyncGroup the member's assignment, or an error; sessions of those answered start anew. */
export function propagateAssignment(draft: GroupDraft, errorCode: number): void {
  for (const member of [...draft.members.values()]) {
    const result = errorCode === ErrorCode.NONE ? draft.syncedResult(member) : syncError(errorCode)
    if (draft.replySync(member, result)) draft.resetSession(member)
  }
}

/** Takes all assignments back. */
export function resetAssignments(draft: GroupDraft): void {
  for (const member of [...draft.members.values()]) {
    if (member.assignment.length > 0) draft.put({ ...member, assignment: NO_BYTES })
  }
}

/** A member left or failed: the others rebalance. */
export function removeMemberAndUpdateGroup(draft: GroupDraft, member: GroupMember, reason: string): void {
  draft.remove(member.memberId)
  if (draft.state === 'Stable' || draft.state === 'CompletingRebalance') maybePrepareRebalance(draft, reason)
  else tryCompleteJoin(draft)
}

/** An id that was only given out is taken back; it may have been what the group waited for. */
export function removePendingMemberAndUpdateGroup(draft: GroupDraft, memberId: string): void {
  draft.remove(memberId)
  tryCompleteJoin(draft)
}

/** A session ended. Members whose request waits are alive, unless they are new: those have another limit. */
export function sessionExpired(draft: GroupDraft, memberId: string): void {
  if (draft.state === 'Dead') return
  if (draft.pendingMembers.has(memberId)) {
    draft.note(
      'info',
      `Pending member ${memberId} in group ${draft.groupId} has been removed after session timeout expiration.`,
    )
    removePendingMemberAndUpdateGroup(draft, memberId)
    return
  }
  const member = draft.members.get(memberId)
  if (member === undefined) return
  if (!member.isNew && (member.awaitingJoin !== undefined || member.awaitingSync !== undefined)) return
  draft.note('info', `Member ${memberId} in group ${draft.groupId} has failed, removing it from the group`)
  removeMemberAndUpdateGroup(draft, member, `removing member ${memberId} on heartbeat expiration`)
}

function idsOf(members: readonly GroupMember[]): string {
  return members.map(member => member.memberId).join(', ')
}
