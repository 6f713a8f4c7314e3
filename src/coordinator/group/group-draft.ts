import { ErrorCode } from '../../protocol/index.ts'
import {
  type ClassicGroup,
  type GroupMember,
  type GroupProtocol,
  type GroupState,
  metadataFor,
  NO_BYTES,
  type Rebalance,
} from './classic-group.ts'
import type {
  AfterStore,
  Decision,
  DecisionContext,
  JoinedMember,
  JoinResult,
  Note,
  Reply,
  SyncResult,
  TimerName,
} from './decision.ts'
import type { GroupMetadataRecord } from './group-record.ts'
import { groupMetadataRecord } from './group-record.ts'

/**
 * The next value of a group while a decision is being made, and what else the decision does. It has the fields of a
 * group; collections are copied when first written, so the group it was made from stays as it was, unless the context
 * says that it may be overwritten. Each method is one step that keeps the group's own bookkeeping right; the rules that
 * call them are in `rebalance.ts` and the files named after requests.
 */
export class GroupDraft implements ClassicGroup {
  readonly groupId: string
  state: GroupState
  stateTimestamp: number | undefined
  generationId: number
  protocolType: string | undefined
  protocolName: string | undefined
  leaderId: string | undefined
  rebalance: Rebalance | undefined
  newMemberAdded: boolean
  subscribedTopics: ReadonlySet<string> | undefined
  #awaitingJoinCount: number
  readonly #members: Shared<Map<string, GroupMember>>
  readonly #staticMembers: Shared<Map<string, string>>
  readonly #protocolSupport: Shared<Map<string, number>>
  readonly #pendingMembers: Shared<Set<string>>
  readonly #pendingSync: Shared<Set<string>>
  readonly #context: DecisionContext
  readonly #records: GroupMetadataRecord[] = []
  readonly #replies: Reply[] = []
  readonly #timers = new Map<TimerName, number | undefined>()
  readonly #notes: Note[] = []
  #afterStore: AfterStore | undefined

  constructor(group: ClassicGroup, context: DecisionContext) {
    this.groupId = group.groupId
    this.state = group.state
    this.stateTimestamp = group.stateTimestamp
    this.generationId = group.generationId
    this.protocolType = group.protocolType
    this.protocolName = group.protocolName
    this.leaderId = group.leaderId
    this.rebalance = group.rebalance
    this.newMemberAdded = group.newMemberAdded
    this.subscribedTopics = group.subscribedTopics
    this.#awaitingJoinCount = group.awaitingJoinCount
    const { ownsGroup = false } = context
    this.#members = new Shared(group.members, { ownsGroup, copy: map => new Map(map) })
    this.#staticMembers = new Shared(group.staticMembers, { ownsGroup, copy: map => new Map(map) })
    this.#protocolSupport = new Shared(group.protocolSupport, { ownsGroup, copy: map => new Map(map) })
    this.#pendingMembers = new Shared(group.pendingMembers, { ownsGroup, copy: set => new Set(set) })
    this.#pendingSync = new Shared(group.pendingSync, { ownsGroup, copy: set => new Set(set) })
    this.#context = context
  }

  get members(): ReadonlyMap<string, GroupMember> {
    return this.#members.value
  }

  get staticMembers(): ReadonlyMap<string, string> {
    return this.#staticMembers.value
  }

  get protocolSupport(): ReadonlyMap<string, number> {
    return this.#protocolSupport.value
  }

  get pendingMembers(): ReadonlySet<string> {
    return this.#pendingMembers.value
  }

  get pendingSync(): ReadonlySet<string> {
    return this.#pendingSync.value
  }

  get awaitingJoinCount(): number {
    return this.#awaitingJoinCount
  }

  get context(): DecisionContext {
    return this.#context
  }

  /** The decision so far. */
  finish(): Decision {
    return {
      group: {
        groupId: this.groupId,
        state: this.state,
        stateTimestamp: this.stateTimestamp,
        generationId: this.generationId,
        protocolType: this.protocolType,
        protocolName: this.protocolName,
        leaderId: this.leaderId,
        members: this.members,
        staticMembers: this.staticMembers,
        pendingMembers: this.pendingMembers,
        pendingSync: this.pendingSync,
        protocolSupport: this.protocolSupport,
        awaitingJoinCount: this.#awaitingJoinCount,
        rebalance: this.rebalance,
        newMemberAdded: this.newMemberAdded,
        subscribedTopics: this.subscribedTopics,
      },
      records: this.#records,
      afterStore: this.#afterStore,
      replies: this.#replies,
      timers: this.#timers,
      notes: this.#notes,
    }
  }

  transitionTo(state: GroupState): void {
    this.state = state
    this.stateTimestamp = this.#context.now
    if (state !== 'PreparingRebalance') this.rebalance = undefined
  }

