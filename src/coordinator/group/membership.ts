import { ErrorCode, type MessageInput } from '../../protocol/index.ts'
import type { JoinGroupRequest, JoinGroupResponse } from '../../protocol/messages/11-join-group.ts'
import type { HeartbeatRequest, HeartbeatResponse } from '../../protocol/messages/12-heartbeat.ts'
import type { LeaveGroupRequest, LeaveGroupResponse } from '../../protocol/messages/13-leave-group.ts'
import type { SyncGroupRequest, SyncGroupResponse } from '../../protocol/messages/14-sync-group.ts'
import type { JoinResult, SyncResult } from './decision.ts'
import { joinError, syncError, uniqueProtocols } from './group-draft.ts'
import { type GroupLookup, isStorable, numberOf } from './group-lookup.ts'
import { decideHeartbeat } from './heartbeat.ts'
import { decideJoin, type JoinRequest } from './join-group.ts'
import { decideLeave, type LeaveResult } from './leave-group.ts'
import { decideSync } from './sync-group.ts'

/** Who sent a request, and in which version of its API. */
export interface GroupRequestContext {
  readonly apiVersion: number
  /** Of the request header; empty when there was none. */
  readonly clientId: string
  /** As DescribeGroups shows it; Kafka's form is `/127.0.0.1`. */
  readonly clientHost: string
}

/** JoinGroup, SyncGroup, Heartbeat, LeaveGroup: requests in, decisions of the group's state machine, responses out. */
export class Membership {
  readonly #lookup: GroupLookup

  constructor(lookup: GroupLookup) {
    this.#lookup = lookup
  }

  async join(request: JoinGroupRequest, context: GroupRequestContext): Promise<MessageInput<typeof JoinGroupResponse>> {
    const result = await this.#join(request, context)
    // Null came with KIP-559; before, a name that is none is the empty one.
    const protocolName = context.apiVersion < 7 ? (result.protocolName ?? '') : result.protocolName || null
    return { ...result, protocolName }
  }

  async #join(request: JoinGroupRequest, context: GroupRequestContext): Promise<JoinResult> {
    const { groupId, memberId, groupInstanceId } = request
    const error = this.#lookup.errorOf(groupId, { mayBeEmpty: false })
    if (error !== undefined) return joinError(ErrorCode[error], memberId)
    if (!isStorable(groupInstanceId, request.protocolType, ...request.protocols.map(({ name }) => name))) {
      return joinError(ErrorCode.INVALID_REQUEST, memberId)
    }
    const shard = this.#lookup.shardOf(groupId)
    const { minSessionTimeoutMs, maxSessionTimeoutMs } = shard.context().limits
    const { sessionTimeoutMs } = request
    if (sessionTimeoutMs < minSessionTimeoutMs || sessionTimeoutMs > maxSessionTimeoutMs) {
      return joinError(ErrorCode.INVALID_SESSION_TIMEOUT, memberId)
    }
    // Only somebody who knows nothing of it can make a group.
    const entry = memberId === '' ? shard.getOrCreate(groupId) : shard.get(groupId)
    if (entry === undefined) return joinError(ErrorCode.UNKNOWN_MEMBER_ID, memberId)
    const join = joinRequest(request, context)
    return shard.ask(entry, (group, replyTo) => decideJoin(group, { ...join, replyTo }, shard.context()))
  }

  async sync(request: SyncGroupRequest, context: GroupRequestContext): Promise<MessageInput<typeof SyncGroupResponse>> {
    const { groupId, protocolType, protocolName } = request
    if (context.apiVersion >= 5 && (protocolType === null || protocolName === null)) {
      return syncError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
    }
    const error = this.#lookup.errorOf(groupId, { mayBeEmpty: false })
    // The rebalance that this belongs to is lost with its coordinator; old clients know no other way to hear that.
    if (error === 'COORDINATOR_LOAD_IN_PROGRESS') return syncError(ErrorCode.REBALANCE_IN_PROGRESS)
    if (error !== undefined) return syncError(ErrorCode[error])
    const shard = this.#lookup.shardOf(groupId)
    const entry = shard.get(groupId)
    if (entry === undefined) return syncError(ErrorCode.UNKNOWN_MEMBER_ID)
    // Copies: the group keeps the assignments, and the request's bytes belong to the connection.
    const assignments = request.assignments.map(({ memberId, assignment }) => ({
      memberId,
      assignment: assignment.slice(),
    }))
    return shard.ask<SyncResult>(entry, (group, replyTo) =>
      decideSync(group, { ...request, assignments, replyTo }, shard.context()),
    )
  }

  heartbeat(request: HeartbeatRequest): MessageInput<typeof HeartbeatResponse> {
    const { groupId, memberId, generationId } = request
    const error = this.#lookup.errorOf(groupId, { mayBeEmpty: false })
    // While the group loads nobody's session runs, and there is nothing to say.
    if (error === 'COORDINATOR_LOAD_IN_PROGRESS') return { errorCode: ErrorCode.NONE }
    if (error !== undefined) return { errorCode: ErrorCode[error] }
    const shard = this.#lookup.shardOf(groupId)
    const entry = shard.get(groupId)
    if (entry === undefined) return { errorCode: ErrorCode.UNKNOWN_MEMBER_ID }
    const { errorCode, resetSession } = decideHeartbeat(entry.group, request, generationId)
    if (resetSession) shard.resetSession(entry, memberId)
    return { errorCode }
  }

  leave(request: LeaveGroupRequest, context: GroupRequestContext): MessageInput<typeof LeaveGroupResponse> {
    const { groupId } = request
    const isSingle = context.apiVersion < 3
    const members = isSingle ? [{ memberId: request.memberId, groupInstanceId: null, reason: null }] : request.members
    const error = this.#lookup.errorOf(groupId, { mayBeEmpty: false })
    if (error !== undefined) return { errorCode: numberOf(error) }
    const shard = this.#lookup.shardOf(groupId)
    const entry = shard.get(groupId)
    let left: readonly LeaveResult[]
    if (entry === undefined) {
      left = members.map(member => ({ ...member, errorCode: ErrorCode.UNKNOWN_MEMBER_ID }))
    } else if (entry.group.state === 'Dead') {
      return { errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE }
    } else {
      const decision = decideLeave(entry.group, members, shard.context())
      left = decision.left
      shard.apply(entry, decision)
    }
    return isSingle ? { errorCode: left[0]?.errorCode ?? ErrorCode.NONE } : { members: left }
  }
}

function joinRequest(request: JoinGroupRequest, context: GroupRequestContext): Omit<JoinRequest, 'replyTo'> {
  // Copies: the group keeps the metadata, and the request's bytes belong to the connection.
  const protocols = uniqueProtocols(request.protocols).map(({ name, metadata }) => ({
    name,
    metadata: metadata.slice(),
  }))
  return {
    memberId: request.memberId,
    groupInstanceId: request.groupInstanceId,
    clientId: context.clientId,
    clientHost: context.clientHost,
    // Version 0 knew one timeout.
    rebalanceTimeoutMs: context.apiVersion === 0 ? request.sessionTimeoutMs : request.rebalanceTimeoutMs,
    sessionTimeoutMs: request.sessionTimeoutMs,
    protocolType: request.protocolType,
    protocols,
    requireKnownMemberId: context.apiVersion >= 4 && request.groupInstanceId === null,
    supportsSkippingAssignment: context.apiVersion >= 9,
    reason: request.reason,
  }
}
