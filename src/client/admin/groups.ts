import { ErrorCode, KafkaError, type MessageOf } from '../../protocol/index.ts'
import { LeaveGroupRequest, LeaveGroupResponse } from '../../protocol/messages/13-leave-group.ts'
import { DescribeGroupsRequest, DescribeGroupsResponse } from '../../protocol/messages/15-describe-groups.ts'
import { ListGroupsRequest, ListGroupsResponse } from '../../protocol/messages/16-list-groups.ts'
import { DeleteGroupsRequest, DeleteGroupsResponse } from '../../protocol/messages/42-delete-groups.ts'
import {
  ConsumerGroupDescribeRequest,
  ConsumerGroupDescribeResponse,
} from '../../protocol/messages/69-consumer-group-describe.ts'
import { readAssignment } from '../consumer/embedded-protocol.ts'
import type { TopicPartition } from '../topic-partition.ts'
import { type AclOperation, operationsIn } from './acls.ts'
import { type AdminCall, type Answer, atCoordinators, type CallOptions, settle } from './admin-call.ts'

const LEAVE_GROUP = { request: LeaveGroupRequest, response: LeaveGroupResponse }
const DESCRIBE_GROUPS = { request: DescribeGroupsRequest, response: DescribeGroupsResponse }
const DESCRIBE_CONSUMER_GROUPS = { request: ConsumerGroupDescribeRequest, response: ConsumerGroupDescribeResponse }
const LIST_GROUPS = { request: ListGroupsRequest, response: ListGroupsResponse }
const DELETE_GROUPS = { request: DeleteGroupsRequest, response: DeleteGroupsResponse }

/** The first version of DescribeGroups that tells what the asker may do. */
const FIRST_WITH_OPERATIONS = 3
/** The first version of ListGroups that tells the protocol of a group, and filters by it. */
const FIRST_WITH_TYPES = 5
/** The first version of LeaveGroup that takes many members, and names them by their instance. */
const FIRST_WITH_MEMBERS = 3

export interface ListGroupsOptions extends CallOptions {
  /** Only groups in one of these states: `Stable`, `Empty`, `PreparingRebalance`, `CompletingRebalance`, `Dead`. */
  readonly states?: readonly string[]
  /** Only groups of this protocol. Brokers before 3.8 know only one, and are asked in vain for the other. */
  readonly type?: GroupType
}

/** The protocol that members of a group speak: `consumer` is that of KIP-848. */
export type GroupType = 'classic' | 'consumer'

export interface GroupListing {
  readonly groupId: string
  /** `consumer` for those of consumers; empty for a group that only commits offsets. */
  readonly protocolType: string
  /** Empty where the broker does not tell (before 2.6). */
  readonly state: string
  /** Other kinds of groups, such as `share`, have their own names. */
  readonly type: GroupType | (string & {})
}

export interface GroupMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly host: string
  /** What it reads; empty during a rebalance, in groups that are not consumers', and where its group's leader sent what cannot be read. */
  readonly assignment: readonly TopicPartition[]
  /** What it is to read when all have let go of what is another's; of the consumer protocol. */
  readonly targetAssignment?: readonly TopicPartition[]
  /** Of the consumer protocol. */
  readonly epoch?: number
}

export interface GroupDescription {
  readonly groupId: string
  readonly type: GroupType
  readonly state: string
  readonly protocolType: string
  /** The assignor that the members agreed on, or the broker's in a group of the consumer protocol. */
  readonly assignor: string
  /** Of the consumer protocol: grows whenever partitions have to be spread anew. */
  readonly epoch?: number
  /** Id of the broker that coordinates it. */
  readonly coordinator: number
  readonly members: readonly GroupMember[]
  /** What the asker may do with it, where that was asked for. */
  readonly authorizedOperations?: readonly AclOperation[] | undefined
}

/** Options of calls that can tell what the asker may do (KIP-430). */
export interface DescribeOptions extends CallOptions {
  /** Has `authorizedOperations` filled in. */
  readonly includeAuthorizedOperations?: boolean
}

