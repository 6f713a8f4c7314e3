import { ErrorCode, type MessageInput } from '../../protocol/index.ts'
import type { DescribeGroupsRequest, DescribeGroupsResponse } from '../../protocol/messages/15-describe-groups.ts'
import type { ListGroupsRequest, ListGroupsResponse } from '../../protocol/messages/16-list-groups.ts'
import type { DeleteGroupsRequest, DeleteGroupsResponse } from '../../protocol/messages/42-delete-groups.ts'
import { offsetCommitError } from './append-error.ts'
import { type ClassicGroup, metadataFor, NO_BYTES } from './classic-group.ts'
import { type GroupLookup, numberOf } from './group-lookup.ts'
import type { GroupRequestContext } from './membership.ts'
import { removeGroup } from './offset-removal.ts'

type DescribedGroup = NonNullable<MessageInput<typeof DescribeGroupsResponse>['groups']>[number]

/** From here on a group that does not exist is an error; before, it is described as Dead (KIP-1043). */
const NOT_FOUND_FROM_VERSION = 6

/** ListGroups, DescribeGroups, DeleteGroups. */
export class GroupAdministration {
  readonly #lookup: GroupLookup

  constructor(lookup: GroupLookup) {
    this.#lookup = lookup
  }

  /** Groups of the partitions that are led here; `COORDINATOR_LOAD_IN_PROGRESS` beside them while more are to come. */
  list(request: ListGroupsRequest): MessageInput<typeof ListGroupsResponse> {
    const { runtime } = this.#lookup
    if (runtime.isClosed) return { errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE }
    const states = new Set(request.statesFilter.map(state => state.toLowerCase()))
    const types = new Set(request.typesFilter.map(type => type.toLowerCase()))
    const groups: { groupId: string; protocolType: string; groupState: string; groupType: string }[] = []
    if (types.size === 0 || types.has('classic')) {
      for (const shard of runtime.active()) {
        for (const { group } of shard.groups.values()) {
          if (states.size > 0 && !states.has(group.state.toLowerCase())) continue
          const { groupId, protocolType = '', state } = group
          groups.push({ groupId, protocolType, groupState: state, groupType: 'classic' })
        }
      }
    }
    const errorCode = runtime.isLoading ? ErrorCode.COORDINATOR_LOAD_IN_PROGRESS : ErrorCode.NONE
    return { errorCode, groups }
  }

  describe(request: DescribeGroupsRequest, context: GroupRequestContext): MessageInput<typeof DescribeGroupsResponse> {
    return { groups: request.groups.map(groupId => this.#describe(groupId, context.apiVersion)) }
  }

  #describe(groupId: string, apiVersion: number): DescribedGroup {
    const error = this.#lookup.errorOf(groupId, { mayBeEmpty: true })
    const nothing = { groupId, protocolType: '', protocolData: '', members: [] }
    if (error !== undefined) return { ...nothing, errorCode: numberOf(error), groupState: '' }
    const group = this.#lookup.shardOf(groupId).get(groupId)?.group
    if (group !== undefined) return describeGroup(group)
    if (apiVersion < NOT_FOUND_FROM_VERSION) return { ...nothing, errorCode: ErrorCode.NONE, groupState: 'Dead' }
    return {
      ...nothing,
      errorCode: ErrorCode.GROUP_ID_NOT_FOUND,
      errorMessage: `Group ${groupId} not found.`,
      groupState: 'Dead',
    }
  }

  /** Errors per group: `NON_EMPTY_GROUP`, `GROUP_ID_NOT_FOUND`, and why the coordinator or its log cannot. */
  async delete(request: DeleteGroupsRequest): Promise<MessageInput<typeof DeleteGroupsResponse>> {
    const groupIds = [...new Set(request.groupsNames)]
    const results = await Promise.all(
      groupIds.map(async groupId => ({ groupId, errorCode: await this.#delete(groupId) })),
    )
    return { results }
  }

  async #delete(groupId: string): Promise<number> {
    const error = this.#lookup.errorOf(groupId, { mayBeEmpty: true })
    if (error !== undefined) return ErrorCode[error]
    const shard = this.#lookup.shardOf(groupId)
    const entry = shard.get(groupId)
    if (entry === undefined || entry.group.state === 'Dead') return ErrorCode.GROUP_ID_NOT_FOUND
    if (entry.group.state !== 'Empty') return ErrorCode.NON_EMPTY_GROUP
    try {
      await removeGroup(shard, entry)
      return ErrorCode.NONE
    } catch (failure) {
      return ErrorCode[offsetCommitError(failure)]
    }
  }
}

/** What the members told and got is shown only of a stable group: else it is of no generation. */
function describeGroup(group: ClassicGroup): DescribedGroup {
  const isStable = group.state === 'Stable'
  return {
    errorCode: ErrorCode.NONE,
    groupId: group.groupId,
    groupState: group.state,
    protocolType: group.protocolType ?? '',
    protocolData: (isStable && group.protocolName) || '',
    members: Array.from(group.members.values(), member => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      memberMetadata: isStable ? metadataFor(member, group.protocolName) : NO_BYTES,
      memberAssignment: isStable ? member.assignment : NO_BYTES,
    })),
  }
}
