/**
 * A classic consumer group as a value: who its members are, where its rebalance stands, which requests wait for it.
 * Nothing here changes a group; `GroupDraft` makes the next value out of this one, and `replayGroupMetadata` makes one
 * out of a record. States, fields and their meaning are those of `kafka.coordinator.group.GroupMetadata`.
 */

/**
 * - `Empty`: no members; kept for its offsets. Also a group that only stores offsets.
 * - `PreparingRebalance`: JoinGroup requests wait until every member is here or the rebalance times out.
 * - `CompletingRebalance`: a new generation; SyncGroup requests wait for the leader's assignment.
 * - `Stable`: the assignment of this generation is in the log.
 * - `Dead`: about to go, its tombstone being written or its partition given to another coordinator.
 */
export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead'

/** Names a request whose answer waits; the shell that runs decisions knows the connection behind it. */
export type ReplyTo = number

/** One way of assigning that a member offers, with what it wants to tell the assignor in it. */
export interface GroupProtocol {
  readonly name: string
  readonly metadata: Uint8Array
}

/** One member of a group. */
export interface GroupMember {
  readonly memberId: string
  /** KIP-345: the name by which a static member keeps its place over restarts; null for a dynamic one. */
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly rebalanceTimeoutMs: number
  readonly sessionTimeoutMs: number
  readonly protocolType: string
  /** In the member's order of preference, names unique. */
  readonly protocols: readonly GroupProtocol[]
  /** Empty until the leader's assignment of a generation is in the log. */
  readonly assignment: Uint8Array
  /** Has not yet got an answer to its first JoinGroup, so it cannot send heartbeats. */
  readonly isNew: boolean
  readonly awaitingJoin: ReplyTo | undefined
  readonly awaitingSync: ReplyTo | undefined
}

/** What the group waits for in `PreparingRebalance`. */
export type Rebalance =
  /** KIP-134: an empty group gives others time to come; ends by time alone. */
  | { readonly kind: 'initial'; readonly delayMs: number; readonly remainingMs: number }
  /** Ends when every member has joined, or by time. */
  | { readonly kind: 'joining' }

/** A classic group. */
export interface ClassicGroup {
  readonly groupId: string
  readonly state: GroupState
  /** Wall clock of the last change of `state`; undefined if the log did not tell. */
  readonly stateTimestamp: number | undefined
  readonly generationId: number
  /** `consumer`, `connect`...; undefined for a group that never had a member. */
  readonly protocolType: string | undefined
  /** What the members' votes chose for this generation. */
  readonly protocolName: string | undefined
  readonly leaderId: string | undefined
  /** In order of their joining. */
  readonly members: ReadonlyMap<string, GroupMember>
  /** Member id of each `group.instance.id`. */
  readonly staticMembers: ReadonlyMap<string, string>
  /** KIP-394: ids that were given out and have not come back in a JoinGroup yet. */
  readonly pendingMembers: ReadonlySet<string>
  /** Members of this generation that have not sent SyncGroup yet. */
  readonly pendingSync: ReadonlySet<string>
  /** For each protocol name, how many members offer it. */
  readonly protocolSupport: ReadonlyMap<string, number>
  /** Members whose JoinGroup waits. */
  readonly awaitingJoinCount: number
  readonly rebalance: Rebalance | undefined
  /** Somebody joined since the initial delay was last extended. */
  readonly newMemberAdded: boolean
  /** Topics that members of a `consumer` group read; undefined where that is not known. */
  readonly subscribedTopics: ReadonlySet<string> | undefined
}

const NO_MEMBERS: ReadonlyMap<never, never> = new Map<never, never>()
const NOBODY: ReadonlySet<never> = new Set<never>()

/** The protocol type whose member metadata the coordinator understands. */
export const CONSUMER_PROTOCOL_TYPE = 'consumer'

/** A group before its first member. */
export function emptyGroup(groupId: string, now: number): ClassicGroup {
  return {
    groupId,
    state: 'Empty',
    stateTimestamp: now,
    generationId: 0,
    protocolType: undefined,
    protocolName: undefined,
    leaderId: undefined,
    members: NO_MEMBERS,
    staticMembers: NO_MEMBERS,
    pendingMembers: NOBODY,
    pendingSync: NOBODY,
    protocolSupport: NO_MEMBERS,
    awaitingJoinCount: 0,
    rebalance: undefined,
    newMemberAdded: false,
    subscribedTopics: undefined,
  }
}

/** States from which a rebalance can start. */
export function canRebalance(group: ClassicGroup): boolean {
  return group.state === 'Stable' || group.state === 'CompletingRebalance' || group.state === 'Empty'
}

/** Whether every known member has sent JoinGroup and no given-out id is still outstanding. */
export function allMembersJoined(group: ClassicGroup): boolean {
  return group.members.size === group.awaitingJoinCount && group.pendingMembers.size === 0
}

/** The longest rebalance timeout among the members; 0 without members. */
export function rebalanceTimeoutMs(group: ClassicGroup): number {
  let longest = 0
  for (const member of group.members.values()) longest = Math.max(longest, member.rebalanceTimeoutMs)
  return longest
}

/** Whether a member with these protocols can be in the group: same type, and one protocol that all others offer too. */
export function supportsProtocols(
  group: ClassicGroup,
  protocolType: string,
  protocols: readonly GroupProtocol[],
): boolean {
  if (group.state === 'Empty') return protocolType !== '' && protocols.length > 0
  if (group.protocolType !== protocolType) return false
  return protocols.some(protocol => (group.protocolSupport.get(protocol.name) ?? 0) === group.members.size)
}

/**
 * The protocol with most votes, each member voting for the first of its list that all members offer. Undefined when no
 * protocol is common to all, which joins are checked against. A tie goes to the protocol that was voted for first.
 */
export function selectProtocol(group: ClassicGroup): string | undefined {
  const votes = new Map<string, number>()
  for (const member of group.members.values()) {
    const vote = member.protocols.find(({ name }) => group.protocolSupport.get(name) === group.members.size)
    if (vote === undefined) return undefined
    votes.set(vote.name, (votes.get(vote.name) ?? 0) + 1)
  }
  let chosen: string | undefined
  let most = 0
  for (const [name, count] of votes) {
    if (count <= most) continue
    chosen = name
    most = count
  }
  return chosen
}

/** What the member told the assignor for protocol `name`; empty if it does not offer it. */
export function metadataFor(member: GroupMember, name: string | undefined): Uint8Array {
  return member.protocols.find(protocol => protocol.name === name)?.metadata ?? NO_BYTES
}

/** The empty byte array: no assignment, no metadata. */
export const NO_BYTES: Uint8Array = new Uint8Array(0)

/** Whether both lists hold the same protocols with the same bytes in the same order. */
export function sameProtocols(left: readonly GroupProtocol[], right: readonly GroupProtocol[]): boolean {
  if (left.length !== right.length) return false
  return left.every((protocol, index) => {
    const other = right[index]
    return other !== undefined && protocol.name === other.name && sameBytes(protocol.metadata, other.metadata)
  })
}

/** Whether two byte arrays are equal. */
export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0
}