/** A member by its id, or a static one by its instance id. */
export type MemberToRemove = { readonly memberId: string } | { readonly groupInstanceId: string }

/** Every broker knows the groups that it coordinates. */
export function listConsumerGroups(
  { cluster, patience }: AdminCall,
  { states = [], type }: ListGroupsOptions,
): Promise<GroupListing[]> {
  return cluster.retrying('listing groups', patience, async () => {
    const { brokers } = await cluster.refresh()
    const answers = await Promise.all(
      Array.from(brokers.keys(), broker =>
        cluster.request({ broker }, LIST_GROUPS, version => ({
          ...(states.length > 0 ? { statesFilter: states } : {}),
          ...(type !== undefined && version >= FIRST_WITH_TYPES ? { typesFilter: [type] } : {}),
        })),
      ),
    )
    for (const { errorCode } of answers) if (errorCode !== ErrorCode.NONE) throw KafkaError.fromCode(errorCode)
    return answers
      .flatMap(({ groups }) => groups)
      .map(({ groupId, protocolType, groupState, groupType }) => ({
        groupId,
        protocolType,
        state: groupState,
        // Brokers that do not tell know no other.
        type: groupType === '' ? 'classic' : groupType.toLowerCase(),
      }))
      .filter(group => type === undefined || group.type === type)
      .sort((one, other) => (one.groupId < other.groupId ? -1 : 1))
  })
}

/** Groups of either protocol: the newer one's question is asked first, where the broker knows it. */
export function describeConsumerGroups(
  call: AdminCall,
  groupIds: readonly string[],
  { includeAuthorizedOperations = false }: DescribeOptions = {},
): Promise<GroupDescription[]> {
  return atCoordinators(call, 'group', 'describing groups', groupIds, async (groupId, coordinator) => {
    const question = { groupId, coordinator, includeAuthorizedOperations }
    return (await describeByConsumerProtocol(call, question)) ?? describeClassic(call, question)
  })
}

interface Question {
  readonly groupId: string
  readonly coordinator: number
  readonly includeAuthorizedOperations: boolean
}

type Described = Omit<Answer<GroupDescription>, 'key'>

/** Undefined for a group that is not there or speaks the classic protocol, and from a broker that knows no other. */
async function describeByConsumerProtocol(
  { cluster }: AdminCall,
  { groupId, coordinator, includeAuthorizedOperations }: Question,
): Promise<Described | undefined> {
  let answer: MessageOf<typeof ConsumerGroupDescribeResponse>
  try {
    answer = await cluster.request({ broker: coordinator }, DESCRIBE_CONSUMER_GROUPS, {
      groupIds: [groupId],
      includeAuthorizedOperations,
    })
  } catch (error) {
    if (error instanceof KafkaError && error.code === 'UNSUPPORTED_VERSION') return undefined
    throw error
  }
  const group = answer.groups[0]
  if (group === undefined) return undefined
  const { errorCode, errorMessage, groupState, assignorName, groupEpoch, members, authorizedOperations } = group
  if (errorCode === ErrorCode.GROUP_ID_NOT_FOUND || errorCode === ErrorCode.UNSUPPORTED_VERSION) return undefined
  const result: GroupDescription = {
    groupId,
    type: 'consumer',
    state: groupState,
    protocolType: 'consumer',
    assignor: assignorName,
    epoch: groupEpoch,
    coordinator,
    ...(includeAuthorizedOperations && { authorizedOperations: operationsIn(authorizedOperations) }),
    members: members.map(member => ({
      memberId: member.memberId,
      groupInstanceId: member.instanceId,
      clientId: member.clientId,
      host: member.clientHost,
      epoch: member.memberEpoch,
      assignment: partitionsOf(member.assignment),
      targetAssignment: partitionsOf(member.targetAssignment),
    })),
  }
  return { errorCode, errorMessage, result }
}

