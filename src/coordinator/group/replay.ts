import type { GroupMetadataValue } from '../../protocol/messages/data/group-records.ts'
import { type ClassicGroup, emptyGroup, type GroupMember } from './classic-group.ts'
import { subscribedTopics } from './subscribed-topics.ts'

/**
 * What a group's record does to the group.
 *
 * While a partition is loaded, and for a group that is not known, the record is the whole truth. For a living group it
 * says that the log now holds what was decided, and makes the group stable that waited for it; a group that has gone on
 * to another rebalance meanwhile stays as it is, since its next record will say so.
 */
export function replayGroupMetadata(
  current: ClassicGroup | undefined,
  record: { readonly groupId: string; readonly value: GroupMetadataValue },
  at: { readonly now: number; readonly loading: boolean },
): ClassicGroup {
  const { groupId, value } = record
  if (current === undefined || at.loading) return groupFromRecord(groupId, value, at.now)
  if (current.state !== 'CompletingRebalance' || current.generationId !== value.generation) return current
  const members = new Map(current.members)
  for (const { memberId, assignment } of value.members) {
    const member = members.get(memberId)
    if (member !== undefined) members.set(memberId, { ...member, assignment })
  }
  return { ...current, state: 'Stable', stateTimestamp: at.now, members }
}

/** The group as a record tells it: stable if it has members, since only then its assignment was written. */
export function groupFromRecord(groupId: string, value: GroupMetadataValue, now: number): ClassicGroup {
  const protocolName = value.protocol ?? undefined
  const members = new Map<string, GroupMember>()
  const staticMembers = new Map<string, string>()
  for (const member of value.members) {
    members.set(member.memberId, memberFromRecord(member, value))
    if (member.groupInstanceId !== null) staticMembers.set(member.groupInstanceId, member.memberId)
  }
  const group: ClassicGroup = {
    ...emptyGroup(groupId, now),
    state: members.size > 0 ? 'Stable' : 'Empty',
    stateTimestamp: value.currentStateTimestamp === -1 ? undefined : value.currentStateTimestamp,
    generationId: value.generation,
    protocolType: value.protocolType === '' ? undefined : value.protocolType,
    protocolName,
    leaderId: value.leader ?? undefined,
    members,
    staticMembers,
    protocolSupport: members.size > 0 ? new Map([[value.protocol ?? '', members.size]]) : new Map(),
  }
  return { ...group, subscribedTopics: subscribedTopics(group) }
}

function memberFromRecord(member: GroupMetadataValue['members'][number], value: GroupMetadataValue): GroupMember {
  return {
    memberId: member.memberId,
    groupInstanceId: member.groupInstanceId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    rebalanceTimeoutMs: member.rebalanceTimeout,
    sessionTimeoutMs: member.sessionTimeout,
    protocolType: value.protocolType,
    // Copies: the record may be a view of a load buffer many times its size.
    protocols: [{ name: value.protocol ?? '', metadata: member.subscription.slice() }],
    assignment: member.assignment.slice(),
    isNew: false,
    awaitingJoin: undefined,
    awaitingSync: undefined,
  }
}
