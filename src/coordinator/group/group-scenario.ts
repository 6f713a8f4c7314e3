import type { ErrorName } from '../../protocol/index.ts'
import { type ClassicGroup, emptyGroup } from './classic-group.ts'
import { DEFAULT_LIMITS } from './coordinator-fixture.ts'
import type { Decision, DecisionContext, GroupLimits, JoinResult, SyncResult } from './decision.ts'
import { GroupDraft } from './group-draft.ts'
import { decideJoin, type JoinRequest, staticMemberStored } from './join-group.ts'
import { decideLeave, type LeaveResult } from './leave-group.ts'
import { joinTimerExpired, sessionExpired, syncTimerExpired } from './rebalance.ts'
import { replayGroupMetadata } from './replay.ts'
import { assignmentStored, decideSync, type SyncRequest } from './sync-group.ts'

/**
 * For tests of the pure state machine: one group, the decisions made on it, and what came out of each. Requests are
 * numbered; answers are found by that number. Nothing here runs by itself: timers and the log answer when told.
 */
export class GroupScenario {
  group: ClassicGroup = emptyGroup('group', 0)
  now = 0
  /** The last decision. */
  decision: Decision | undefined
  readonly answers = new Map<number, JoinResult | SyncResult>()
  /** Sees every decision. */
  onDecision: (decision: Decision) => void = () => {}
  readonly limits: GroupLimits
  /** See `DecisionContext.ownsGroup`. */
  ownsGroup = false
  #nextRequest = 1
  #nextId = 1

  constructor(limits: Partial<GroupLimits> = {}) {
    this.limits = { ...DEFAULT_LIMITS, ...limits }
  }

  /** Records of the last decision. */
  get records() {
    return this.decision?.records ?? []
  }

  /** Timers of the last decision. */
  get timers(): Record<string, number | undefined> {
    return Object.fromEntries(this.decision?.timers ?? [])
  }

  /** JoinGroup; gives the number of the request. A client with default values joins as a dynamic member, as in v3. */
  join(request: Partial<JoinRequest> = {}): number {
    const replyTo = this.#nextRequest++
    const full: JoinRequest = {
      replyTo,
      memberId: '',
      groupInstanceId: null,
      clientId: 'client',
      clientHost: '/127.0.0.1',
      rebalanceTimeoutMs: 60_000,
      sessionTimeoutMs: 10_000,
      protocolType: 'consumer',
      protocols: protocols('range'),
      requireKnownMemberId: false,
      supportsSkippingAssignment: true,
      reason: null,
      ...request,
    }
    this.#take(decideJoin(this.group, full, this.context()))
    return replyTo
  }

  /** SyncGroup of the present generation. */
  sync(memberId: string, request: Partial<SyncRequest> = {}): number {
    const replyTo = this.#nextRequest++
    const full: SyncRequest = {
      replyTo,
      memberId,
      groupInstanceId: null,
      generationId: this.group.generationId,
      protocolType: null,
      protocolName: null,
      assignments: [],
      ...request,
    }
    this.#take(decideSync(this.group, full, this.context()))
    return replyTo
  }

  leave(...members: { readonly memberId?: string; readonly groupInstanceId?: string }[]): readonly LeaveResult[] {
    const full = members.map(member => ({ memberId: '', groupInstanceId: null, reason: null, ...member }))
    const decision = decideLeave(this.group, full, this.context())
    this.#take(decision)
    return decision.left
  }

  /** The joining phase's time is over. */
  joinTimer(): void {
    this.#draft(joinTimerExpired)
  }

  /** The wait for SyncGroup is over. */
  syncTimer(): void {
    this.#draft(syncTimerExpired)
  }

  /** A session is over. */
  session(memberId: string): void {
    this.#draft(draft => sessionExpired(draft, memberId))
  }

  /** The log answers to the records of `of`, by default the last decision's. */
  stored(error?: ErrorName, of = this.decision): void {
    for (const record of error === undefined ? (of?.records ?? []) : []) {
      if (record.value === null) continue
      this.group = replayGroupMetadata(
        this.group,
        { ...record, value: record.value },
        { now: this.now, loading: false },
      )
    }
    const context = { ...this.context(), error }
    const after = of?.afterStore
    if (after?.kind === 'assignment') this.#take(assignmentStored(this.group, after, context))
    if (after?.kind === 'staticMember') this.#take(staticMemberStored(this.group, after, context))
  }

  /** The answer to a JoinGroup. */
  joined(request: number): JoinResult {
    const answer = this.answers.get(request)
    if (answer === undefined || !('leader' in answer)) throw new Error(`JoinGroup ${request} is not answered`)
    return answer
  }

  /** The answer to a SyncGroup. */
  synced(request: number): SyncResult {
    const answer = this.answers.get(request)
    if (answer === undefined || 'leader' in answer) throw new Error(`SyncGroup ${request} is not answered`)
    return answer
  }

  /** A stable group of as many members as `joins`, the first leading; gives their ids. */
  stable(...joins: Partial<JoinRequest>[]): string[] {
    const requests = joins.map(request => this.join(request))
    this.joinTimer()
    if (this.group.state === 'PreparingRebalance') this.joinTimer()
    const members = requests.map(request => this.joined(request).memberId)
    const assignments = members.map(memberId => ({ memberId, assignment: Buffer.from(`of ${memberId}`) }))
    for (const memberId of members.slice(1)) this.sync(memberId, { groupInstanceId: this.#instanceOf(memberId) })
    const [leader = ''] = members
    this.sync(leader, { groupInstanceId: this.#instanceOf(leader), assignments })
    this.stored()
    return members
  }

  context(): DecisionContext {
    const newMemberId = (prefix: string): string => `${prefix}-${this.#nextId++}`
    return { now: this.now, limits: this.limits, ownsGroup: this.ownsGroup, newMemberId }
  }

  #instanceOf(memberId: string): string | null {
    return this.group.members.get(memberId)?.groupInstanceId ?? null
  }

  #draft(decide: (draft: GroupDraft) => void): void {
    const draft = new GroupDraft(this.group, this.context())
    decide(draft)
    this.#take(draft.finish())
  }

  #take(decision: Decision): void {
    this.decision = decision
    this.group = decision.group
    for (const { to, result } of decision.replies) {
      if (this.answers.has(to)) throw new Error(`request ${to} is answered twice`)
      this.answers.set(to, result)
    }
    this.onDecision(decision)
  }
}

/** Protocols of these names, each with its name as metadata. */
export function protocols(...names: readonly string[]) {
  return names.map(name => ({ name, metadata: Buffer.from(name) }))
}