  note(level: Note['level'], message: string): void {
    this.#notes.push({ level, message })
  }

  setTimer(name: TimerName, afterMs: number): void {
    this.#timers.set(name, afterMs)
  }

  cancelTimer(name: TimerName): void {
    this.#timers.set(name, undefined)
  }

  /** The session of a member starts anew. */
  resetSession(member: GroupMember): void {
    this.setTimer(`member:${member.memberId}`, member.sessionTimeoutMs)
  }

  /** Adds or replaces a member under its id; the counts of waiting members and offered protocols follow. */
  put(member: GroupMember): void {
    const previous = this.members.get(member.memberId)
    this.#count(previous, member)
    this.#members.writable().set(member.memberId, member)
    if (member.groupInstanceId !== null && this.staticMembers.get(member.groupInstanceId) !== member.memberId) {
      this.#staticMembers.writable().set(member.groupInstanceId, member.memberId)
    }
    if (this.pendingMembers.has(member.memberId)) this.#pendingMembers.writable().delete(member.memberId)
  }

  /**
   * Takes the id out, be it a member's or one that was only given out. Requests of it that wait are answered, so that
   * a client that is still there joins anew; somebody else leads if it led.
   */
  remove(memberId: string): void {
    this.replyJoin(this.members.get(memberId), joinError(ErrorCode.UNKNOWN_MEMBER_ID, ''))
    this.replySync(this.members.get(memberId), syncError(ErrorCode.UNKNOWN_MEMBER_ID))
    const member = this.members.get(memberId)
    if (member !== undefined) {
      this.#count(member, undefined)
      this.#members.writable().delete(memberId)
      const instanceId = member.groupInstanceId
      if (instanceId !== null && this.staticMembers.get(instanceId) === memberId) {
        this.#staticMembers.writable().delete(instanceId)
      }
    }
    if (this.leaderId === memberId) this.leaderId = firstKey(this.members)
    if (this.pendingMembers.has(memberId)) this.#pendingMembers.writable().delete(memberId)
    this.removePendingSync(memberId)
    this.cancelTimer(`member:${memberId}`)
  }

  addPendingMember(memberId: string): void {
    this.#pendingMembers.writable().add(memberId)
  }

  addPendingSync(memberId: string): void {
    this.#pendingSync.writable().add(memberId)
  }

  /** The member has sent SyncGroup; the wait for it ends with the last one. */
  removePendingSync(memberId: string): void {
    if (!this.pendingSync.has(memberId)) return
    this.#pendingSync.writable().delete(memberId)
    if (this.pendingSync.size === 0) this.cancelTimer('sync')
  }

  clearPendingSync(): void {
    if (this.pendingSync.size === 0) return
    this.#pendingSync.writable().clear()
    this.cancelTimer('sync')
  }

  /** Puts `newMemberId` in the place of a static member's old id, first in line as it was; its waiting requests are fenced. */
  replaceStaticMember(oldMemberId: string, newMemberId: string): GroupMember | undefined {
    const old = this.members.get(oldMemberId)
    if (old === undefined) return undefined
    this.replyJoin(old, joinError(ErrorCode.FENCED_INSTANCE_ID, oldMemberId))
    this.replySync(old, syncError(ErrorCode.FENCED_INSTANCE_ID))
    const member: GroupMember = { ...old, memberId: newMemberId, awaitingJoin: undefined, awaitingSync: undefined }
    // Everything is kept in order of joining, and a replaced member has not joined anew.
    const inOrder = [...this.members]
    const led = this.leaderId === oldMemberId
    this.remove(oldMemberId)
    const members = this.#members.writable()
    members.clear()
    for (const [id, other] of inOrder) {
      if (id === oldMemberId) members.set(newMemberId, member)
      else members.set(id, other)
    }
    this.#count(undefined, member)
    if (member.groupInstanceId !== null) this.#staticMembers.writable().set(member.groupInstanceId, newMemberId)
    if (led) this.leaderId = newMemberId
    return member
  }

  /** Parks a JoinGroup of the member; one that waited before, from a connection the client gave up, is answered. */
  parkJoin(member: GroupMember, replyTo: number): void {
    this.replyJoin(this.members.get(member.memberId), joinError(ErrorCode.REBALANCE_IN_PROGRESS, member.memberId))
    this.put({ ...member, awaitingJoin: replyTo })
  }

  /** Parks a SyncGroup of the member, likewise. */
  parkSync(memberId: string, replyTo: number): void {
    this.replySync(this.members.get(memberId), syncError(ErrorCode.REBALANCE_IN_PROGRESS))
    const member = this.members.get(memberId)
    if (member !== undefined) this.put({ ...member, awaitingSync: replyTo })
  }