function partitionsOf({
  topicPartitions,
}: {
  readonly topicPartitions: readonly { readonly topicName: string; readonly partitions: readonly number[] }[]
}): TopicPartition[] {
  return topicPartitions.flatMap(({ topicName, partitions }) =>
    partitions.map(partition => ({ topic: topicName, partition })),
  )
}

async function describeClassic(
  { cluster }: AdminCall,
  { groupId, coordinator, includeAuthorizedOperations }: Question,
): Promise<Described> {
  const answer = await cluster.request({ broker: coordinator }, DESCRIBE_GROUPS, version => ({
    groups: [groupId],
    ...(version >= FIRST_WITH_OPERATIONS && { includeAuthorizedOperations }),
  }))
  const group = answer.groups[0]
  if (group === undefined) throw new KafkaError('UNKNOWN_SERVER_ERROR', `the broker said nothing of group ${groupId}`)
  const { errorMessage, groupState, protocolType, protocolData, members, authorizedOperations } = group
  // Brokers from 4.0 on say so with an error (KIP-1043), older ones with the state.
  const isMissing = group.errorCode === ErrorCode.GROUP_ID_NOT_FOUND
  const errorCode = isMissing ? ErrorCode.NONE : group.errorCode
  const result: GroupDescription = {
    groupId,
    type: 'classic',
    state: isMissing ? 'Dead' : groupState,
    protocolType,
    assignor: protocolData,
    coordinator,
    ...(includeAuthorizedOperations && { authorizedOperations: operationsIn(authorizedOperations) }),
    members: members.map(member => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      host: member.clientHost,
      assignment: protocolType === 'consumer' ? (readAssignment(member.memberAssignment) ?? []) : [],
    })),
  }
  return { errorCode, errorMessage, result }
}

export async function deleteConsumerGroups(call: AdminCall, groupIds: readonly string[]): Promise<void> {
  await atCoordinators(call, 'group', 'deleting groups', groupIds, async (groupId, broker) => {
    const answer = await call.cluster.request({ broker }, DELETE_GROUPS, { groupsNames: [groupId] })
    return { errorCode: answer.results[0]?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR, result: undefined }
  })
}

export async function removeMembersFromConsumerGroup(
  call: AdminCall,
  groupId: string,
  wanted: readonly MemberToRemove[] | undefined,
  reason: string,
): Promise<void> {
  const members = wanted ?? (await membersOf(call, groupId))
  const keyOf = (member: MemberToRemove): string => {
    const { memberId, groupInstanceId } = member as { readonly memberId?: string; readonly groupInstanceId?: string }
    if (typeof (memberId ?? groupInstanceId) === 'string') return memberId ?? `instance ${groupInstanceId}`
    throw new KafkaError('INVALID_REQUEST', 'a member is { memberId } or { groupInstanceId }')
  }
  await settle(call, { what: `removing members of group ${groupId}`, items: members, keyOf }, left =>
    call.cluster.withCoordinator(
      'group',
      groupId,
      { what: `removing members of group ${groupId}`, patience: call.patience },
      async broker => {
        const answer = await call.cluster.request({ broker }, LEAVE_GROUP, version => {
          if (version < FIRST_WITH_MEMBERS)
            throw new KafkaError('UNSUPPORTED_VERSION', 'the broker is too old to remove members (before 2.4)')
          return { groupId, members: left.map(member => ({ memberId: '', ...member, reason })) }
        })
        if (answer.errorCode !== ErrorCode.NONE) throw KafkaError.fromCode(answer.errorCode)
        return answer.members.map(({ memberId, groupInstanceId, errorCode }) => ({
          key: groupInstanceId === null ? memberId : `instance ${groupInstanceId}`,
          errorCode,
          result: undefined,
        }))
      },
    ),
  )
}

async function membersOf(call: AdminCall, groupId: string): Promise<MemberToRemove[]> {
  const [group] = await describeConsumerGroups(call, [groupId])
  return (group?.members ?? []).map(({ memberId, groupInstanceId }) =>
    groupInstanceId === null ? { memberId } : { groupInstanceId },
  )
}