  /** Answers the JoinGroup that the member has waiting, if any. */
  replyJoin(member: GroupMember | undefined, result: JoinResult): boolean {
    if (member?.awaitingJoin === undefined) return false
    this.#replies.push({ to: member.awaitingJoin, result })
    if (this.members.has(member.memberId)) this.put({ ...member, awaitingJoin: undefined })
    return true
  }

  /** Answers the SyncGroup that the member has waiting, if any. */
  replySync(member: GroupMember | undefined, result: SyncResult): boolean {
    if (member?.awaitingSync === undefined) return false
    this.#replies.push({ to: member.awaitingSync, result })
    const current = this.members.get(member.memberId)
    if (current !== undefined) this.put({ ...current, awaitingSync: undefined })
    return true
  }

  /** Answers a request that does not wait. */
  reply(to: number, result: JoinResult | SyncResult): void {
    this.#replies.push({ to, result })
  }

  /** What a successful JoinGroup of the member is answered in this generation. */
  joinedResult(memberId: string): JoinResult {
    return {
      errorCode: ErrorCode.NONE,
      generationId: this.generationId,
      protocolType: this.protocolType ?? null,
      protocolName: this.protocolName ?? null,
      leader: this.leaderId ?? '',
      skipAssignment: false,
      memberId,
      members: this.leaderId === memberId ? this.joinedMembers() : [],
    }
  }

  /** What a successful SyncGroup of the member is answered. */
  syncedResult(member: GroupMember): SyncResult {
    return {
      errorCode: ErrorCode.NONE,
      protocolType: this.protocolType ?? null,
      protocolName: this.protocolName ?? null,
      assignment: member.assignment,
    }
  }

  /** All members with what they told about the protocol of this generation. */
  joinedMembers(): JoinedMember[] {
    return Array.from(this.members.values(), member => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      metadata: metadataFor(member, this.protocolName),
    }))
  }

  /** Writes the group as it is, with `assignment` by member id, and decides `afterStore` when the log has answered. */
  store(assignment: ReadonlyMap<string, Uint8Array>, afterStore: AfterStore): void {
    this.#records.push(groupMetadataRecord(this, assignment))
    this.#afterStore = afterStore
  }

  #count(previous: GroupMember | undefined, next: GroupMember | undefined): void {
    if (previous?.awaitingJoin !== undefined) this.#awaitingJoinCount -= 1
    if (next?.awaitingJoin !== undefined) this.#awaitingJoinCount += 1
    if (previous?.protocols === next?.protocols) return
    for (const { name } of previous?.protocols ?? []) this.#addSupport(name, -1)
    for (const { name } of next?.protocols ?? []) this.#addSupport(name, 1)
  }

  #addSupport(name: string, by: number): void {
    const support = this.#protocolSupport.writable()
    const count = (support.get(name) ?? 0) + by
    if (count === 0) support.delete(name)
    else support.set(name, count)
  }
}

/** A collection that is copied before the first write, unless it is owned. */
class Shared<Collection extends { readonly size: number }> {
  #value: Collection
  #copy: ((value: Collection) => Collection) | undefined

  constructor(
    value: { readonly size: number },
    options: { readonly ownsGroup: boolean; readonly copy: (value: Collection) => Collection },
  ) {
    // The read-only view is not written through: `writable` copies first, or the caller has given it away.
    this.#value = value as Collection
    // All empty groups have the same empty collections.
    this.#copy = options.ownsGroup && value.size > 0 ? undefined : options.copy
  }

  get value(): Collection {
    return this.#value
  }

  writable(): Collection {
    if (this.#copy !== undefined) {
      this.#value = this.#copy(this.#value)
      this.#copy = undefined
    }
    return this.#value
  }
}

function firstKey<Key>(map: ReadonlyMap<Key, unknown>): Key | undefined {
  for (const key of map.keys()) return key
  return undefined
}

/** A JoinGroup answer that tells only an error. */
export function joinError(errorCode: number, memberId: string): JoinResult {
  return {
    errorCode,
    generationId: -1,
    protocolType: null,
    protocolName: null,
    leader: '',
    skipAssignment: false,
    memberId,
    members: [],
  }
}

/** A SyncGroup answer that tells only an error. */
export function syncError(errorCode: number): SyncResult {
  return { errorCode, protocolType: null, protocolName: null, assignment: NO_BYTES }
}

/** A client's list of protocols with each name once, as it came first. */
export function uniqueProtocols(protocols: readonly GroupProtocol[]): GroupProtocol[] {
  const seen = new Set<string>()
  return protocols.filter(({ name }) => !seen.has(name) && seen.add(name))
}
